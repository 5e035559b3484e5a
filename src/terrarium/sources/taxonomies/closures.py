"""Transitive closures, in which a hierarchy is often published: every pair of a node and one of its ancestors."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from terrarium.common.arrays import BoolArray, Int64Array


def reduce_closure(child: Int64Array, parent: Int64Array) -> BoolArray | None:
    """Return which pairs of a transitive closure are links between neighbours.

    A pair (a, c) follows from others if there is a b with the pairs (a, b) and (b, c). The table is a closure if each
    pair that follows is in it, and at least one does; then the pairs that do not follow are the transitive reduction
    (Aho, Garey and Ullman 1972).

    Args:
        child: (E,) ids, no pair twice and none of a node with itself.
        parent: (E,) ids.

    Returns:
        (E,) mask of the links; None if the pairs are no closure or have a cycle.
    """
    if len(np.unique(child)) == len(child):
        return None
    nodes, ends = np.unique(np.concatenate([child, parent]), return_inverse=True)
    row, column = np.split(ends, 2)
    size = (len(nodes), len(nodes))
    pairs = csr_array((np.ones(len(row), np.int64), (row, column)), shape=size)
    implied = (pairs @ pairs).tocoo()
    follows = np.asarray(implied.row, np.int64) * len(nodes) + np.asarray(implied.col, np.int64)
    own = row.astype(np.int64) * len(nodes) + column
    if not len(follows) or not np.isin(follows, own).all() or np.isin(own, follows).all():
        return None
    mask: BoolArray = ~np.isin(own, follows)
    return mask
