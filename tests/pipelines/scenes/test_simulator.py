import numpy as np
import pandas as pd
import pytest

from terrarium.pipelines.scenes.archetypes import NAMES, label_graphs
from terrarium.pipelines.scenes.building import build_graphs
from terrarium.pipelines.scenes.roads import make_roads
from terrarium.pipelines.scenes.simulator import simulate
from terrarium.sources.traffic import ACTOR_TYPES
from terrarium.sources.traffic_checks import check

from .scenery import options, tables


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


@pytest.mark.slow
def test_every_archetype_is_produced():
    """In a few hundred scenes that all start with a group, and mostly in fewer."""
    chosen = options("local")
    simulator = chosen.source.simulator.model_copy(update={"seconds": 8.0})
    seen = pd.Series(data=False, index=NAMES)
    for seed in range(20):
        staged = {
            name: variant.model_copy(update={"scenes": 20, "staged_share": 1.0})
            for name, variant in simulator.variants.items()
        }
        recording = check(simulate(simulator.model_copy(update={"variants": staged, "seed": seed})), 3.0)
        graphs, _ = build_graphs(recording.tracks, recording.lanes, chosen.features.graphs)
        seen |= label_graphs(graphs).any()
        if seen.all():
            break
    assert seen.all(), seen.index[~seen].tolist()
