"""The tree that a layout follows where nodes have several parents: each keeps the parent farthest from the root.

A layout of a tree keeps the pairs whose path is in the tree. A node of depth k has k ancestors in it, and the longest
path from the root is the largest depth that a spanning tree can give it; the parents that are farthest from the root
give this depth to all nodes at once. So no spanning tree keeps more pairs.
"""

from __future__ import annotations

import numpy as np

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout


def spanning_tree(graph: Hierarchy) -> Hierarchy:
    """Return the tree of the same nodes, in its own order of rows; of parents equally far, the first.

    Args:
        graph: N nodes, with several parents.
    """
    child, parent = graph.links()
    longest = _longest_paths(graph)
    order = np.lexsort((-longest[parent], child))
    kept = order[np.unique(child[order], return_index=True)[1]]
    parent_ids = np.full(len(graph), -1, np.int64)
    parent_ids[child[kept]] = graph.ids[parent[kept]]
    return Hierarchy.from_parents(graph.ids, parent_ids)


def in_rows_of(graph: Hierarchy, tree: Hierarchy, layout: Layout) -> Layout:
    """Return the layout of a tree of the same nodes in the order of rows of the graph."""
    rows = tree.rows(graph.ids)
    return Layout(layout.radius[rows], layout.direction[rows])


def _longest_paths(graph: Hierarchy) -> np.ndarray:
    """Return the (N,) number of links of the longest path from the root."""
    child, parent = graph.links()
    longest = np.zeros(len(graph), np.int64)
    while True:
        longer = np.zeros(len(graph), np.int64)
        np.maximum.at(longer, child, longest[parent] + 1)
        if (longer == longest).all():
            return longest
        longest = longer
