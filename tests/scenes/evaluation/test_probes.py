import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from terrarium.scenes.evaluation.baselines import hand_statistics, wl_vectors
from terrarium.scenes.evaluation.logistic import fit_logistic
from terrarium.scenes.evaluation.matrices import standardize
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
from terrarium.scenes.graphs.columns import from_parts
from terrarium.scenes.graphs.weisfeiler_lehman import context_classes, node_labels
from tests.scenes.scenery import graph, graphs_of

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


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_regressions_at_once_are_those_one_by_one(make):
    x = (RNG.random((300, 8)) < 0.3) * RNG.random((300, 8))
    labels = x @ RNG.normal(size=(8, 3)) + 0.3 * RNG.normal(size=(300, 3)) > 0.1
    weights = RNG.random((300, 3))
    found = fit_logistic(make(x), labels, 2.0, weights)
    for label in range(3):
        one = LogisticRegression(C=2.0, tol=1e-8, max_iter=1000).fit(x, labels[:, label], weights[:, label])
        assert found[:-1, label] == pytest.approx(one.coef_[0], abs=0.02)
        assert found[-1, label] == pytest.approx(one.intercept_[0], abs=0.02)


def test_sparse_columns_are_scaled_like_dense_ones_and_keep_their_zeros():
    x = (RNG.random((50, 4)) < 0.3) * RNG.random((50, 4))
    there, plain = standardize(sparse.csr_array(x))[0].toarray(), standardize(x)[0]
    assert np.diff(there, axis=0) == pytest.approx(np.diff(plain, axis=0))
    assert np.array_equal(there == 0.0, x == 0.0)


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


def test_ten_statistics_are_counted_by_hand():
    columns = graph("a>b a=c", lane_change="c", intersection="b")
    columns["speed"], columns["path_length"] = np.array([2.0, 4.0, 6.0]), np.array([10.0, 10.0, -4.0, 4.0])
    found = hand_statistics(from_parts([columns])).iloc[0].to_dict()
    assert found == pytest.approx(
        {
            "road_users": 3, "leading": 1, "neighbours": 1, "opposite": 0, "mean_speed": 4, "speed_deviation": 1.63299,
            "smallest_gap": 10, "mean_path": 7, "lane_changes": 1, "on_intersection": 1,
        },
        rel=1e-4,
    )  # fmt: skip
    assert len(found) == 10


def test_the_kernel_does_not_see_the_order_of_nodes_and_sees_relations():
    given = graphs_of("a>b b>c", "c>a a>b", "a>b a>c", "a=b b=c", "a>b a>c", "a=b b=c")
    rooted = wl_vectors(given, 2, np.arange(6)).toarray()
    vectors = rooted / np.linalg.norm(rooted, axis=1, keepdims=True)
    assert np.allclose(vectors[0], vectors[1])
    assert vectors[0] @ vectors[2] < 0.99
    assert vectors[0] @ vectors[3] < 0.7
    flat = wl_vectors(given, 0, np.arange(6)).toarray()
    assert np.allclose(flat[0], flat[3])
    assert flat[0] ** 2 == pytest.approx([3.0])


def test_labels_are_exact_and_tell_directions_apart():
    labels = node_labels(graphs_of("a>b", "a>b", "a=b"), 1)[1]
    assert labels.tolist() == [0, 1, 0, 1, 2, 2]


def test_the_vocabulary_is_of_training_graphs_that_share_a_label():
    """Of six graphs the fifth alone has neighbours, and the sixth is not trained on."""
    given = graphs_of("a>b", "a>b", "a>b b>c", "a>b b>c", "a=b", "a=b")
    classes, count = context_classes(given, np.arange(5))
    assert count == 3
    assert classes.tolist() == [0, 1, 0, 1, 0, 2, 1, 0, 2, 1, -1, -1, -1, -1]
    assert wl_vectors(given, 1, np.arange(5)).shape[1] == 1 + 3
