"""Personalised PageRank of all rows of a weighted graph, by the push method of Andersen, Chung and Lang (2006).

A walk starts at a row, and at each step returns there with the probability `restart`; else it follows a link, with
probability proportional to its weight. Personalised PageRank is the share of its time at each row. PyTorch Geometric's
`get_ppr` does the same for graphs without weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from terrarium.common.kernels import njit


def walk_shares(graph: csr_array, sources: int, *, restart: float, tolerance: float) -> csr_array:
    """Return the personalised PageRank (S, N) of the first S rows of a graph (N, N).

    Args:
        graph: weights of the links, in both directions.
        sources: S, number of rows where walks start.
        restart: probability of a return at each step.
        tolerance: probability mass per link of a row that is left where it is. The missing mass of a row of the graph
            is at most `tolerance` times its number of links.

    Returns:
        Float32; each row sums to at most 1.
    """
    links = np.diff(graph.indptr)
    total = np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1e-12)
    probability = graph.data / np.repeat(total, links)
    start, column, share = _push(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        probability.astype(np.float64),
        np.maximum(links, 1) * tolerance,
        sources,
        restart,
    )
    return csr_array((share, column, start), shape=(sources, graph.shape[0]))


@njit(cache=True)
def _push(
    start: Any, column: Any, probability: Any, bound: Any, sources: int, restart: float
) -> Any:  # pragma: no cover - compiled
    """Spread the mass of each source until no row holds more than its bound."""
    rows = len(start) - 1
    share, mass = np.zeros(rows), np.zeros(rows)
    is_seen, is_queued = np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
    seen, queue = np.empty(rows, np.int32), np.empty(rows, np.int32)
    ends = np.zeros(sources + 1, np.int64)
    found, shares = np.empty(1 << 16, np.int32), np.empty(1 << 16, np.float32)
    for source in range(sources):
        mass[source], seen[0], queue[0] = 1.0, source, source
        is_seen[source], is_queued[source] = True, True
        num_seen, head, waiting = 1, 0, 1
        while waiting > 0:
            row = queue[head]
            head, waiting = (head + 1) % rows, waiting - 1
            is_queued[row] = False
            moved, mass[row] = mass[row], 0.0
            share[row] += restart * moved
            for link in range(start[row], start[row + 1]):
                target = column[link]
                mass[target] += (1 - restart) * moved * probability[link]
                if not is_seen[target]:
                    is_seen[target], seen[num_seen] = True, target
                    num_seen += 1
                if not is_queued[target] and mass[target] > bound[target]:
                    is_queued[target], queue[(head + waiting) % rows] = True, target
                    waiting += 1
        end = ends[source]
        while end + num_seen > len(found):
            found = np.concatenate((found, np.empty(len(found), np.int32)))
            shares = np.concatenate((shares, np.empty(len(shares), np.float32)))
        for k in range(num_seen):
            row = seen[k]
            if share[row] > 0:
                found[end], shares[end] = row, share[row]
                end += 1
            share[row], mass[row], is_seen[row] = 0.0, 0.0, False
        ends[source + 1] = end
    return ends, found[:end].copy(), shares[:end].copy()
