"""Paths for some of the triples asked about, with names and the null."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.pipelines.influence.asking import named
from terrarium.pipelines.influence.options import PathOptions
from terrarium.pipelines.influence.paths import Candidates, candidates, chance, path_scores
from terrarium.pipelines.influence.streaming import World, influences
from terrarium.pipelines.influence.tables import sentence
from terrarium.pipelines.knowledge_graph.graph import HEAD, TAIL, Triples
from terrarium.pipelines.knowledge_graph.measures import Floats
from terrarium.training.seeding import generator

PATHS = ["test", "rank", "edges", "score", "path", "candidate_paths", "candidate_edges", "p_value", "null_best"]


def path_table(
    world: World, tests: Triples, entities: pd.DataFrame, relations: pd.DataFrame, options: PathOptions
) -> pd.DataFrame:
    """A row a path: test, rank, edges, score, path, how many candidates there were, and the best one's p-value.

    A triple without any path has a row without score.
    """
    rows = []
    for test, triple in enumerate(tests[: options.triples]):
        found = candidates(world.train, int(triple[HEAD]), int(triple[TAIL]), options.length)
        if not len(found):
            rows.append({"test": test, "candidate_paths": 0, "candidate_edges": 0, "path": "", "rank": 0, "edges": 0})
            continue
        influence = _influence(world, triple[None], found)
        rng = generator(world.features.seed, "paths", test)
        p_value, null = chance(found, influence, options.permutations, rng)
        counts = {"candidate_paths": len(found), "candidate_edges": len(found.edges)}
        for row in _best(world, found, influence, entities, relations, options.most):
            rows.append({"test": test, **row, **counts, "p_value": p_value, "null_best": null})
    return pd.DataFrame(rows, columns=PATHS)


def _influence(world: World, test: Triples, found: Candidates) -> Floats:
    values = np.empty(len(found.edges))
    place = {int(edge): at for at, edge in enumerate(found.edges)}
    for places, scores in influences(world, test, found.edges):
        values[[place[int(edge)] for edge in places]] = scores[:, 0].detach().double().cpu().numpy()
    return values


def _best(
    world: World,
    found: Candidates,
    influence: Floats,
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
