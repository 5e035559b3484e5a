import numpy as np
import pytest

from terrarium.scenes.evaluation.baselines import hand_statistics, wl_vectors
from terrarium.scenes.graphs.columns import from_parts
from tests.scenes.scenery import graph, graphs_of


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
