import pandas as pd

from terrarium.scenes.simulator.simulate import simulate
from terrarium.sources.traffic.tables import ACTOR_TYPES
from tests.scenes.scenery import options, tables


def test_the_same_seed_gives_the_same_tables_and_another_does_not():
    chosen = options().source.simulator
    first, again = simulate(chosen), simulate(chosen)
    pd.testing.assert_frame_equal(first.tracks, again.tracks)
    pd.testing.assert_frame_equal(first.lanes, again.lanes)
    assert not simulate(chosen.model_copy(update={"seed": 5})).tracks.equals(first.tracks)


def test_scenes_keep_the_contract_and_have_all_types():
    tracks = tables()["tracks"]
    assert set(tracks["type"]) == set(ACTOR_TYPES)
    assert tracks["speed_mps"].between(0.0, 60.0).all()


def test_road_users_move_as_fast_as_they_say():
    """Way along a lane between two records is the mean speed times the time, within half a step of braking."""
    tracks = tables()["tracks"]
    tracks = tracks[tracks["type"] != "pedestrian"].sort_values(["scene", "actor", "time_s"])
    before = tracks.groupby(["scene", "actor"])[["time_s", "s_m", "speed_mps", "lane"]].shift()
    same = before["lane"] == tracks["lane"]
    way = (tracks["s_m"] - before["s_m"])[same]
    mean = ((tracks["speed_mps"] + before["speed_mps"]) / 2 * (tracks["time_s"] - before["time_s"]))[same]
    assert (way - mean).abs().max() < 1.1


def test_variants_drive_on_the_same_maps_and_scenes_take_turns():
    made = tables()
    maps = made["tracks"].groupby("source")["map"].unique()
    assert set(maps["simulation"]) == set(maps["real"]) == set(made["lanes"]["map"])
