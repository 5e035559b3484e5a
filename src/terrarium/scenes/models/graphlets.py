"""Vectors that count the situations in a graph; nothing is learned but a vocabulary and the scale of ten statistics.

A graphlet is a connected induced subgraph of one, two or three road users with their types, flags and relations
(Shervashidze et al. 2009, Efficient graphlet kernels for large graph comparison). Graphs omit redundant relations, so
three road users are a chain around a middle one; triangles are told apart where they occur.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from terrarium.common.vectors import normalize_rows
from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.scene_graph import RELATIONS
from terrarium.scenes.graphs.weisfeiler_lehman import initial_labels, vocabulary
from terrarium.scenes.models.statistics import hand_statistics
from terrarium.sources.traffic.tables import ACTOR_TYPES

STATISTICS_WEIGHT = 0.1
"""Of the standardized statistics next to counts at length 1; chosen on validation scenes."""
_LABELS = 4 * len(ACTOR_TYPES)
_ARMS = len(RELATIONS) * _LABELS
_CLOSED = len(RELATIONS) + 1
_PREFIX = "graphlets."


@dataclass(frozen=True, eq=False)
class GraphletCounter:
    """What is counted, and how statistics are scaled.

    Attributes:
        codes: graphlets of the vocabulary, ascending, int64 (v,).
        mean, std: of the ten statistics over the training graphs, float64 (10,).
    """

    codes: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    def vectors(self, graphs: Graphs) -> np.ndarray:
        """Return the vectors of graphs, float32 (graphs, v + 10).

        The square roots of the counts have length 1; behind them are `STATISTICS_WEIGHT` times the standardized
        `hand_statistics`, with the logarithm of the number of road users. A graphlet that the vocabulary lacks counts
        nowhere.
        """
        codes, graph = graphlet_codes(graphs)
        place = np.searchsorted(self.codes, codes)
        is_known = place < len(self.codes)
        is_known[is_known] = self.codes[place[is_known]] == codes[is_known]
        shape = (len(graphs), len(self.codes))
        ones = np.ones(int(is_known.sum()))
        counts = sparse.coo_array((ones, (graph[is_known], place[is_known])), shape=shape).toarray()
        statistics = (_statistics(graphs) - self.mean) / self.std
        return np.hstack([normalize_rows(np.sqrt(counts), 1e-12), STATISTICS_WEIGHT * statistics]).astype(np.float32)

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays by the names they have among the weights."""
        return {f"{_PREFIX}codes": self.codes, f"{_PREFIX}mean": self.mean, f"{_PREFIX}std": self.std}


def fit_counter(graphs: Graphs, train: np.ndarray) -> GraphletCounter:
    """Fit the vocabulary (graphlets of at least two training graphs) and the scale of the statistics.

    Args:
        graphs: all graphs.
        train: rows of the training graphs.
    """
    statistics = _statistics(graphs)[train]
    return GraphletCounter(
        codes=vocabulary(*graphlet_codes(graphs), train),
        mean=statistics.mean(axis=0),
        std=np.maximum(statistics.std(axis=0), 1e-6),
    )


def counter_of(tensors: dict[str, np.ndarray]) -> GraphletCounter:
    """Return the counter among the tensors of weights; see `GraphletCounter.tensors`."""
    return GraphletCounter(*(np.asarray(tensors[f"{_PREFIX}{name}"]) for name in ("codes", "mean", "std")))


def encoder_tensors(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the tensors of weights without those of a counter."""
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(_PREFIX)}


def graphlet_codes(graphs: Graphs) -> tuple[np.ndarray, np.ndarray]:
    """Return the graphlets of all graphs: equal codes mean isomorphic ones.

    Returns:
        The code of each and its graph, int64 (m,) each. Pairs are counted from both ends, triangles from all three.
    """
    label = initial_labels(graphs)
    source, target = graphs.edge_index.astype(np.int64)
    order = np.lexsort((target, source))
    source, target, relation = source[order], target[order], graphs.relation[order].astype(np.int64)
    arm = relation * _LABELS + label[target]
    there, back = label[source] * _ARMS + arm, np.zeros(len(order), np.int64)
    reverse = np.lexsort((source, target))
    back[reverse] = there
    first, second = _edge_pairs(source)
    swap = arm[first] > arm[second]
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    closing = _relation_between(target[first], target[second], source, target, relation)
    is_symmetric = arm[first] == arm[second]
    other = _relation_between(target[second], target[first], source, target, relation)
    closing = np.where(is_symmetric, np.minimum(closing, other), closing)
    triples = ((label[source[first]] * _ARMS + arm[first]) * _ARMS + arm[second]) * _CLOSED + closing
    parts = (label, _LABELS + np.minimum(there, back), _LABELS + _LABELS * _ARMS + triples)
    node_graph = graphs.graph_of_nodes
    owners = (node_graph, node_graph[source], node_graph[source[first]])
    return np.concatenate(parts), np.concatenate(owners)


def _statistics(graphs: Graphs) -> np.ndarray:
    """Return the ten statistics, the number of road users as its logarithm, float64 (graphs, 10)."""
    table = hand_statistics(graphs)
    return table.assign(road_users=np.log(table["road_users"])).to_numpy(np.float64)


def _edge_pairs(source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs of edges with the same source; edges are sorted by it."""
    end = np.searchsorted(source, source, side="right")
    later = end - np.arange(len(source)) - 1
    first = np.repeat(np.arange(len(source)), later)
    start = np.cumsum(later) - later
    return first, first + 1 + np.arange(len(first)) - np.repeat(start, later)


def _relation_between(
    start: np.ndarray, end: np.ndarray, source: np.ndarray, target: np.ndarray, relation: np.ndarray
) -> np.ndarray:
    """Return 1 + the relation from each start to each end, 0 without one; edges are sorted by source and target."""
    size = int(max(source.max(initial=0), target.max(initial=0))) + 1
    edge, wanted = source * size + target, start * size + end
    place = np.minimum(np.searchsorted(edge, wanted), max(len(edge) - 1, 0))
    return np.where(edge[place] == wanted, relation[place] + 1, 0) if len(edge) else np.zeros(0, np.int64)
