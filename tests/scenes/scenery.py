"""Small scenes of the tests: options, a road, and everything that ingestion and features make of a few scenes."""

from functools import cache

import numpy as np

from terrarium.pipelines.scenes import nodes
from terrarium.scenes.graphs.columns import Graphs, from_parts, from_state
from terrarium.scenes.graphs.scene_graph import FOLLOWING_LEAD, LEADING_VEHICLE, NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE
from terrarium.scenes.options import Options
from terrarium.scenes.training.problem import scene_problem
from terrarium.scenes.training.trainer import Problem
from tests.test_parameters import changed, parameters

SIGNS = {
    ">": (FOLLOWING_LEAD, LEADING_VEHICLE),
    "=": (NEIGHBOR_VEHICLE, NEIGHBOR_VEHICLE),
    "~": (OPPOSITE_VEHICLE, OPPOSITE_VEHICLE),
}


def options(environment: str = "test", **changes: object) -> Options:
    """The options of an environment; keys such as `training__schedule__kind` change one."""
    return Options.model_validate(changed(parameters(environment)["scenes"], changes))


@cache
def tables() -> dict[str, object]:
    """Tracks, lanes, graphs, their table and labels, of the test environment."""
    chosen = options()
    tracks, lanes = nodes.read_source(chosen.source)
    graphs, index, labels = nodes.build_graphs(tracks, lanes, chosen.features)
    return {
        "tracks": tracks,
        "lanes": lanes,
        "graphs": graphs,
        "index": index,
        "labels": labels,
    }


def problem(chosen: Options) -> Problem:
    """The training problem of those graphs."""
    made = tables()
    return scene_problem(made["graphs"], made["index"], chosen.features)


def graphs() -> Graphs:
    """Those graphs."""
    return from_state(tables()["graphs"])


def graph(relations: str, lane_change: str = "", intersection: str = "", speed: float = 5.0) -> dict[str, np.ndarray]:
    """The columns of a graph written as in the archetypes, such as `a>b a=c`."""
    users = sorted({letter for letter in relations if letter.isalpha()})
    edges, kinds = [], []
    for one, sign, other in map(tuple, relations.split()):
        there = (users.index(one), users.index(other))
        edges += [there, there[::-1]]
        kinds += SIGNS[sign]
    count = len(users)
    return {
        "speed": np.full(count, speed),
        "kind": np.zeros(count),
        "lane_change": np.array([user in lane_change for user in users]),
        "intersection": np.array([user in intersection for user in users]),
        "place": np.zeros((count, 2)),
        "heading": np.zeros(count),
        "length": np.full(count, 4.0),
        "width": np.full(count, 2.0),
        "actor": np.arange(count),
        "edge": np.array(edges, np.int64).reshape(-1, 2),
        "relation": np.array(kinds, np.int64),
        "path": np.full(len(edges), 10.0),
    }


def graphs_of(*written: str) -> Graphs:
    """Graphs written as in the archetypes."""
    return from_parts([graph(text) for text in written])
