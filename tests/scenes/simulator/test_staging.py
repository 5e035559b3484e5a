import numpy as np
import pytest

from terrarium.scenes.graphs.archetypes import label_graphs
from terrarium.scenes.graphs.building import build_graphs
from terrarium.scenes.labels.definitions import read_definitions
from terrarium.scenes.simulator import simulate as simulator
from terrarium.scenes.simulator import staging
from terrarium.scenes.simulator.roads import make_roads
from terrarium.scenes.simulator.simulate import simulate
from terrarium.scenes.simulator.staging import STAGES
from terrarium.sources.traffic.checks import check
from tests.scenes.scenery import options


def recorded(chosen, **changes):
    """Graphs, their table and labels of a simulation of the default in which some options are others."""
    simulator = chosen.source.simulator
    variants = {name: variant.model_copy(update=changes) for name, variant in simulator.variants.items()}
    seconds = 1.25 if changes else simulator.duration_s
    recording = check(simulate(simulator.model_copy(update={"variants": variants, "duration_s": seconds})), 0.1)
    graphs, index = build_graphs(recording.tracks, recording.lanes, chosen.features.graphs)
    return index, label_graphs(graphs, read_definitions(None, "archetypes"))


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


def test_a_network_without_forks_is_not_staged():
    straight = next(
        roads for roads in (make_roads("r", np.random.default_rng(i)) for i in range(50)) if roads.arms == 2
    )
    assert staging.find_sites(straight) == []
    assert staging.make_stage("fork_lane_change", straight, np.random.default_rng(0)) == (-1, [])


@pytest.mark.slow
def test_every_archetype_is_in_some_scenes_of_each_variant_of_the_default():
    index, labels = recorded(options("local"))
    for name in labels:
        scenes = index.loc[labels[name]].groupby("source")["scene"].nunique()
        assert scenes.get("simulation", 0) >= 9, name
        assert scenes.get("real", 0) >= 9, name
