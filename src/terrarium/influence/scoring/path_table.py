"""The best paths of query triples as a table, with names and the permutation test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.influence.data.named_graph import NamedGraph, triple_text
from terrarium.influence.options import PathOptions
from terrarium.influence.scoring.context import InfluenceContext
from terrarium.influence.scoring.paths import CandidatePaths, find_paths, permutation_test, score_paths
from terrarium.influence.scoring.streaming import influence_matrix
from terrarium.kge.data.graph import TRAIN, Triples
from terrarium.training.torch.seeding import generator

PATH_COLUMNS = [
    "query",
    "rank",
    "edges",
    "score",
    "path",
    "candidate_paths",
    "candidate_edges",
    "p_value",
    "null_mean",
]


def path_table(context: InfluenceContext, queries: Triples, named: NamedGraph, options: PathOptions) -> pd.DataFrame:
    """Return the best paths of the first query triples.

    Args:
        context: trained model and training triples.
        queries: query triples, shape (T, 3).
        named: ids and names of entities and relations.
        options: number of query triples, longest path, paths per query triple, and permutations.

    Returns:
        One row per query triple and path: query (its row), rank (from 1), edges (how many), score (mean influence of
        the edges, times the weight of the path), path (text), candidate_paths and candidate_edges (numbers of
        candidates), p_value and null_mean of the permutation test on the best path of two or three edges. A query
        triple without any path has one row of rank 0 without score.
    """
    explained = queries[: options.num_queries]
    candidates = [
        find_paths(context.train, int(head), int(tail), options.max_length, options.degree_damping)
        for head, _, tail in explained
    ]
    rows: list[dict[str, object]] = []
    for query, (paths, influence) in enumerate(
        zip(candidates, _edge_influence(context, explained, candidates), strict=True)
    ):
        counts = {"candidate_paths": len(paths), "candidate_edges": len(paths.edges)}
        if not len(paths):
            rows.append({"query": query, **counts, "path": "", "rank": 0, "edges": 0})
            continue
        rng = generator(context.attribution.seed, "paths", query)
        test = permutation_test(paths, influence, options.num_permutations, rng)
        for row in _best_paths(named, paths, influence, options.top_k):
            rows.append({"query": query, **row, **counts, **test._asdict()})
    return pd.DataFrame(rows, columns=PATH_COLUMNS)


def _edge_influence(
    context: InfluenceContext, queries: Triples, candidates: Sequence[CandidatePaths]
) -> list[Float64Array]:
    """Return influences (E,) of the edges of each query triple's paths; a shared edge is differentiated once."""
    edges = np.unique(np.concatenate([np.empty(0, np.int64), *(paths.edges for paths in candidates)]))
    if not len(edges):
        return [np.empty(0) for _ in candidates]
    matrix = influence_matrix(context, queries, edges)
    return [matrix[np.searchsorted(edges, paths.edges), query] for query, paths in enumerate(candidates)]


def _best_paths(
    named: NamedGraph, paths: CandidatePaths, influence: Float64Array, count: int
) -> list[dict[str, object]]:
    train = named.graph.splits[TRAIN]
    scores, best_edge = score_paths(paths, influence)
    rows: list[dict[str, object]] = []
    for rank, path in enumerate(np.argsort(-scores, kind="stable")[:count], start=1):
        groups = paths.groups[:, path]
        groups = groups[groups >= 0]
        edges = named.name(train[paths.edges[best_edge[groups]]])
        text = "; ".join(triple_text(row) for row in edges.to_dict("records"))
        rows.append({"rank": rank, "edges": len(groups), "score": float(scores[path]), "path": text})
    return rows
