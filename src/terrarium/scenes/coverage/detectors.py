"""Detectors of a region that the query half of the scenes has and the reference half lacks; see `Detector`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from terrarium.scenes.coverage.deletion_test import RandomSplit
from terrarium.scenes.evaluation.logistic import fit_logistic, log_odds
from terrarium.scenes.evaluation.matrices import Matrix, standardize
from terrarium.scenes.evaluation.neighbors import distances
from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.scene_graph import RELATIONS
from terrarium.scenes.graphs.weisfeiler_lehman import node_labels

_TINY, FOLDS = 1e-6, 5


@dataclass(frozen=True, eq=False)
class GraphClassifier:
    """Log odds of the query half, by a classifier of graphs that has not seen the graph's scene.

    Attributes:
        vectors: of the graphs (graphs, d).
        C: inverse regularization strength.
    """

    vectors: np.ndarray
    C: float

    def __call__(self, split: RandomSplit) -> np.ndarray:
        """See `Detector`."""
        return query_log_odds(self.vectors, split, np.arange(len(self.vectors)), self.C)[split.is_query]


@dataclass(frozen=True, eq=False)
class NodeClassifier:
    """The same with a classifier of nodes; a graph has the largest log odds of its nodes.

    Attributes:
        states: of the nodes (nodes, d).
        graph: of each node (nodes,).
        C: inverse regularization strength.
    """

    states: np.ndarray
    graph: np.ndarray
    C: float

    def __call__(self, split: RandomSplit) -> np.ndarray:
        """See `Detector`."""
        scores = np.full(split.remaining.shape, -np.inf)
        np.maximum.at(scores, self.graph, query_log_odds(self.states, split, self.graph, self.C))
        return scores[split.is_query]


@dataclass(frozen=True, eq=False)
class NeighborDistance:
    """log(distance to the k-th neighbour in the reference half / in the query half, in another scene).

    Attributes:
        vectors: of the graphs (graphs, d).
        k: from 1.
    """

    vectors: np.ndarray
    k: int

    def __call__(self, split: RandomSplit) -> np.ndarray:
        """See `Detector`."""
        query, scene = self.vectors[split.is_query], split.scene[split.is_query]
        within = distances(query, query)
        within[scene[:, None] == scene[None, :]] = np.inf
        across = distances(query, self.vectors[~split.is_query])
        remaining = split.remaining[~split.is_query]
        columns = [_kth_smallest(np.where(kept[None, :], across, np.inf), self.k) for kept in remaining.T]
        return np.log(np.stack(columns, axis=1) + _TINY) - np.log(_kth_smallest(within, self.k) + _TINY)[:, None]


@dataclass(frozen=True, eq=False)
class PatternNovelty:
    """The largest log((q + 1/2) / (r + 1/2)) over the patterns of a graph; nothing is fitted.

    q is the number of other query scenes with the pattern and r that of the remaining reference scenes.

    Attributes:
        patterns: which graph has which pattern, sparse (graphs, patterns).
    """

    patterns: Matrix

    def __call__(self, split: RandomSplit) -> np.ndarray:
        """See `Detector`."""
        own = sparse.csr_array(self.patterns[np.flatnonzero(split.is_query)]).tocoo()
        others = count_scenes(self.patterns, split.scene, split.is_query) - 1
        scores = np.full((int(split.is_query.sum()), split.remaining.shape[1]), -np.inf)
        for column, remaining in enumerate(split.remaining.T):
            novelty = np.log(others + 0.5, where=others >= 0, out=np.zeros(len(others)))
            novelty -= np.log(count_scenes(self.patterns, split.scene, remaining) + 0.5)
            np.maximum.at(scores[:, column], own.row, novelty[own.col])
        return scores


def query_log_odds(vectors: np.ndarray, split: RandomSplit, graph: np.ndarray, C: float) -> np.ndarray:
    """Estimate the log odds of the query half against what remains of the reference half, for each deletion.

    Both sides weigh the same, so the log odds estimate the log density ratio (Sugiyama, Suzuki and Kanamori 2012). The
    regressions are cross-validated over folds of scenes.

    Args:
        vectors: rows (n, d).
        split: of the graphs.
        graph: of each row (n,).
        C: inverse regularization strength.

    Returns:
        Shape (n, archetypes + 1), NaN where one side is empty in the other folds.
    """
    remaining = split.remaining[graph]
    query = np.repeat(split.is_query[graph][:, None], remaining.shape[1], axis=1)
    fold = _scene_folds(split)[graph]
    x = standardize(vectors)[0].astype(np.float32)
    scores = np.full(remaining.shape, np.nan)
    for held_out in range(FOLDS):
        is_train = fold != held_out
        sides = [(side & is_train[:, None]).astype(np.float64) for side in (query, remaining)]
        sizes = [side.sum(axis=0) for side in sides]
        has_both = (sizes[0] > 0) & (sizes[1] > 0)
        if not has_both.any() or is_train.all():
            continue
        half = (sizes[0] + sizes[1])[has_both] / 2
        weights = sum(side[:, has_both] / size[has_both] for side, size in zip(sides, sizes, strict=True)) * half
        coefficients = fit_logistic(x[is_train], query[is_train][:, has_both], C, weights=weights[is_train])
        scores[np.ix_(~is_train, has_both)] = log_odds(x[~is_train], coefficients)
    return scores


def count_scenes(patterns: Matrix, scene: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Count the scenes, among some graphs (bool), that have each pattern, float64 (patterns,)."""
    _, place = np.unique(scene[rows], return_inverse=True)
    chosen = np.flatnonzero(rows)
    of_scene = sparse.csr_array((np.ones(len(chosen)), (place, np.arange(len(chosen)))))
    return np.asarray(((of_scene @ patterns[chosen]) > 0).sum(axis=0), np.float64).ravel()


