"""Detectors of what the query scenes have and the reference scenes lack; see `Detector`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from terrarium.scenes.coverage.comparison import Comparison
from terrarium.scenes.evaluation.logistic import fit_logistic, log_odds
from terrarium.scenes.evaluation.matrices import Matrix, standardize
from terrarium.scenes.evaluation.neighbors import distances

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

    def __call__(self, comparison: Comparison) -> np.ndarray:
        """See `Detector`."""
        return query_log_odds(self.vectors, comparison, np.arange(len(self.vectors)), self.C)[comparison.is_query]


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

    def __call__(self, comparison: Comparison) -> np.ndarray:
        """See `Detector`."""
        scores = np.full(comparison.remaining.shape, -np.inf)
        np.maximum.at(scores, self.graph, query_log_odds(self.states, comparison, self.graph, self.C))
        return scores[comparison.is_query]


@dataclass(frozen=True, eq=False)
class NeighborDistance:
    """log(distance to the k-th neighbour in the reference half / in the query half, in another scene).

    Attributes:
        vectors: of the graphs (graphs, d).
        k: from 1.
    """

    vectors: np.ndarray
    k: int

    def __call__(self, comparison: Comparison) -> np.ndarray:
        """See `Detector`."""
        query, scene = self.vectors[comparison.is_query], comparison.scene[comparison.is_query]
        within = distances(query, query)
        within[scene[:, None] == scene[None, :]] = np.inf
        across = distances(query, self.vectors[~comparison.is_query])
        remaining = comparison.remaining[~comparison.is_query]
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

    def __call__(self, comparison: Comparison) -> np.ndarray:
        """See `Detector`."""
        own = sparse.csr_array(self.patterns[np.flatnonzero(comparison.is_query)]).tocoo()
        others = count_scenes(self.patterns, comparison.scene, comparison.is_query) - 1
        scores = np.full((int(comparison.is_query.sum()), comparison.remaining.shape[1]), -np.inf)
        for column, remaining in enumerate(comparison.remaining.T):
            novelty = _novelty(others, count_scenes(self.patterns, comparison.scene, remaining))
            np.maximum.at(scores[:, column], own.row, novelty[own.col])
        return scores

    def explain(self, comparison: Comparison) -> np.ndarray:
        """Return the column of the most novel pattern of each query graph, the first of equal ones (query graphs,)."""
        own = sparse.csr_array(self.patterns[np.flatnonzero(comparison.is_query)]).tocoo()
        others = count_scenes(self.patterns, comparison.scene, comparison.is_query) - 1
        novelty = _novelty(others, count_scenes(self.patterns, comparison.scene, ~comparison.is_query))[own.col]
        order = np.lexsort((own.col, -novelty, own.row))
        _, first = np.unique(own.row[order], return_index=True)
        return np.asarray(own.col[order][first])


def query_log_odds(vectors: np.ndarray, comparison: Comparison, graph: np.ndarray, C: float) -> np.ndarray:
    """Estimate the log odds of the query half against what remains of the reference half, for each deletion.

    Both sides weigh the same, so the log odds estimate the log density ratio (Sugiyama, Suzuki and Kanamori 2012). The
    regressions are cross-validated over folds of scenes.

    Args:
        vectors: rows (n, d).
        comparison: of the graphs.
        graph: of each row (n,).
        C: inverse regularization strength.

    Returns:
        Shape (n, archetypes + 1), NaN where one side is empty in the other folds.
    """
    remaining = comparison.remaining[graph]
    query = np.repeat(comparison.is_query[graph][:, None], remaining.shape[1], axis=1)
    fold = _scene_folds(comparison)[graph]
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


def _novelty(others: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return log((others + 1/2) / (reference + 1/2)) for numbers of scenes, others at least 0."""
    return np.asarray(np.log(np.maximum(others, 0.0) + 0.5) - np.log(reference + 0.5), np.float64)


def _scene_folds(comparison: Comparison) -> np.ndarray:
    """Return the fold of each graph's scene; the scenes of each half are dealt out in turn (graphs,)."""
    fold = np.zeros(len(comparison.scene), np.int64)
    for half in (comparison.is_query, ~comparison.is_query):
        fold[half] = np.unique(comparison.scene[half], return_inverse=True)[1] % FOLDS
    return fold


def _kth_smallest(table: np.ndarray, k: int) -> np.ndarray:
    """Return the k-th smallest finite number of each row, or the largest; NaN where a row has none."""
    k = min(k, table.shape[1])
    smallest = np.sort(np.partition(table, k - 1, axis=1)[:, :k], axis=1)
    finite = np.isfinite(smallest).sum(axis=1)
    return np.where(finite > 0, smallest[np.arange(len(smallest)), np.maximum(finite - 1, 0)], np.nan)
