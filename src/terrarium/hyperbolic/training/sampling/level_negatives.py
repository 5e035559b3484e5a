"""Negatives of the descendant's depth, as the reference recipes draw them.

They look at the descendant of a pair only. Some of what they draw is below the ancestor, so that the pair's hinge
cannot be satisfied: false negatives. Each function fills `out` and returns its length.
"""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import Int32Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.training.sampling.random_stream import GOLDEN, Stream, integer_below, mix, start_state
from terrarium.hyperbolic.training.sampling.tree_arrays import TreeArrays, first_at_least

_COUSIN_FRACTION, _CLASS_FRACTION = 0.5, 0.3


@njit(cache=True)
def sample_same_depth(
    tree: TreeArrays, descendant: int, stream: Stream, key: int, out: Int64Array
) -> int:  # pragma: no cover - compiled
    """Draw other rows of the descendant's depth without replacement; uniform rows where the level is too small.

    Args:
        tree: the hierarchy.
        descendant: row whose level is drawn from.
        stream: seed and epoch.
        key: number of the pair or taxon; each has random numbers of its own.
        out: filled with the rows.
    """
    state = start_state(stream.seed, stream.epoch, key)
    k = tree.depth[descendant]
    count, state = _append_distinct(
        tree.level, tree.level_start[k], tree.level_start[k + 1], descendant, state, out, 0, len(out)
    )
    return int(_fill_uniform(len(tree.end), state, out, count))


@njit(cache=True)
def sample_uniform(tree: TreeArrays, stream: Stream, key: int, out: Int64Array) -> int:  # pragma: no cover - compiled
    """Draw any rows, uniformly with replacement.

    Args:
        tree: the hierarchy.
        stream: seed and epoch.
        key: number of the pair or taxon; each has random numbers of its own.
        out: filled with the rows.
    """
    return int(_fill_uniform(len(tree.end), start_state(stream.seed, stream.epoch, key), out, 0))


@njit(cache=True)
def sample_tiered(
    tree: TreeArrays, descendant: int, stream: Stream, key: int, out: Int64Array
) -> int:  # pragma: no cover - compiled
    """Draw rows of the descendant's depth in three tiers, each without replacement.

    Of n places floor(n / 2) go to rows with the same grandparent, floor(0.3 n) to rows with the same ancestor at depth
    1, the rest to rows of the level. What a tier lacks goes to the next one, and in the end to uniform rows.

    Args:
        tree: the hierarchy.
        descendant: row whose level is drawn from.
        stream: seed and epoch.
        key: number of the pair or taxon; each has random numbers of its own.
        out: filled with the rows.
    """
    state = start_state(stream.seed, stream.epoch, key)
    level, k = tree.level, tree.depth[descendant]
    start, stop = tree.level_start[k], tree.level_start[k + 1]
    count, cousins = 0, int(_COUSIN_FRACTION * len(out))
    if k >= 2:
        grandparent = tree.parent[tree.parent[descendant]]
        first = first_at_least(level, start, stop, grandparent)
        last = first_at_least(level, first, stop, tree.end[grandparent])
        count, state = _append_distinct(level, first, last, descendant, state, out, count, cousins)
    if k >= 1:
        top = descendant
        while tree.depth[top] > 1:
            top = tree.parent[top]
        first = first_at_least(level, start, stop, top)
        last = first_at_least(level, first, stop, tree.end[top])
        wanted = cousins + int(_CLASS_FRACTION * len(out)) - count
        count, state = _append_distinct(level, first, last, descendant, state, out, count, wanted)
    count, state = _append_distinct(level, start, stop, descendant, state, out, count, len(out) - count)
    return int(_fill_uniform(len(tree.end), state, out, count))


@njit(cache=True)
def _append_distinct(
    level: Int32Array, start: int, stop: int, without: int, state: np.uint64, out: Int64Array, count: int, wanted: int
) -> tuple[int, np.uint64]:  # pragma: no cover - compiled
    """Append `wanted` rows of level[start:stop] except one, or all there are, without replacement (Floyd 1987)."""
    hole = first_at_least(level, start, stop, without)
    pool = stop - start
    if hole < stop and level[hole] == without:
        pool -= 1
    else:
        hole = stop
    first, wanted = count, min(wanted, pool)
    for last in range(pool - wanted, pool):
        state += GOLDEN
        row = _row_at(level, start, hole, integer_below(mix(state), last + 1))
        for i in range(first, count):
            if out[i] == row:
                row = _row_at(level, start, hole, last)
                break
        out[count] = row
        count += 1
    return count, state


@njit(cache=True, inline="always")
def _row_at(level: Int32Array, start: int, hole: int, place: int) -> int:  # pragma: no cover - compiled
    """Return the row at a place of a slice of a level that leaves out the position `hole`."""
    return level[start + place + (1 if start + place >= hole else 0)]


@njit(cache=True)
def _fill_uniform(rows: int, state: np.uint64, out: Int64Array, count: int) -> int:  # pragma: no cover - compiled
    """Draw uniform rows of all into the places that are left."""
    for i in range(count, len(out)):
        state += GOLDEN
        out[i] = integer_below(mix(state), rows)
    return len(out)
