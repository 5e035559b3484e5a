import numpy as np
import pandas as pd
import pytest

from terrarium.scenes.criticality.tables import (
    CLOSING,
    DECELERATION,
    HEADWAY,
    PAIR_COLUMNS,
    PET,
    TTC,
    WORST,
    graph_encroachments,
    measure_criticality,
    measure_crossing,
    measure_following,
)
from terrarium.scenes.graphs.columns import from_parts
from tests.scenes.scenery import graph, graphs, tables


def platoon(**changes):
    """a follows b 14 m behind, between centres."""
    return graph("a>b") | {"speed": np.array([20.0, 10.0]), "path_length": np.array([14.0, 14.0])} | changes


def test_a_follower_is_measured_against_its_leader():
    pairs = measure_following(from_parts([platoon()]))
    row = pairs.iloc[0]
    assert len(pairs) == 1
    assert row[["gap_m", TTC, HEADWAY, CLOSING, DECELERATION]].tolist() == [10.0, 1.0, 0.5, 10.0, 5.0]


def test_who_falls_back_has_no_time_to_collision():
    row = measure_following(from_parts([platoon(speed=np.array([10.0, 20.0]))])).iloc[0]
    assert np.isnan(row[TTC])
    assert row[[CLOSING, DECELERATION]].tolist() == [-10.0, 0.0]


def test_crossing_pairs_are_those_of_one_graph_whose_headings_cross_and_who_meet():
    one = {"position": np.array([[-12.0, 0.0], [0.0, -12.0]]), "speed": np.array([10.0, 10.0])}
    crossing = platoon(heading=np.array([0.0, np.pi / 2]), **one)
    parallel = platoon(heading=np.array([0.0, 0.1]), **one)
    pairs = measure_crossing(from_parts([parallel, crossing]))
    assert pairs["graph"].tolist() == [1]
    assert pairs[TTC].tolist() == pytest.approx([0.9])


def test_encroachments_count_for_graphs_with_both_members_around_their_instant():
    three = from_parts([platoon()] * 3)
    index = pd.DataFrame({"source": "s", "scene": ["1", "1", "2"], "time_s": [4.0, 9.0, 4.0]})
    crossed = pd.DataFrame(
        {
            "source": "s", "scene": "1", "first_number": [0, 0], "second_number": [1, 7],
            "left_s": 5.0, "entered_s": [6.5, 5.1], PET: [1.5, 0.1],
        }
    )  # fmt: skip
    assert graph_encroachments(three, index, crossed) == pytest.approx([1.5, np.nan, np.nan], nan_ok=True)


def test_the_worst_of_a_graph_and_of_a_scene_are_those_of_their_pairs():
    made, every = tables(), graphs()
    found = measure_criticality(made["tracks"], every, made["index"])
    assert len(found.graphs) == len(every)
    assert found.pairs.columns.tolist() == list(PAIR_COLUMNS)
    following = measure_following(every)
    least = following.groupby("graph")[HEADWAY].min()
    assert found.graphs[HEADWAY].to_numpy()[least.index] == pytest.approx(least.to_numpy(), nan_ok=True)
    assert (found.graphs[CLOSING].to_numpy()[following["graph"]] >= following[CLOSING] - 1e-9).all()
    for name, worst in WORST.items():
        of_scenes = found.pairs.groupby(["source", "scene"])[name].agg(worst)
        mine = found.scenes.set_index(["source", "scene"])[name]
        pd.testing.assert_series_equal(mine[of_scenes.index], of_scenes)


def test_pairs_name_the_road_users_of_the_tracks():
    made = tables()
    found = measure_criticality(made["tracks"], graphs(), made["index"])
    known = set(map(tuple, made["tracks"][["scene", "actor"]].astype(str).to_numpy()))
    for user in ("first", "second"):
        assert set(map(tuple, found.pairs[["scene", user]].to_numpy())) <= known
    row = found.pairs[found.pairs["relation"] == "following"].iloc[0]
    tracks = made["tracks"].query("scene == @row.scene")
    start = tracks["time_s"].min()
    speed = tracks[np.isclose(tracks["time_s"] - start, row.time_s)].set_index("actor")["speed_mps"]
    assert speed[row["first"]] - speed[row["second"]] == pytest.approx(row[CLOSING], abs=1e-4)
