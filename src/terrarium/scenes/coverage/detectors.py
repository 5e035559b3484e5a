"""What looks for a region that one half of the scenes has and the other lacks."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from terrarium.scenes.coverage.deletion_test import Detector, Halving
from terrarium.scenes.evaluation.logistic import Matrix, fit_logistic, log_odds, scaled
from terrarium.scenes.evaluation.neighbours import distances
from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.weisfeiler_lehman import graph_of_nodes, node_labels

_TINY, FOLDS = 1e-6, 5


def by_embedding(vectors: np.ndarray, strength: float) -> Detector:
    """Log odds of being of the asking half, by a classifier of graphs that has not seen the graph's scene."""
    return lambda split: odds(vectors, split, np.arange(len(vectors)), strength)[split.asking]


def by_road_users(states: np.ndarray, graph: np.ndarray, strength: float) -> Detector:
    """The same of road users, a graph having the score of the one that stands out most; `graph` is of each (n)."""

    def scores(split: Halving) -> np.ndarray:
        found = np.full(split.kept.shape, -np.inf)
        np.maximum.at(found, graph, odds(states, split, graph, strength))
        return found[split.asking]

    return scores


def odds(vectors: np.ndarray, split: Halving, graph: np.ndarray, strength: float) -> np.ndarray:
    """Log odds of being of the asking half for each deletion, both sides weighted alike (n, c + 1).

    They estimate the log density ratio (Sugiyama, Suzuki and Kanamori 2012). Scenes are dealt into folds half by half;
    a row's regression is of the folds without its scene. NaN where one side is missing there.

    Args:
        vectors: rows (n, d).
        split: of the graphs.
        graph: of each row (n).
        strength: inverse of the penalty on the squared weights.
    """
    kept = split.kept[graph]
    asking = np.repeat(split.asking[graph][:, None], kept.shape[1], axis=1)
    fold = _folds(split)[graph]
    x = scaled(vectors)[0].astype(np.float32)
    found = np.full(kept.shape, np.nan)
    for asked in range(FOLDS):
        seen = fold != asked
        sides = [(side & seen[:, None]).astype(np.float64) for side in (asking, kept)]
        sizes = [side.sum(axis=0) for side in sides]
        there = (sizes[0] > 0) & (sizes[1] > 0)
        if not there.any() or seen.all():
            continue
        half = (sizes[0] + sizes[1])[there] / 2
        weights = sum(side[:, there] / size[there] for side, size in zip(sides, sizes, strict=True)) * half
        fitted = fit_logistic(x[seen], asking[seen][:, there], strength, weights=weights[seen])
        found[np.ix_(~seen, there)] = log_odds(x[~seen], fitted)
    return found


def by_neighbours(vectors: np.ndarray, k: int) -> Detector:
    """log(distance to the k-th neighbour of the other half / of the asking half in another scene)."""

    def scores(split: Halving) -> np.ndarray:
        asked = vectors[split.asking]
        own = split.scene[split.asking]
        here = distances(asked, asked)
        here[own[:, None] == own[None, :]] = np.inf
        near = _kth(here, k)
        there = distances(asked, vectors[~split.asking])
        kept = split.kept[~split.asking]
        found = [_kth(np.where(one[None, :], there, np.inf), k) for one in kept.T]
        return np.log(np.stack(found, axis=1) + _TINY) - np.log(near + _TINY)[:, None]

    return scores


def by_patterns(patterns: Matrix) -> Detector:
    """The most novel pattern of a graph: the largest log((others + 1/2) / (kept + 1/2)) over the patterns that it has.

    `others` are the other asking scenes with the pattern and `kept` the scenes of what is left of the other half, so
    nothing is fitted and a scene never vouches for itself. `patterns` says which graph has which (g, p).
    """

    def scores(split: Halving) -> np.ndarray:
        has = sparse.csr_array(patterns[np.flatnonzero(split.asking)]).tocoo()
        others = scenes_with(patterns, split.scene, split.asking) - 1
        found = np.full((int(split.asking.sum()), split.kept.shape[1]), -np.inf)
        for number, kept in enumerate(split.kept.T):
            novelty = np.log(others + 0.5, where=others >= 0, out=np.zeros(len(others)))
            novelty -= np.log(scenes_with(patterns, split.scene, kept) + 0.5)
            np.maximum.at(found[:, number], has.row, novelty[has.col])
        return found

    return scores


def scenes_with(patterns: Matrix, scene: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """How many scenes of some graphs have each pattern (p)."""
    _, place = np.unique(scene[rows], return_inverse=True)
    inside = np.flatnonzero(rows)
    of_scene = sparse.csr_array((np.ones(len(inside)), (place, np.arange(len(inside)))))
    return np.asarray(((of_scene @ patterns[inside]) > 0).sum(axis=0), np.float64).ravel()


def pattern_table(graphs: Graphs) -> Matrix:
    """Which graphs hold which local patterns, sparse (g, p).

    Patterns are types with flags, two of them with the relation between, and a road user with all that is around it.
    """
    start, around = node_labels(graphs, 1)
    shift = np.repeat(graphs.node_offset[:-1], graphs.edges)
    one, other = (start[graphs.edge[:, end] + shift] for end in (0, 1))
    size = int(start.max()) + 1 if len(start) else 1
    pairs = (one * size + other) * 16 + graphs.relation
    of_edges = np.repeat(np.arange(len(graphs)), graphs.edges)
    of_nodes = graph_of_nodes(graphs)
    parts = [(of_nodes, start), (of_edges, pairs), (of_nodes, around)]
    return sparse.csr_array(sparse.hstack([_which(graph, found, len(graphs)) for graph, found in parts]))


def _which(graph: np.ndarray, found: np.ndarray, graphs: int) -> Matrix:
    names, place = np.unique(found, return_inverse=True)
    table = sparse.csr_array((np.ones(len(graph)), (graph, place)), shape=(graphs, len(names)))
    table.sum_duplicates()
    table.data[:] = 1.0
    return table


def _folds(split: Halving) -> np.ndarray:
    """The fold of each graph's scene, dealt out in each half by itself (g)."""
    fold = np.zeros(len(split.scene), np.int64)
    for half in (split.asking, ~split.asking):
        fold[half] = np.unique(split.scene[half], return_inverse=True)[1] % FOLDS
    return fold


def _kth(table: np.ndarray, k: int) -> np.ndarray:
    """The k-th smallest finite number of each row, or the largest there is; NaN where a row has none."""
    part = np.sort(np.partition(table, min(k, table.shape[1]) - 1, axis=1)[:, : min(k, table.shape[1])], axis=1)
    finite = np.isfinite(part).sum(axis=1)
    return np.where(finite > 0, part[np.arange(len(part)), np.maximum(finite - 1, 0)], np.nan)
