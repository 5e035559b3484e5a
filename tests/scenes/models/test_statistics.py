import numpy as np
import pytest

from terrarium.scenes.graphs.columns import from_parts
from terrarium.scenes.models.statistics import hand_statistics
from tests.scenes.scenery import graph


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
