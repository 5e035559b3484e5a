import numpy as np
import pytest
from sklearn.metrics import f1_score

from terrarium.scenes.evaluation.probes import (
    SplitRows,
    alignment,
    cross_view_top_1,
    effective_rank,
    f1_scores,
    knn_f1,
    linear_probe,
    retrieval_map,
    ridge_r2,
    uniformity,
)

RNG = np.random.default_rng(0)


def test_a_probe_and_neighbours_read_what_is_there_and_nothing_else():
    x, y = RNG.normal(size=(600, 5)), RNG.normal(size=(200, 5))
    rows = SplitRows(np.arange(400), np.arange(400, 500), np.arange(500, 600))
    labels, noise = x[:, :1] > 0, RNG.random((600, 1)) > 0.9
    assert linear_probe(x, labels, rows, [1.0]).f1[0] > 0.95
    assert knn_f1(x, labels, y, y[:, :1] > 0, 15)[0] > 0.8
    assert linear_probe(x, noise, rows, [1.0]).f1[0] < 0.2


def test_the_strength_of_a_probe_is_chosen_on_validation_rows():
    """Few rows and many columns without meaning: a weak penalty learns them by heart."""
    x = RNG.normal(size=(700, 60))
    labels = x[:, :1] + RNG.normal(size=(700, 1)) > 0
    rows = SplitRows(np.arange(100), np.arange(100, 400), np.arange(400, 700))
    each = {strength: linear_probe(x, labels, rows, [strength]) for strength in (1e-3, 1e-2, 100.0)}
    chosen = linear_probe(x, labels, rows, [100.0, 1e-2, 1e-3])
    assert chosen.validation_f1 == max(one.validation_f1 for one in each.values())
    assert chosen.f1 == pytest.approx(each[chosen.C].f1)
    assert chosen.C < 100.0


def test_f1_is_that_of_scikit_learn():
    labels, found = RNG.random((50, 3)) > 0.5, RNG.random((50, 3)) > 0.5
    found[:, 2] = labels[:, 2] = False
    assert f1_scores(labels, found) == pytest.approx(f1_score(labels, found, average=None, zero_division=0.0))


def test_retrieval_leaves_the_query_s_scene_out():
    vectors = np.array([[1.0, 0.0], [1.0, 0.01], [1.0, 0.3], [0.0, 1.0]])
    label, scene = np.array([0, 0, 1, 0]), np.array([0, 0, 1, 2])
    assert retrieval_map(vectors, label, scene, np.array([0])) == pytest.approx(0.5)
    assert retrieval_map(vectors, label, np.array([0, 3, 1, 2]), np.array([0])) == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(retrieval_map(vectors, label, scene, np.array([2])))


def test_regression_explains_what_is_linear():
    x, y = RNG.normal(size=(300, 4)), RNG.normal(size=(100, 4))
    weight = np.array([1.0, -2.0, 0.5, 0.0])
    assert ridge_r2(x, x @ weight, y, y @ weight) > 0.99


def test_shapes_of_vectors():
    x = RNG.normal(size=(500, 8))
    assert alignment(x, 2 * x) == pytest.approx(0.0)
    assert alignment(x, -x) == pytest.approx(4.0)
    assert effective_rank(x) == pytest.approx(8.0, abs=0.3)
    assert effective_rank(x[:, :1] @ np.ones((1, 8))) == pytest.approx(1.0, abs=1e-3)
    assert uniformity(x) < uniformity(x + 5.0) <= 0.0
    assert cross_view_top_1(x, x + 0.01) == 1.0
