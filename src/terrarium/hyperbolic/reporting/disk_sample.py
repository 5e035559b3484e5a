"""Which taxa a picture shows, and how they are connected."""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import Int32Array, Int64Array
from terrarium.hierarchy import Hierarchy

_INNER_FRACTION = 3
"""At most one in so many of the drawn taxa is chosen for the size of its subtree."""
_QUOTA_FRACTION = 2
"""One in so many of the drawn taxa is shared out among the groups alike."""


def sample_rows(tree: Hierarchy, labels: Int32Array, points: int) -> Int64Array:
    """Return the rows to draw, ascending: the root, the largest inner nodes, some of every group, then random ones.

    Leaves outside all groups, such as thousands of unclassified children of the root, count as one group and are the
    last to fill up the picture.

    Args:
        tree: N nodes.
        labels: (N,) group of each row, -1 outside all groups.
        points: most rows to return.
    """
    size = tree.end - np.arange(len(tree))
    shuffled = np.random.default_rng(0).permutation(len(tree))
    quota = max(points // (_QUOTA_FRACTION * max(len(np.unique(labels)), 1)), 1)
    urgency = np.where(labels[shuffled] >= 0, 2, 3)
    urgency[_within_group(labels[shuffled]) < quota] = 1
    by_size = np.argsort(-size[shuffled], kind="stable")[: points // _INNER_FRACTION]
    urgency[by_size[size[shuffled[by_size]] > 1]] = 0
    urgency[shuffled == 0] = -1
    rows: Int64Array = np.sort(shuffled[np.argsort(urgency, kind="stable")[:points]])
    return rows


def shown_parents(tree: Hierarchy, shown: Int64Array) -> Int64Array:
    """Return the position in `shown` of the nearest drawn ancestor of each drawn row; -1 for the root.

    Args:
        tree: N nodes.
        shown: (n,) drawn rows, ascending; the first is the root.
    """
    position = np.full(len(tree), -1, np.int64)
    position[shown] = np.arange(len(shown))
    nearest = np.full(len(tree), -1, np.int64)
    for rows in tree.rows_by_depth():
        above = tree.parent[rows]
        nearest[rows] = np.where(position[above] >= 0, position[above], nearest[above])
    parents: Int64Array = nearest[shown]
    return parents


def _within_group(labels: Int32Array) -> Int64Array:
    """Return (N,) number of earlier rows with the same label."""
    order = np.argsort(labels, kind="stable")
    _, first, size = np.unique(labels[order], return_index=True, return_counts=True)
    earlier = np.empty(len(labels), np.int64)
    earlier[order] = np.arange(len(labels)) - np.repeat(first, size)
    return earlier
