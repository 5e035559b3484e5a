import numpy as np
import pandas as pd
import pytest

from terrarium.scenes.graphs.archetypes import NAMES, label_graphs
from terrarium.scenes.graphs.building import build_graphs
from terrarium.scenes.simulator import simulate as simulator
from terrarium.scenes.simulator import staging
from terrarium.scenes.simulator.roads import make_roads
from terrarium.scenes.simulator.simulate import simulate
from terrarium.scenes.simulator.staging import STAGES
from terrarium.sources.traffic.checks import check
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


@pytest.mark.parametrize("seed", range(12))
def test_roads_are_connected_and_lanes_lie_beside_each_other(seed):
    roads = make_roads("r", np.random.default_rng(seed))
    for number, lane in enumerate(roads.lanes):
        for other in lane.following:
            assert np.linalg.norm(lane.line[-1] - roads.lanes[other].line[0]) < 5.0
        for other in lane.neighbour:
            assert number in roads.lanes[other].neighbour
            assert np.linalg.norm(lane.line[0] - roads.lanes[other].line[0]) < 8.0
        for other in lane.opposite:
            assert number in roads.lanes[other].opposite
            away = roads.lanes[other].line
            assert (lane.line[-1] - lane.line[0]) @ (away[-1] - away[0]) < 0.0
    assert any(lane.intersection for lane in roads.lanes) == (roads.arms > 2)


def recorded(chosen, **changes):
    """Graphs, their table and labels of a simulation of the default in which some options are others."""
    simulator = chosen.source.simulator
    variants = {name: variant.model_copy(update=changes) for name, variant in simulator.variants.items()}
    seconds = 1.25 if changes else simulator.duration_s
    recording = check(simulate(simulator.model_copy(update={"variants": variants, "duration_s": seconds})), 0.1)
    graphs, index = build_graphs(recording.tracks, recording.lanes, chosen.features.graphs)
    return index, label_graphs(graphs)


@pytest.mark.parametrize("stage", STAGES)
def test_a_staged_scene_holds_what_it_is_for(stage, monkeypatch):
    """A second after the start, in most scenes; the others are undone by the traffic around."""
    monkeypatch.setattr(simulator, "STAGES", {stage: STAGES[stage]})
    monkeypatch.setattr(staging, "_LANE_CHANGE_PROB", 1.0)
    index, labels = recorded(options("local"), scenes=8, maps=12, staged_fraction=1.0)
    assert index.loc[labels[stage], "scene"].nunique() >= 4, "of eight scenes, each second one"


def test_groups_without_a_change_of_lane_hold_what_is_left(monkeypatch):
    monkeypatch.setattr(staging, "_LANE_CHANGE_PROB", 0.0)
    _, labels = recorded(options("local"), scenes=18, maps=6, staged_fraction=1.0)
    for name in ("four_vehicle_opposite_intersection", "lead_neighbor_opposite_vehicle"):
        assert labels[name].sum() >= 3
        assert labels[f"{name.removesuffix('_intersection')}_intersection"].sum() >= 3


def test_variants_drive_on_the_same_maps_and_scenes_take_turns():
    made = tables()
    maps = made["tracks"].groupby("source")["map"].unique()
    assert set(maps["simulation"]) == set(maps["real"]) == set(made["lanes"]["map"])


def test_a_network_without_forks_is_not_staged():
    straight = next(
        roads for roads in (make_roads("r", np.random.default_rng(i)) for i in range(50)) if roads.arms == 2
    )
    assert staging.find_sites(straight) == []
    assert staging.make_stage("cut_in", straight, np.random.default_rng(0)) == (-1, [])


@pytest.mark.slow
def test_every_archetype_is_in_some_scenes_of_each_variant_of_the_default():
    index, labels = recorded(options("local"))
    for name in NAMES:
        scenes = index.loc[labels[name]].groupby("source")["scene"].nunique()
        assert scenes.get("simulation", 0) >= 9, name
        assert scenes.get("real", 0) >= 9, name
