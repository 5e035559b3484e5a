"""Compiled counting of ranks: how many other rows lie nearer to a query than each of its relatives.

Both scores are compared through surrogates that grow with them and need no transcendental function. With E = exp(r),
B = exp(r) sinh(r) = expm1(2 r) / 2 and c = |direction_u - direction_v|^2, a query u and a candidate v have

    cosh d - 1       = ((E_v - E_u)^2 / (2 E_u) + B_u / (2 E_u) B_v c) / E_v
    exp(slack) - 1   = t + sqrt(a^2 + w) - a,
    with a = (B_u - B_v) / E_u^2,  t = B_u / (2 E_u^2) B_v c,  w = t (2 - 2 a + t).

Both keep their relative accuracy near zero and at radii far beyond 34; where a > 0 the last difference is written as
w / (sqrt(a^2 + w) + a). No fast-math: a relative and a candidate at the same place give the same bits, so ties are
ties.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

BLOCK = 256
"""Candidates scored at a time; their directions stay in the cache for a whole group of queries."""
DISTANCE, SLACK, EDGE = 0, 1, 2
"""Ancestors by distance, ancestors by slack, tree neighbours by distance."""


@njit(cache=True, nogil=True, error_model="numpy")
def score_block(u: int, start: int, stop: int, points: Any, scores: Any) -> None:  # pragma: no cover - compiled
    """Surrogates of distance and slack of query `u` to the rows start .. stop - 1.

    Args:
        u: row of the query.
        start, stop: rows of the candidates.
        points: columns (d, N) of the directions, exp(r) (N,), exp(-r) (N,), B (N,).
        scores: three arrays (at least stop - start,), written: c, the surrogate of distance, the surrogate of slack.
    """
    columns, exponential, inverse, bulk = points
    chord, by_distance, by_slack = scores
    n = stop - start
    chord[:n] = 0.0
    for k in range(columns.shape[0]):
        own = columns[k, u]
        column = columns[k, start:stop]
        for i in range(n):
            difference = column[i] - own
            chord[i] += difference * difference
    eu, bu = exponential[u], bulk[u]
    radial, angular = 0.5 / eu, 0.5 * bu / eu
    shrink = 1.0 / (eu * eu)
    tilt = 0.5 * bu * shrink
    ev, iv, bv = exponential[start:stop], inverse[start:stop], bulk[start:stop]
    for i in range(n):
        spread = bv[i] * chord[i]
        apart = ev[i] - eu
        by_distance[i] = (apart * apart * radial + angular * spread) * iv[i]
        a = (bu - bv[i]) * shrink
        t = tilt * spread
        w = t * (2.0 - 2.0 * a + t)
        root = np.sqrt(a * a + w)
        by_slack[i] = t + (w / (root + a) if a > 0.0 else root - a)


@njit(cache=True, nogil=True, error_model="numpy")
def _tally(scores: Any, n: int, keys: Any, twice: Any) -> None:  # pragma: no cover - compiled
    """Add to each key twice the number of scores below it, and once that of scores equal to it.

    The keys are sorted, so the first one from the top that nothing undercuts ends the block.
    """
    for j in range(len(keys) - 1, -1, -1):
        key, total = keys[j], 0
        for i in range(n):
            total += (scores[i] < key) + (scores[i] <= key)
        if total == 0:
            return
        twice[j] += total


@njit(cache=True, nogil=True, error_model="numpy")
def _summarise(keys: Any, twice: Any) -> tuple[float, float]:  # pragma: no cover - compiled
    """Sum of the ranks and average precision, after taking the query and its relatives out of the counts."""
    ranks, precision = 0.0, 0.0
    first, count = 0, len(keys)
    while first < count:
        stop = first + 1
        while stop < count and keys[stop] == keys[first]:
            stop += 1
        own = 1 if keys[first] == 0.0 else 2
        ahead = 0.5 * (twice[first] - own - first - stop)
        for j in range(first, stop):
            ranks += 1.0 + ahead
            precision += (j + 1.0) / (j + 1.0 + ahead)
        first = stop
    return ranks, precision / max(count, 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _relatives(tree: Any, queries: Any) -> tuple[Any, Any]:  # pragma: no cover - compiled
    """The rows to be ranked: (rows, (3 Q + 1,) offsets), for each query ancestors, ancestors, neighbours by link."""
    parent, near, near_start, above, above_start = tree
    several = len(above_start) > 0
    offset = np.zeros(3 * len(queries) + 1, np.int64)
    for q in range(len(queries)):
        u, count = queries[q], 0
        up = -1 if several else parent[u]
        while up >= 0:
            count += 1
            up = parent[up]
        if several:
            count = above_start[u + 1] - above_start[u]
        offset[3 * q + 1] = offset[3 * q] + count
        offset[3 * q + 2] = offset[3 * q] + 2 * count
        offset[3 * q + 3] = offset[3 * q] + 2 * count + near_start[u + 1] - near_start[u]
    rows = np.empty(offset[-1], np.int64)
    for q in range(len(queries)):
        u, at, count = queries[q], offset[3 * q], offset[3 * q + 1] - offset[3 * q]
        up = u
        for i in range(count):
            up = above[above_start[u] + i] if several else parent[up]
            rows[at + i] = up
            rows[at + count + i] = up
        at += 2 * count
        for i in range(near_start[u], near_start[u + 1]):
            rows[at] = near[i]
            at += 1
    return rows, offset


@njit(cache=True, nogil=True, error_model="numpy")
def count_ranks(tree: Any, points: Any, queries: Any, ranks: Any, precision: Any) -> None:  # pragma: no cover
    """Rank the relatives of a few queries among all rows that are not, in one pass over the table.

    Memory is O(BLOCK + relatives of the queries).

    Args:
        tree: parent (N,); neighbours by link, grouped by row, and their offsets (N + 1,); ancestors grouped by row and
            their offsets (N + 1,), both empty for a tree.
        points: as in `score_block`.
        queries: (Q,) rows.
        ranks, precision: (Q, 3) written: sum of the ranks and average precision, in the order DISTANCE, SLACK, EDGE;
            0 where a query has no relatives.
    """
    rows, offset = _relatives(tree, queries)
    scores = (np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK))
    _, by_distance, by_slack = scores
    keys = np.empty(len(rows))
    for m in range(3 * len(queries)):
        u = queries[m // 3]
        for i in range(offset[m], offset[m + 1]):
            score_block(u, rows[i], rows[i] + 1, points, scores)
            keys[i] = by_slack[0] if m % 3 == SLACK else by_distance[0]
        keys[offset[m] : offset[m + 1]].sort()
    twice = np.zeros(len(rows), np.int64)
    size = points[0].shape[1]
    for start in range(0, size, BLOCK):
        n = min(BLOCK, size - start)
        for m in range(3 * len(queries)):
            if m % 3 == 0:
                score_block(queries[m // 3], start, start + n, points, scores)
            part = slice(offset[m], offset[m + 1])
            _tally(by_slack if m % 3 == SLACK else by_distance, n, keys[part], twice[part])
    for m in range(3 * len(queries)):
        part = slice(offset[m], offset[m + 1])
        ranks[m // 3, m % 3], precision[m // 3, m % 3] = _summarise(keys[part], twice[part])


@njit(cache=True, nogil=True, error_model="numpy")
def count_closure_ranks(
    relatives: Any, points: Any, queries: Any, ranks: Any, precision: Any
) -> None:  # pragma: no cover - compiled
    """Rank many relatives of each query by distance among all rows that are none; O(N log relatives) a query.

    Args:
        relatives: rows grouped by query's row, and their offsets (N + 1,).
        points: as in `score_block`.
        queries: (Q,) rows.
        ranks, precision: (Q,) written, as in `count_ranks`.
    """
    rows, first = relatives
    size = points[0].shape[1]
    scores = (np.empty(size), np.empty(size), np.empty(size))
    by_distance = scores[1]
    left_out = np.zeros(size, np.bool_)
    for q in range(len(queries)):
        u = queries[q]
        own = rows[first[u] : first[u + 1]]
        score_block(u, 0, size, points, scores)
        keys = np.sort(by_distance[own])
        left_out[own] = True
        left_out[u] = True
        step = np.zeros(len(keys) + 1, np.int64)
        for v in range(size):
            if len(keys) and by_distance[v] <= keys[-1] and not left_out[v]:
                step[np.searchsorted(keys, by_distance[v], side="left")] += 1
                step[np.searchsorted(keys, by_distance[v], side="right")] += 1
        left_out[own] = False
        left_out[u] = False
        ahead = 0.0
        for j in range(len(keys)):
            ahead += 0.5 * step[j]
            ranks[q] += 1.0 + ahead
            precision[q] += (j + 1.0) / (j + 1.0 + ahead) / len(keys)