def pattern_table(graphs: Graphs) -> Matrix:
    """Return which graphs have which local patterns, sparse 0 and 1 (graphs, patterns).

    Patterns are: a node's type and flags; two of them with the relation between; a node with all its neighbours.
    """
    initial, context = node_labels(graphs, 1)
    source, target = initial[graphs.edge_index]
    size = int(initial.max()) + 1 if len(initial) else 1
    triples = (source * size + target) * len(RELATIONS) + graphs.relation
    nodes, edges = graphs.graph_of_nodes, graphs.graph_of_edges
    parts = [
        _occurrences(graph, pattern, len(graphs))
        for graph, pattern in ((nodes, initial), (edges, triples), (nodes, context))
    ]
    return sparse.csr_array(sparse.hstack(parts))


def _occurrences(graph: np.ndarray, pattern: np.ndarray, num_graphs: int) -> Matrix:
    names, place = np.unique(pattern, return_inverse=True)
    table = sparse.csr_array((np.ones(len(graph)), (graph, place)), shape=(num_graphs, len(names)))
    table.sum_duplicates()
    table.data[:] = 1.0
    return table


def _scene_folds(split: RandomSplit) -> np.ndarray:
    """Return the fold of each graph's scene; the scenes of each half are dealt out in turn (graphs,)."""
    fold = np.zeros(len(split.scene), np.int64)
    for half in (split.is_query, ~split.is_query):
        fold[half] = np.unique(split.scene[half], return_inverse=True)[1] % FOLDS
    return fold


def _kth_smallest(table: np.ndarray, k: int) -> np.ndarray:
    """Return the k-th smallest finite number of each row, or the largest; NaN where a row has none."""
    k = min(k, table.shape[1])
    smallest = np.sort(np.partition(table, k - 1, axis=1)[:, :k], axis=1)
    finite = np.isfinite(smallest).sum(axis=1)
    return np.where(finite > 0, smallest[np.arange(len(smallest)), np.maximum(finite - 1, 0)], np.nan)
