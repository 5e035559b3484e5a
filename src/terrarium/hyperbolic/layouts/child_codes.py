"""Directions for the children of each node: a spherical code around the node, turned by the depth.

A code of few points lies in few dimensions: three neighbours of a node take three directions of one plane. If all codes
took the same axes, a binary tree would stay in that plane and its branches would meet. So the axes of the code are
shifted by a step at each depth, as in a k-d tree: the children of a node part along axes that its siblings do not use.
"""

from __future__ import annotations

from math import gcd
from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Float64Array, Int32Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.spherical_codes import code_size, smallest_angle, spherical_code

_SHIFTS = (3, 2, 1)


class Codes(NamedTuple):
    """The spherical codes around the N nodes of a tree, one for the children and the parent of each.

    Attributes:
        code: (M, d) the rows of all codes.
        start: (N,) first row of each node's code.
        crowding: (N,) 2 ln(1 / sin(angle / 2)) of each node's code.
        place: (N,) which row of its parent's code, counted from `start`, each node takes.
    """

    code: Float64Array
    start: Int64Array
    crowding: Float64Array
    place: Int32Array


def assign_codes(tree: Hierarchy, dim: int) -> Codes:
    """Return the codes for all nodes; nodes with equally many children share one."""
    count = np.bincount(tree.parent[1:], minlength=len(tree)) + (tree.parent >= 0)
    counts, which = np.unique(count, return_inverse=True)
    size = np.array([code_size(int(k), dim) for k in counts])[which]
    sizes = np.unique(size)
    codes = [spherical_code(int(k), dim) for k in sizes]
    angle = np.array([smallest_angle(code) for code in codes])
    at = np.searchsorted(sizes, size)
    start = np.cumsum([0, *(len(code) for code in codes[:-1])])
    place = sibling_index(tree)
    place[1:] += tree.parent[tree.parent[1:]] >= 0
    return Codes(np.vstack(codes), start[at], (2.0 * np.log(1.0 / np.sin(angle / 2.0)))[at], place)


def axis_shift(dim: int) -> int:
    """Return by how many axes the codes of one depth are shifted against those above: 3, 2 or 1, coprime with `dim`."""
    return next(shift for shift in _SHIFTS if gcd(shift, dim) == 1) % dim


def sibling_index(tree: Hierarchy) -> Int32Array:
    """Return for each of N nodes how many of its siblings are in rows before it, shape (N,)."""
    by_parent = np.argsort(tree.parent, kind="stable")[1:]
    first = np.searchsorted(tree.parent[by_parent], tree.parent[by_parent])
    index = np.zeros(len(tree), np.int32)
    index[by_parent] = np.arange(len(by_parent)) - first
    return index
