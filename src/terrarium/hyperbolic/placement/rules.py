"""Rules that place a new item by the tree alone, without an embedding: what a layout is compared with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.placement.place import Relatives

_HALF = 0.5


def parent_of_nearest(tree: Hierarchy, relatives: Relatives) -> Int64Array:
    """Return the (Q,) parent of the relative with the largest weight."""
    nearest = relatives.rows[np.arange(len(relatives.rows)), _weights(relatives).argmax(axis=1)]
    return _or_root(tree.parent[nearest].astype(np.int64))


def majority_parent(tree: Hierarchy, relatives: Relatives) -> Int64Array:
    """Return the (Q,) parent that has the largest sum of weights of its children among the relatives."""
    found = np.zeros(len(relatives.rows), np.int64)
    for q, (rows, weights) in enumerate(zip(relatives.rows, relatives.weights, strict=True)):
        is_known = rows >= 0
        parents, which = np.unique(tree.parent[rows[is_known]], return_inverse=True)
        found[q] = parents[np.bincount(which, weights[is_known]).argmax()]
    return _or_root(found)


def common_ancestor(tree: Hierarchy, relatives: Relatives) -> Int64Array:
    """Return the (Q,) lowest common ancestor of all relatives; of a single relative, its parent."""
    rows = relatives.rows
    found = rows[:, 0].copy()
    for k in range(1, rows.shape[1]):
        other = np.where(rows[:, k] >= 0, rows[:, k], found)
        found = tree.lca(found, other).astype(np.int64)
    is_leaf = np.isin(found, np.unique(tree.parent[1:]), invert=True)
    return _or_root(np.where(is_leaf, tree.parent[found], found))


def weighted_common_ancestor(tree: Hierarchy, relatives: Relatives) -> Int64Array:
    """Return the (Q,) deepest node that has more than half of the weight below it, as taxonomic classifiers do."""
    found = np.zeros(len(relatives.rows), np.int64)
    for q, (rows, weights) in enumerate(zip(relatives.rows, relatives.weights, strict=True)):
        is_known = rows >= 0
        known, weight = rows[is_known], weights[is_known]
        lines = [tree.ancestors(int(row)) for row in known]
        nodes, which = np.unique(np.concatenate(lines), return_inverse=True)
        below = np.bincount(which, np.repeat(weight, [len(line) for line in lines]))
        heavy = nodes[below > _HALF * weight.sum()]
        found[q] = heavy[tree.depth[heavy].argmax()] if len(heavy) else 0
    return found


def closest_fit(tree: Hierarchy, relatives: Relatives) -> Int64Array:
    """Return the (Q,) inner node v that minimises sum_i w_i |hops(v, x_i) + 1 - t_i|, t_i in hops.

    This is `place` with path lengths in place of distances in a layout. Only the ancestors of the relatives and the
    relatives that have children are tried.
    """
    if relatives.distances is None:
        raise ValueError("closest_fit needs distances")
    found = np.zeros(len(relatives.rows), np.int64)
    known_of = zip(relatives.rows, relatives.weights, relatives.distances, strict=True)
    for q, (rows, weights, target) in enumerate(known_of):
        is_known = rows >= 0
        known = rows[is_known]
        above = [tree.ancestors(int(row)) for row in known]
        nodes = np.unique(np.concatenate([[0], known[tree.end[known] > known + 1], *above])).astype(np.int64)
        hops = tree.hops(np.repeat(nodes, len(known)), np.tile(known, len(nodes))).reshape(len(nodes), -1)
        found[q] = nodes[(np.abs(hops + 1.0 - target[is_known]) @ weights[is_known]).argmin()]
    return found


RULES: dict[str, Callable[[Hierarchy, Relatives], Int64Array]] = {
    "parent of the nearest": parent_of_nearest,
    "majority of parents": majority_parent,
    "common ancestor": common_ancestor,
    "ancestor of half the weight": weighted_common_ancestor,
    "closest fit in the tree": closest_fit,
}
"""The rules by the name that tables and figures use."""


def _weights(relatives: Relatives) -> Float64Array:
    weights: Float64Array = np.where(relatives.rows >= 0, relatives.weights, -np.inf)
    return weights


def _or_root(rows: Int64Array) -> Int64Array:
    """Return rows with the parent of the root, which has none, replaced by the root."""
    return np.maximum(rows, 0)
