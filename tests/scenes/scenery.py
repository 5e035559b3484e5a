"""Small scenes of the tests: options, a road, and everything that ingestion and features make of a few scenes."""

from functools import cache

import numpy as np

from terrarium.pipelines.scenes import nodes
from terrarium.scenes.graphs.archetypes import SIGNS
from terrarium.scenes.graphs.columns import Graphs, from_parts, from_state
from terrarium.scenes.options import Options
from terrarium.scenes.training.problem import Problem, scene_problem
from tests.test_parameters import changed, parameters


def options(environment: str = "test", **changes: object) -> Options:
    """The options of an environment; keys such as `training__schedule__cosine` change one."""
    return Options.model_validate(changed(parameters(environment)["scenes"], changes))


@cache
def tables() -> dict[str, object]:
    """Tracks, lanes, graphs, their table and labels, of the test environment."""
    chosen = options()
    recording = nodes.read_source(chosen.source)
    made = nodes.build_graphs(recording["tracks"], recording["lanes"], chosen.features)
    return recording | {"graphs": made["graphs"], "index": made["graph_index"], "labels": made["archetypes"], **made}


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
        "actor_type": np.zeros(count),
        "lane_change": np.array([user in lane_change for user in users]),
        "intersection": np.array([user in intersection for user in users]),
        "position": np.zeros((count, 2)),
        "heading": np.zeros(count),
        "length": np.full(count, 4.0),
        "width": np.full(count, 2.0),
        "actor": np.arange(count),
        "edge": np.array(edges, np.int64).reshape(-1, 2),
        "relation": np.array(kinds, np.int64),
        "path_length": np.full(len(edges), 10.0),
    }


def graphs_of(*written: str) -> Graphs:
    """Graphs written as in the archetypes."""
    return from_parts([graph(text) for text in written])
