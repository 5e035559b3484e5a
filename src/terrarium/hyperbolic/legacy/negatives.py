"""Negatives as the older documents drew them, which may be relatives of the anchor.

The samplers look at the descendant p of a pair alone: they take rows of its depth, of all rows, or of its relatives
first. Some of what they draw lies below the anchor, so that the pair cannot be satisfied: false negatives. Streams of
random numbers as in `terrarium.hyperbolic.training.negatives`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from terrarium.hyperbolic.training.negatives import below, lower, mix, negatives_at_depth, stream

OUTSIDE, SAME_DEPTH, RANDOM, TIERED = range(4)
SAMPLERS: dict[str, int] = {
    "true_negatives": OUTSIDE,
    "same_depth": SAME_DEPTH,
    "random": RANDOM,
    "tiered": TIERED,
}
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_NEAREST_SHARE, _CLASS_SHARE = 0.5, 0.3


@njit(cache=True)
def negatives_for_ranking(
    sampler: int, tree: Any, anchor: int, descendant: int, seed: int, epoch: int, pair: int, out: Any
) -> int:  # pragma: no cover - compiled
    """Draw by the chosen sampler; returns how many. `OUTSIDE` are the true negatives of `negatives_at_depth`."""
    if sampler == SAME_DEPTH:
        return negatives_same_depth(tree, descendant, seed, epoch, pair, out)
    if sampler == RANDOM:
        return negatives_random(tree, seed, epoch, pair, out)
    if sampler == TIERED:
        return negatives_tiered(tree, descendant, seed, epoch, pair, out)
    return negatives_at_depth(tree, anchor, tree[2][descendant], seed, epoch, pair, out)


@njit(cache=True)
def negatives_same_depth(
    tree: Any, descendant: int, seed: int, epoch: int, pair: int, out: Any
) -> int:  # pragma: no cover - compiled
    """Other rows of the descendant's depth, without replacement; uniform rows of all where the level is small."""
    end, depth, level, level_start = tree[1], tree[2], tree[3], tree[4]
    state = stream(seed, epoch, pair)
    k = depth[descendant]
    count, state = _some_of(level, level_start[k], level_start[k + 1], descendant, state, out, 0, len(out))
    return _fill(len(end), state, out, count)


@njit(cache=True)
def negatives_random(tree: Any, seed: int, epoch: int, pair: int, out: Any) -> int:  # pragma: no cover - compiled
    """Uniform rows of all, with replacement."""
    return _fill(len(tree[1]), stream(seed, epoch, pair), out, 0)


@njit(cache=True)
def negatives_tiered(
    tree: Any, descendant: int, seed: int, epoch: int, pair: int, out: Any
) -> int:  # pragma: no cover - compiled
    """Rows of the descendant's depth in three tiers, each without replacement.

    Of n places floor(n / 2) go to rows with the same grandparent, floor(0.3 n) to rows with the same ancestor at depth
    1, the rest to rows of the level. What a tier lacks goes to the next, and in the end to uniform rows of all.
    """
    parent, end, depth, level, level_start = tree[0], tree[1], tree[2], tree[3], tree[4]
    state = stream(seed, epoch, pair)
    k = depth[descendant]
    start, stop = level_start[k], level_start[k + 1]
    count, nearest = 0, int(_NEAREST_SHARE * len(out))
    if k >= 2:
        above = parent[parent[descendant]]
        first = lower(level, start, stop, above)
        count, state = _some_of(
            level, first, lower(level, first, stop, end[above]), descendant, state, out, count, nearest
        )
    if k >= 1:
        top = descendant
        while depth[top] > 1:
            top = parent[top]
        first = lower(level, start, stop, top)
        wanted = nearest + int(_CLASS_SHARE * len(out)) - count
        count, state = _some_of(
            level, first, lower(level, first, stop, end[top]), descendant, state, out, count, wanted
        )
    count, state = _some_of(level, start, stop, descendant, state, out, count, len(out) - count)
    return _fill(len(end), state, out, count)


@njit(cache=True)
def _some_of(
    level: Any, start: int, stop: int, without: int, state: np.uint64, out: Any, count: int, wanted: int
) -> tuple[int, np.uint64]:  # pragma: no cover - compiled
    """Append `wanted` rows of level[start:stop] but one, or all there are, without replacement (Floyd 1987)."""
    hole = lower(level, start, stop, without)
    pool = stop - start
    if hole < stop and level[hole] == without:
        pool -= 1
    else:
        hole = stop
    first, wanted = count, min(wanted, pool)
    for last in range(pool - wanted, pool):
        state += _GOLDEN
        row = _at(level, start, hole, below(mix(state), last + 1))
        for i in range(first, count):
            if out[i] == row:
                row = _at(level, start, hole, last)
                break
        out[count] = row
        count += 1
    return count, state


@njit(cache=True, inline="always")
def _at(level: Any, start: int, hole: int, place: int) -> int:  # pragma: no cover - compiled
    """The row at a place of a slice of a level that leaves out the position `hole`."""
    return level[start + place + (1 if start + place >= hole else 0)]


@njit(cache=True)
def _fill(rows: int, state: np.uint64, out: Any, count: int) -> int:  # pragma: no cover - compiled
    """Uniform rows of all in the places that are left."""
    for i in range(count, len(out)):
        state += _GOLDEN
        out[i] = below(mix(state), rows)
    return len(out)
