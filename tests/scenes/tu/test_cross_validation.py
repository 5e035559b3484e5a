import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel

from terrarium.scenes.tu.cross_validation import INNER_SPLITS, cross_validate, gram_matrix


def drawn(count=90):
    rng = np.random.default_rng(0)
    return rng, rng.integers(0, 2, count), rng.normal(size=(count, 4))


def test_what_is_linear_is_found():
    _, label, noise = drawn()
    folds = cross_validate(noise + 3.0 * label[:, None], label, 3, 0)
    assert np.mean([fold.accuracy for fold in folds]) > 0.95
    assert all(0.9 < fold.inner_accuracy <= 1.0 for fold in folds)


def test_a_ring_around_a_disk_takes_the_rbf_kernel():
    rng, label, _ = drawn(150)
    angle = rng.uniform(0.0, 2.0 * np.pi, 150)
    ring = (1.0 + 2.0 * label)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    folds = cross_validate(ring, label, 3, 0)
    assert {fold.kernel for fold in folds} == {"rbf"}
    assert np.mean([fold.accuracy for fold in folds]) > 0.95


def test_nothing_is_found_in_noise():
    _, label, noise = drawn()
    assert np.mean([fold.accuracy for fold in cross_validate(noise, label, 5, 0)]) < 0.65


def test_the_scale_of_a_column_does_not_matter_when_they_are_scaled():
    _, label, noise = drawn()
    vectors = noise + label[:, None]
    assert cross_validate(vectors, label, 3, 0) == cross_validate(vectors * 1024.0, label, 3, 0)


def test_kernels_are_those_of_their_formulas():
    _, _, x = drawn(20)
    train = np.arange(12)
    assert np.diag(gram_matrix(x, train, None))[train].mean() == pytest.approx(1.0)
    distance = ((x[train][:, None] - x[train][None]) ** 2).sum(-1).mean()
    assert gram_matrix(x, train, 2.0) == pytest.approx(rbf_kernel(x, gamma=2.0 / distance))


def test_the_test_fold_changes_nothing_that_is_chosen():
    """Inner accuracies are the same when the classes of a test fold are turned round."""
    from sklearn.model_selection import StratifiedKFold

    from terrarium.scenes.tu.cross_validation import _classify

    _, label, noise = drawn()
    vectors = noise + label[:, None]
    train, test = next(StratifiedKFold(3, shuffle=True, random_state=0).split(vectors, label))
    turned = label.copy()
    turned[test] = 1 - turned[test]
    one, other = (_classify(vectors, given, train, test, 0, scale=True) for given in (label, turned))
    assert (one.inner_accuracy, one.kernel) == (other.inner_accuracy, other.kernel)
    assert one.accuracy == pytest.approx(1.0 - other.accuracy)
    assert INNER_SPLITS > 1
