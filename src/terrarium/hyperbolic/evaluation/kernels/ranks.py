"""Compiled counting of ranks: how many other rows are closer to a query than each of its relatives.

Distance and detour are compared through surrogates that increase with them and need no transcendental function. With
E = exp(r), B = exp(r) sinh(r) = expm1(2 r) / 2 and c = |direction_u - direction_v|^2, a query u and a candidate v have

    cosh d - 1        = ((E_v - E_u)^2 / (2 E_u) + B_u / (2 E_u) B_v c) / E_v
    exp(detour) - 1   = t + sqrt(a^2 + w) - a,
    with a = (B_u - B_v) / E_u^2,  t = B_u / (2 E_u^2) B_v c,  w = t (2 - 2 a + t).

Both keep their relative accuracy near zero and at radii far beyond 34; where a > 0 the last difference is written as
w / (sqrt(a^2 + w) + a). No fast-math: a relative and a candidate at the same point give the same bits, so ties are
ties.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrarium.common.arrays import Float64Array, Int32Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.geometry.ball import Layout

BLOCK = 256
"""Candidates scored at a time; their directions stay in the cache for a whole group of queries."""
MAX_RADIUS = 150.0
"""Beyond it the squares of exp(r) leave float64."""
DISTANCE, DETOUR, EDGE = 0, 1, 2
"""The three rankings: ancestors by distance, ancestors by detour, tree neighbours by distance."""
NUM_RANKINGS = 3


class PointTable(NamedTuple):
    """A layout as the kernels read it.

    Attributes:
        columns: (d, N) directions, one row per dimension.
        exp: (N,) exp(r).
        exp_minus: (N,) exp(-r).
        bulk: (N,) exp(r) sinh(r).
    """

    columns: Float64Array
    exp: Float64Array
    exp_minus: Float64Array
    bulk: Float64Array


class Scores(NamedTuple):
    """Scores of a block of candidates, one array each: squared chord, surrogate of distance, surrogate of detour."""

    chord: Float64Array
    distance: Float64Array
    detour: Float64Array


class Relatives(NamedTuple):
    """The tree as `count_ranks` reads it.

    Attributes:
        parent: (N,) first parents.
        neighbours: rows linked with each row, grouped by row.
        neighbour_start: (N + 1,) offsets into `neighbours`.
        ancestors: ancestors of each row, grouped by row; empty for a tree, where `parent` gives them.
        ancestor_start: (N + 1,) offsets into `ancestors`; empty for a tree.
    """

    parent: Int32Array
    neighbours: Int32Array
    neighbour_start: Int64Array
    ancestors: Int32Array
    ancestor_start: Int64Array


class Groups(NamedTuple):
    """Rows grouped by another row: those of u are members[start[u]:start[u + 1]]."""

    members: Int64Array
    start: Int64Array


def point_table(layout: Layout, size: int) -> PointTable:
    """Return a layout as the kernels read it.

    Args:
        layout: the points.
        size: number of points that the layout must have.

    Raises:
        ValueError: the layout has another size, is not finite, or has a radius outside 0 to 150.
    """
    radius, direction = np.asarray(layout.radius, np.float64), np.asarray(layout.direction, np.float64)
    if len(radius) != size or len(direction) != size:
        raise ValueError(f"layout of {len(radius)} points for {size} taxa: evaluate a layout on its own hierarchy")
    if not (np.isfinite(radius).all() and np.isfinite(direction).all()):
        bad = ~(np.isfinite(radius) & np.isfinite(direction).all(axis=1))
        raise ValueError(f"row {int(np.argmax(bad))} is not finite ({int(bad.sum())} such): the layout is broken")
    if radius.min() < 0.0 or radius.max() > MAX_RADIUS:
        raise ValueError(
            f"radii from {radius.min():.6g} to {radius.max():.6g}: evaluation takes 0 to {MAX_RADIUS:g}, "
            "lower model.max_radius"
        )
    return PointTable(np.ascontiguousarray(direction.T), np.exp(radius), np.exp(-radius), 0.5 * np.expm1(2.0 * radius))


@njit(cache=True, nogil=True, error_model="numpy")
def new_scores(size: int) -> Scores:  # pragma: no cover - compiled
    """Return scratch arrays for the scores of `size` candidates."""
    return Scores(np.empty(size), np.empty(size), np.empty(size))


@njit(cache=True, nogil=True, error_model="numpy")
def score_block(
    u: int, start: int, stop: int, points: PointTable, scores: Scores
) -> None:  # pragma: no cover - compiled
    """Score the candidates start .. stop - 1 for the query `u`.

    Args:
        u: row of the query.
        start: first row of the candidates.
        stop: row after the last candidate.
        points: a `PointTable`.
        scores: `Scores` of at least stop - start candidates, written.
    """
    n = stop - start
    chord, by_distance, by_detour = scores.chord, scores.distance, scores.detour
    chord[:n] = 0.0
    for k in range(points.columns.shape[0]):
        own = points.columns[k, u]
        column = points.columns[k, start:stop]
        for i in range(n):
            difference = column[i] - own
            chord[i] += difference * difference
    eu, bu = points.exp[u], points.bulk[u]
    radial, angular = 0.5 / eu, 0.5 * bu / eu
    shrink = 1.0 / (eu * eu)
    tilt = 0.5 * bu * shrink
    ev, iv, bv = points.exp[start:stop], points.exp_minus[start:stop], points.bulk[start:stop]
    for i in range(n):
        spread = bv[i] * chord[i]
        apart = ev[i] - eu
        by_distance[i] = (apart * apart * radial + angular * spread) * iv[i]
        a = (bu - bv[i]) * shrink
        t = tilt * spread
        w = t * (2.0 - 2.0 * a + t)
        root = np.sqrt(a * a + w)
        by_detour[i] = t + (w / (root + a) if a > 0.0 else root - a)


@njit(cache=True, nogil=True, error_model="numpy")
def count_ranks(
    relatives: Relatives,
    points: PointTable,
    queries: NDArray[np.integer],
    rank_sum: Float64Array,
    precision: Float64Array,
) -> None:  # pragma: no cover - compiled
    """Rank the relatives of a few queries among all rows that are not, in one pass over the table.

    Memory is O(BLOCK + relatives of the queries).

    Args:
        relatives: the tree's `Relatives`.
        points: a `PointTable`.
        queries: (Q,) rows.
        rank_sum: (Q, 3) written: sum of the ranks for DISTANCE, DETOUR and EDGE; 0 where a query has no relatives.
        precision: (Q, 3) written: average precision, likewise.
    """
    rows, start = _rows_to_rank(relatives, queries)
    scores = new_scores(BLOCK)
    keys = np.empty(len(rows))
    for q in range(len(queries)):
        for ranking in range(NUM_RANKINGS):
            first, stop = start[q, ranking], start[q, ranking + 1]
            for i in range(first, stop):
                score_block(queries[q], rows[i], rows[i] + 1, points, scores)
                keys[i] = scores.detour[0] if ranking == DETOUR else scores.distance[0]
            keys[first:stop].sort()
    below = np.zeros(len(rows), np.int64)
    at_most = np.zeros(len(rows), np.int64)
    size = points.columns.shape[1]
    for block in range(0, size, BLOCK):
        n = min(BLOCK, size - block)
        for q in range(len(queries)):
            score_block(queries[q], block, block + n, points, scores)
            for ranking in range(NUM_RANKINGS):
                part = slice(start[q, ranking], start[q, ranking + 1])
                by_score = scores.detour if ranking == DETOUR else scores.distance
                _count_scores(by_score, n, keys[part], below[part], at_most[part])
    for q in range(len(queries)):
        for ranking in range(NUM_RANKINGS):
            part = slice(start[q, ranking], start[q, ranking + 1])
            rank_sum[q, ranking], precision[q, ranking] = _summarize(keys[part], below[part], at_most[part])


@njit(cache=True, nogil=True, error_model="numpy")
def _rows_to_rank(
    relatives: Relatives, queries: NDArray[np.integer]
) -> tuple[Int64Array, Int64Array]:  # pragma: no cover - compiled
    """Return the relatives of each query for each ranking: rows, and (Q, 4) offsets, of which the last is the end."""
    parent, is_tree = relatives.parent, len(relatives.ancestor_start) == 0
    start = np.zeros((len(queries), NUM_RANKINGS + 1), np.int64)
    end = 0
    for q in range(len(queries)):
        u = queries[q]
        if is_tree:
            num_ancestors, row = 0, parent[u]
            while row >= 0:
                num_ancestors += 1
                row = parent[row]
        else:
            num_ancestors = relatives.ancestor_start[u + 1] - relatives.ancestor_start[u]
        start[q, DISTANCE] = end
        start[q, DETOUR] = end + num_ancestors
        start[q, EDGE] = end + 2 * num_ancestors
        end = start[q, EDGE] + relatives.neighbour_start[u + 1] - relatives.neighbour_start[u]
        start[q, NUM_RANKINGS] = end
    rows = np.empty(end, np.int64)
    for q in range(len(queries)):
        u, row = queries[q], queries[q]
        for i in range(start[q, DETOUR] - start[q, DISTANCE]):
            row = parent[row] if is_tree else relatives.ancestors[relatives.ancestor_start[u] + i]
            rows[start[q, DISTANCE] + i] = row
            rows[start[q, DETOUR] + i] = row
        for i in range(start[q, NUM_RANKINGS] - start[q, EDGE]):
            rows[start[q, EDGE] + i] = relatives.neighbours[relatives.neighbour_start[u] + i]
    return rows, start


@njit(cache=True, nogil=True, error_model="numpy")
def _count_scores(
    scores: Float64Array, n: int, keys: Float64Array, below: Int64Array, at_most: Int64Array
) -> None:  # pragma: no cover - compiled
    """Add to each key the number of the first `n` scores that are below it, and that are not above it.

    The keys are ascending: once no score is below or equal to a key, none is for the smaller keys.
    """
    for j in range(len(keys) - 1, -1, -1):
        key = keys[j]
        num_below, num_at_most = 0, 0
        for i in range(n):
            num_below += scores[i] < key
            num_at_most += scores[i] <= key
        if num_at_most == 0:
            return
        below[j] += num_below
        at_most[j] += num_at_most


@njit(cache=True, nogil=True, error_model="numpy")
def _summarize(
    keys: Float64Array, below: Int64Array, at_most: Int64Array
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Return the sum of the ranks and the average precision of ascending keys.

    The counts are over all rows. The query itself, whose score is 0, and the relatives are taken out of them. The rest
    are ahead of a relative; ties count half.
    """
    rank_sum, precision = 0.0, 0.0
    first, count = 0, len(keys)
    while first < count:
        stop = first + 1
        while stop < count and keys[stop] == keys[first]:
            stop += 1
        query_below = 1 if keys[first] > 0.0 else 0
        others_below = below[first] - query_below - first
        others_at_most = at_most[first] - 1 - stop
        ahead = 0.5 * (others_below + others_at_most)
        for j in range(first, stop):
            rank_sum += 1.0 + ahead
            precision += (j + 1.0) / (j + 1.0 + ahead)
        first = stop
    return rank_sum, precision / max(count, 1)


