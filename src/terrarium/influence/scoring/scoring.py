"""From checkpoints and triples asked about to tables of influence."""

from __future__ import annotations

import logging
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.influence.data.checkpoints import read_snapshots
from terrarium.influence.data.queries import named, numbered
from terrarium.influence.options import EvaluationOptions, FeatureOptions, ModelOptions
from terrarium.influence.reporting.messages import announce
from terrarium.influence.scoring.path_table import path_table
from terrarium.influence.scoring.streaming import World, influences, self_influences, self_influences_of_asked
from terrarium.influence.scoring.tables import ENDS, score_table
from terrarium.influence.scoring.topk import Strongest, strongest
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TRAIN, Graph, Triples

logger = logging.getLogger(__name__)


NONE_OF_ALL = pd.DataFrame(columns=["place", *ENDS, "self_influence"])


class TooManyWantedError(ValueError):
    """More proponents than there are training triples."""


def score_all(
    graph: Graph,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    checkpoints: Path,
    asked: pd.DataFrame,
    model: ModelOptions,
    features: FeatureOptions,
    evaluation: EvaluationOptions,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """Scores, self-influences of training triples, paths, and metrics.

    Self-influences have no row unless they are asked for, or nothing else is.

    Raises:
        TooManyWantedError: `top` is larger than the number of training triples.
        WrongCheckpointsError: the checkpoints do not fit.
    """
    if len(asked):
        require_enough(graph, evaluation.top)
    optimiser = features.precondition != "none"
    snapshots, training = read_snapshots(checkpoints, graph, model.checkpoints, optimiser=optimiser)
    world = World.of(snapshots, training, graph, features, evaluation)
    announce(world, training)
    tests = numbered(asked, entities, relations)
    started = time.perf_counter()
    found = strongest_of(world, tests)
    seconds = time.perf_counter() - started
    places = np.unique(np.concatenate([at[counted] for at, _, counted in found.sides.values()]))
    own = self_table(world, places).set_index("place")["self_influence"]
    described = asked.assign(self_influence=self_of_asked(world, tests))
    scores = score_table(described, found, world.train, own, entities, relations)
    wanted = evaluation.self_influence or not len(asked)
    every = self_of_all(world, entities, relations) if wanted else NONE_OF_ALL
    paths = path_table(world, tests, entities, relations, evaluation.paths)
    return scores, every, paths, metrics(world, tests, found, paths, seconds)


def require_enough(graph: Graph, top: int) -> None:
    """TooManyWantedError where `top` is larger than the number of training triples."""
    if top > len(graph.splits[TRAIN]):
        raise TooManyWantedError(
            f"evaluation.top is {top} and there are {len(graph.splits[TRAIN])} training triples: lower it"
        )


def strongest_of(world: World, tests: Triples) -> Strongest:
    """The strongest training triples of each test, a batch of tests after the other."""
    if not len(tests):
        places, values = np.empty((0, world.evaluation.top), np.int64), np.empty((0, world.evaluation.top))
        return Strongest(places, values, places, values)
    size = world.evaluation.batch_size
    pieces = np.split(tests, range(size, len(tests), size))
    parts = [strongest(influences(world, piece), world.evaluation.top) for piece in pieces]
    names = ("proponents", "proponent_scores", "opponents", "opponent_scores")
    return Strongest(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def self_table(world: World, places: np.ndarray | None) -> pd.DataFrame:
    """place, self_influence of some training triples, or of all."""
    none = places is not None and not len(places)
    rows = [] if none else [(at, own.double().cpu().numpy()) for at, own in self_influences(world, places)]
    at = np.concatenate([row[0] for row in rows]) if rows else np.empty(0, np.int64)
    values = np.concatenate([row[1] for row in rows]) if rows else np.empty(0)
    return pd.DataFrame({"place": at, "self_influence": values})


def self_of_asked(world: World, tests: Triples) -> Float64Array:
    """(T,) self-influences of the triples asked about."""
    return self_influences_of_asked(world, tests).double().cpu().numpy() if len(tests) else np.empty(0)


def self_of_all(world: World, entities: pd.DataFrame, relations: pd.DataFrame) -> pd.DataFrame:
    """Every training triple with its self-influence, the highest first."""
    found = self_table(world, None).sort_values("self_influence", ascending=False, kind="stable", ignore_index=True)
    edges = named(world.train[found["place"].to_numpy()], entities, relations)[ENDS]
    return pd.concat([found[["place"]], edges, found[["self_influence"]]], axis=1)


def metrics(world: World, tests: Triples, found: Strongest, paths: pd.DataFrame, seconds: float) -> dict[str, float]:
    """What it took, and what proponents have in common with their triple, beside all training triples."""
    numbers: dict[str, float] = {
        "triples_asked": len(tests),
        "training_triples": len(world.train),
        "checkpoints": len(world.snapshots),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }
    if len(tests):
        numbers |= {"seconds": seconds, "pairs_per_second": len(tests) * len(world.train) / seconds}
        numbers |= in_common(world.train, tests, found)
    tried = paths.drop_duplicates("test")["p_value"].dropna() if len(paths) else pd.Series(dtype=float)
    if len(tried):
        numbers |= {"paths_tried": len(tried), "paths_p_below_0_05": float((tried < 0.05).mean())}
    return {name: float(value) for name, value in numbers.items()}


def in_common(train: Triples, tests: Triples, found: Strongest) -> dict[str, float]:
    """Shares of proponents, opponents and all training triples with their test's relation, and with its entities."""
    numbers: dict[str, float] = {}
    for name, (places, _, counted) in found.sides.items():
        test, _ = np.nonzero(counted)
        if len(test):
            shares = _in_common(train[places[counted]], tests[test])
            numbers |= {f"{name}s_{key}": value for key, value in shares.items()}
    every = [_in_common(train, test) for test in tests]
    return numbers | {f"training_{key}": float(np.mean([one[key] for one in every])) for key in every[0]}


def _in_common(edges: np.ndarray, tests: np.ndarray) -> dict[str, float]:
    """Shares of edges (n, 3) with the relation of their test (n, 3) or (3,), and with one of its entities."""
    same = edges[..., RELATION] == tests[..., RELATION]
    ends = tests[..., [HEAD, TAIL]]
    shared = ((edges[..., HEAD, None] == ends) | (edges[..., TAIL, None] == ends)).any(-1)
    return {"same_relation": float(same.mean()), "shared_entity": float(shared.mean())}
