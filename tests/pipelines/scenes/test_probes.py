import numpy as np
import pytest

from terrarium.pipelines.scenes.baselines import STATISTICS, hand_statistics, wl_vectors
from terrarium.pipelines.scenes.graphs import from_parts
from terrarium.pipelines.scenes.probes import (
    alignment,
    cross_view_top_1,
    effective_rank,
    neighbour_f1,
    probe_f1,
    retrieval_map,
    ridge_r2,
    uniformity,
)

from .scenery import graph, graphs_of

RNG = np.random.default_rng(0)


def test_a_probe_and_neighbours_read_what_is_there_and_nothing_else():
    x, y = RNG.normal(size=(400, 5)), RNG.normal(size=(200, 5))
    labels, wanted = x[:, :1] > 0, y[:, :1] > 0
    assert probe_f1(x, labels, y, wanted)[0] > 0.95
    assert neighbour_f1(x, labels, y, wanted, 15)[0] > 0.8
    noise = RNG.random((400, 1)) > 0.9
    assert probe_f1(x, noise, y, RNG.random((200, 1)) > 0.9)[0] < 0.2


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
    columns["speed"], columns["path"] = np.array([2.0, 4.0, 6.0]), np.array([10.0, 10.0, -4.0, 4.0])
    found = dict(zip(STATISTICS, hand_statistics(from_parts([columns]))[0], strict=True))
    assert found == pytest.approx(
        {
            "road_users": 3, "leading": 1, "neighbours": 1, "opposite": 0, "mean_speed": 4, "speed_deviation": 1.63299,
            "smallest_gap": 10, "mean_path": 7, "lane_changes": 1, "on_intersection": 1,
        },
        rel=1e-4,
    )  # fmt: skip
    assert len(STATISTICS) == 10


def test_the_kernel_does_not_see_the_order_of_nodes_and_sees_relations():
    vectors = wl_vectors(graphs_of("a>b b>c", "c>a a>b", "a>b a>c", "a=b b=c"), 2, 256)
    assert np.allclose(vectors[0], vectors[1])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert vectors[0] @ vectors[2] < 0.99
    assert vectors[0] @ vectors[3] < 0.7
    flat = wl_vectors(graphs_of("a>b b>c", "a=b b=c"), 0, 256)
    assert np.allclose(flat[0], flat[1])