@njit(cache=True, nogil=True, error_model="numpy")
def count_closure_ranks(
    relatives: Groups, points: PointTable, queries: NDArray[np.integer], rank_sum: Float64Array, precision: Float64Array
) -> None:  # pragma: no cover - compiled
    """Rank many relatives of each query by distance among all other rows, in O(N log relatives) per query.

    Args:
        relatives: `Groups`: the relatives of every row.
        points: a `PointTable`.
        queries: (Q,) rows.
        rank_sum: (Q,) written, as in `count_ranks`.
        precision: (Q,) written, as in `count_ranks`.
    """
    size = points.columns.shape[1]
    scores = new_scores(size)
    by_distance = scores.distance
    is_excluded = np.zeros(size, np.bool_)
    for q in range(len(queries)):
        u = queries[q]
        own = relatives.members[relatives.start[u] : relatives.start[u + 1]]
        score_block(u, 0, size, points, scores)
        keys = np.sort(by_distance[own])
        is_excluded[own] = True
        is_excluded[u] = True
        # a candidate is ahead of all keys above its score: half at the first tied key, half after the last one
        steps = np.zeros(len(keys) + 1, np.int64)
        for v in range(size):
            if len(keys) and by_distance[v] <= keys[-1] and not is_excluded[v]:
                steps[np.searchsorted(keys, by_distance[v], side="left")] += 1
                steps[np.searchsorted(keys, by_distance[v], side="right")] += 1
        is_excluded[own] = False
        is_excluded[u] = False
        ahead = 0.0
        for j in range(len(keys)):
            ahead += 0.5 * steps[j]
            rank_sum[q] += 1.0 + ahead
            precision[q] += (j + 1.0) / (j + 1.0 + ahead) / len(keys)
