"""Paths for some of the triples asked about, with names and the null."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.influence.data.queries import named
from terrarium.influence.options import PathOptions
from terrarium.influence.scoring.paths import Candidates, candidates, chance, path_scores
from terrarium.influence.scoring.streaming import World, influences
from terrarium.influence.scoring.tables import sentence
from terrarium.kge.data.graph import Triples
from terrarium.training.torch.seeding import generator

PATHS = ["test", "rank", "edges", "score", "path", "candidate_paths", "candidate_edges", "p_value", "null_best"]


def path_table(
    world: World, tests: Triples, entities: pd.DataFrame, relations: pd.DataFrame, options: PathOptions
) -> pd.DataFrame:
    """A row a path: test, rank, edges, score, path, how many candidates there were, and the best one's p-value.

    A triple without any path has a row without score.
    """
    asked = tests[: options.triples]
    found = [candidates(world.train, int(head), int(tail), options.length) for head, _, tail in asked]
    influence = _influence(world, asked, found)
    rows: list[dict[str, object]] = []
    for test, (paths, of_edges) in enumerate(zip(found, influence, strict=True)):
        counts = {"candidate_paths": len(paths), "candidate_edges": len(paths.edges)}
        if not len(paths):
            rows.append({"test": test, **counts, "path": "", "rank": 0, "edges": 0})
            continue
        p_value, null = chance(paths, of_edges, options.permutations, generator(world.features.seed, "paths", test))
        for row in _best(world, paths, of_edges, entities, relations, options.most):
            rows.append({"test": test, **row, **counts, "p_value": p_value, "null_best": null})
    return pd.DataFrame(rows, columns=PATHS)


def _influence(world: World, tests: Triples, found: Sequence[Candidates]) -> list[Float64Array]:
    """(E,) influences of the edges of each triple's candidates; an edge that several share is gone through once."""
    edges = np.unique(np.concatenate([np.empty(0, np.int64), *(paths.edges for paths in found)]))
    if not len(edges):
        return [np.empty(0) for _ in found]
    values = np.empty((len(edges), len(tests)))
    for places, scores in influences(world, tests, edges):
        values[np.searchsorted(edges, places)] = scores.detach().double().cpu().numpy()
    return [values[np.searchsorted(edges, paths.edges), test] for test, paths in enumerate(found)]


def _best(
    world: World,
    found: Candidates,
    influence: Float64Array,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    most: int,
) -> list[dict[str, object]]:
    scores, of_group = path_scores(found, influence)
    rows: list[dict[str, object]] = []
    for rank, path in enumerate(np.argsort(-scores, kind="stable")[:most], start=1):
        groups = [int(part[path]) for part in (found.first, found.middle, found.last) if part[path] >= 0]
        edges = named(world.train[found.edges[of_group[groups]]], entities, relations)
        text = "; ".join(sentence(row, "") for row in edges.to_dict("records"))
        rows.append({"rank": rank, "edges": len(groups), "score": float(scores[path]), "path": text})
    return rows
