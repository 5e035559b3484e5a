"""Negatives that are true negatives.

Rows are in preorder (`terrarium.hierarchy`), so the subtree of a row is an interval and the part of a depth level that
lies inside a subtree is a slice of that level. Uniform draws outside a subtree therefore need no rejection, except of
the few ancestors of a row. Where nodes have several parents, ancestors and descendants by further links are found in
sorted rows and rejected as well.

Random numbers come from splitmix64 (Steele, Lea and Flood 2014) seeded by (seed, epoch, pair), so that the draw of a
pair depends neither on the batch nor on the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from terrarium.hierarchy import Hierarchy

TRIES = 16
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, eq=False)
class TreeArrays:
    """What the sampler reads of a hierarchy, as contiguous arrays.

    Attributes:
        parent, end, depth: as in `Hierarchy`.
        level: (N,) rows sorted by depth, preorder within a depth.
        level_start: (max_depth + 2,) offsets of the depths in `level`.
        child: (N - 1,) rows grouped by first parent; child_start: (N + 1,) offsets of the parents in `child`.
        above: (P,) proper ancestors of each row, ascending within a row; above_start: (N + 1,) their offsets. Both
            empty for a tree.
    """

    parent: NDArray[np.int32]
    end: NDArray[np.int32]
    depth: NDArray[np.int32]
    level: NDArray[np.int32]
    level_start: NDArray[np.int64]
    child: NDArray[np.int32]
    child_start: NDArray[np.int64]
    above: NDArray[np.int32]
    above_start: NDArray[np.int64]

    @classmethod
    def of(cls, tree: Hierarchy) -> TreeArrays:
        """The arrays of a hierarchy."""
        level, level_start = tree.levels()
        child = np.argsort(tree.parent, kind="stable")[1:].astype(np.int32)
        count = np.bincount(tree.parent[1:], minlength=len(tree))
        several = not tree.is_tree
        return cls(
            parent=tree.parent,
            end=tree.end,
            depth=tree.depth.astype(np.int32),
            level=level,
            level_start=level_start,
            child=child,
            child_start=np.concatenate([[0], np.cumsum(count)]),
            above=tree.ancestor_rows.rows if several else np.zeros(0, np.int32),
            above_start=tree.ancestor_rows.start if several else np.zeros(0, np.int64),
        )

    def as_tuple(self) -> tuple[Any, ...]:
        """The arrays in the order that the compiled functions take them."""
        tree = self.parent, self.end, self.depth, self.level, self.level_start, self.child, self.child_start
        return (*tree, self.above, self.above_start)


@njit(cache=True)
def related(tree: Any, a: int, b: int) -> bool:  # pragma: no cover - compiled
    """Whether two rows are the same or one is an ancestor of the other."""
    end = tree[1]
    if a <= b < end[a] or b <= a < end[b]:
        return True
    if not len(tree[8]):
        return False
    return _is_above(tree, a, b) or _is_above(tree, b, a)


@njit(cache=True, inline="always")
def _is_above(tree: Any, a: int, b: int) -> bool:  # pragma: no cover - compiled
    """Whether a is in the sorted ancestors of b."""
    above, above_start = tree[7], tree[8]
    at = lower(above, above_start[b], above_start[b + 1], a)
    return at < above_start[b + 1] and above[at] == a


@njit(cache=True, inline="always")
def mix(state: np.uint64) -> np.uint64:  # pragma: no cover - compiled
    """The output function of splitmix64."""
    z = (state ^ (state >> np.uint64(30))) * _MIX_A
    z = (z ^ (z >> np.uint64(27))) * _MIX_B
    return z ^ (z >> np.uint64(31))


@njit(cache=True)
def stream(seed: int, epoch: int, pair: int) -> np.uint64:  # pragma: no cover - compiled
    """The start of the random stream of one pair."""
    state = mix(np.uint64(seed) + _GOLDEN)
    state = mix(state ^ (np.uint64(epoch) * _MIX_A + _GOLDEN))
    return mix(state ^ (np.uint64(pair) * _MIX_B + _GOLDEN))


@njit(cache=True, inline="always")
def below(random: np.uint64, bound: int) -> int:  # pragma: no cover - compiled
    """A draw from 0 .. bound - 1 of 64 random bits (bias below bound / 2^53)."""
    return int(np.float64(random >> np.uint64(11)) * (1.0 / 9007199254740992.0) * bound)


@njit(cache=True)
def lower(level: Any, start: int, stop: int, row: int) -> int:  # pragma: no cover - compiled
    """First position in level[start:stop] whose row is at least `row`."""
    while start < stop:
        middle = (start + stop) >> 1
        if level[middle] < row:
            start = middle + 1
        else:
            stop = middle
    return start


@njit(cache=True)
def negatives_at_depth(
    tree: Any, anchor: int, depth: int, seed: int, epoch: int, pair: int, out: Any
) -> int:  # pragma: no cover - compiled
    """Draw rows of one depth outside the subtree of `anchor`, uniform with replacement; returns how many.

    Where the subtree covers that depth, rows of any depth outside the subtree that are no ancestors of the anchor
    serve instead. The root has no negatives: 0 is returned.
    """
    end, level, level_start = tree[1], tree[3], tree[4]
    start, stop = level_start[depth], level_start[depth + 1]
    inside_start = lower(level, start, stop, anchor)
    inside = lower(level, inside_start, stop, end[anchor]) - inside_start
    pool = stop - start - inside
    if pool <= 0:
        return negatives_outside(tree, anchor, seed, epoch, pair, out)
    state = stream(seed, epoch, pair)
    several = len(tree[8]) > 0
    count = 0
    for _ in range(len(out)):
        for _ in range(TRIES):
            state += _GOLDEN
            at = start + below(mix(state), pool)
            if at >= inside_start:
                at += inside
            if several and related(tree, anchor, level[at]):
                continue
            out[count] = level[at]
            count += 1
            break
    return count


@njit(cache=True)
def negatives_outside(tree: Any, anchor: int, seed: int, epoch: int, pair: int, out: Any) -> int:  # pragma: no cover
    """Draw rows outside the subtree of `anchor` that are no ancestors of it, uniform; returns how many.

    An ancestor that is drawn is drawn again, `TRIES` times at most, then the place stays empty.
    """
    end, depths = tree[1], tree[2]
    inside = end[anchor] - anchor
    pool = len(end) - inside
    if pool <= depths[anchor]:
        return 0
    state = stream(seed, epoch, pair)
    several = len(tree[8]) > 0
    count = 0
    for _ in range(len(out)):
        for _ in range(TRIES):
            state += _GOLDEN
            row = below(mix(state), pool)
            if row >= anchor:
                row += inside
            elif end[row] > anchor:
                continue
            if several and related(tree, anchor, row):
                continue
            out[count] = row
            count += 1
            break
    return count


@njit(cache=True)
def negatives_not_above(tree: Any, anchor: int, seed: int, epoch: int, pair: int, out: Any) -> int:  # pragma: no cover
    """Draw rows that are neither the anchor nor an ancestor of it, uniform; returns how many.

    Descendants are among them, as in Nickel and Kiela (2017), whose evaluation counts them as negatives.
    """
    end = tree[1]
    several = len(tree[8]) > 0
    state = stream(seed, epoch, pair)
    count = 0
    for _ in range(len(out)):
        for _ in range(TRIES):
            state += _GOLDEN
            row = below(mix(state), len(end))
            if row == anchor or (_is_above(tree, row, anchor) if several else row < anchor < end[row]):
                continue
            out[count] = row
            count += 1
            break
    return count


@njit(cache=True)
def negatives_near(
    tree: Any, anchor: int, near: int, reach: int, seed: int, epoch: int, pair: int, out: Any
) -> int:  # pragma: no cover - compiled
    """Draw the first `near` places from the children of the nearest `reach` ancestors, the rest as `negatives_outside`.

    A draw that is the anchor, or an ancestor or descendant of it, is drawn again, `TRIES` times at most.
    """
    parent, depths, child, child_start = tree[0], tree[2], tree[5], tree[6]
    state = stream(seed ^ 0x5DEECE66D, epoch, pair)
    count = 0
    if depths[anchor] > 0:
        for _ in range(near):
            for _ in range(TRIES):
                state += _GOLDEN
                up = below(mix(state), min(reach, depths[anchor]))
                row = parent[anchor]
                for _ in range(up):
                    row = parent[row]
                state += _GOLDEN
                first = child_start[row]
                row = child[first + below(mix(state), child_start[row + 1] - first)]
                if related(tree, anchor, row):
                    continue
                out[count] = row
                count += 1
                break
    return count + negatives_outside(tree, anchor, seed, epoch, pair, out[count:])
