"""A hierarchy as the compiled functions take it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Int32Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hierarchy import Hierarchy


class TreeArrays(NamedTuple):
    """The arrays of a hierarchy of N nodes that samplers read. Rows are in preorder: a subtree is an interval.

    Attributes:
        parent: (N,) row of the first parent, -1 at the root.
        end: (N,) row after the last one of the subtree by first parents.
        depth: (N,) depths.
        level: (N,) rows sorted by depth, in preorder within a depth.
        level_start: (max_depth + 2,) offsets of the depths in `level`.
        child: (N - 1,) rows grouped by first parent.
        child_start: (N + 1,) offsets of the parents in `child`.
        ancestor: proper ancestors of each row, ascending within a row; empty for a tree, where `end` tells them.
        ancestor_start: (N + 1,) offsets of the rows in `ancestor`; empty for a tree.
    """

    parent: Int32Array
    end: Int32Array
    depth: Int32Array
    level: Int32Array
    level_start: Int64Array
    child: Int32Array
    child_start: Int64Array
    ancestor: Int32Array
    ancestor_start: Int64Array


def tree_arrays(tree: Hierarchy) -> TreeArrays:
    """Return the arrays of a hierarchy."""
    level, level_start = tree.levels()
    num_children = np.bincount(tree.parent[1:], minlength=len(tree))
    has_ancestors = not tree.is_tree
    return TreeArrays(
        parent=tree.parent,
        end=tree.end,
        depth=tree.depth.astype(np.int32),
        level=level,
        level_start=level_start,
        child=np.argsort(tree.parent, kind="stable")[1:].astype(np.int32),
        child_start=np.concatenate([[0], np.cumsum(num_children)]),
        ancestor=tree.ancestor_rows.rows if has_ancestors else np.zeros(0, np.int32),
        ancestor_start=tree.ancestor_rows.start if has_ancestors else np.zeros(0, np.int64),
    )


@njit(cache=True)
def is_related(tree: TreeArrays, a: int, b: int) -> bool:  # pragma: no cover - compiled
    """Return whether two rows are the same or one is an ancestor of the other."""
    if a <= b < tree.end[a] or b <= a < tree.end[b]:
        return True
    if not len(tree.ancestor):
        return False
    return is_listed_ancestor(tree, a, b) or is_listed_ancestor(tree, b, a)


@njit(cache=True, inline="always")
def is_listed_ancestor(tree: TreeArrays, a: int, b: int) -> bool:  # pragma: no cover - compiled
    """Return whether a is among the listed ancestors of b, which only nodes with several parents need."""
    at = first_at_least(tree.ancestor, tree.ancestor_start[b], tree.ancestor_start[b + 1], a)
    return bool(at < tree.ancestor_start[b + 1] and tree.ancestor[at] == a)


@njit(cache=True)
def first_at_least(rows: Int32Array, start: int, stop: int, row: int) -> int:  # pragma: no cover - compiled
    """Return the first position in rows[start:stop], which ascend, whose row is at least `row`."""
    while start < stop:
        middle = (start + stop) >> 1
        if rows[middle] < row:
            start = middle + 1
        else:
            stop = middle
    return start
