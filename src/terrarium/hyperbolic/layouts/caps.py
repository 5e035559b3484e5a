"""The layout of caps: ancestors come first by hyperbolic distance alone.

A node at norm cos(alpha) owns the spherical cap of half angle alpha around its direction. For a point v far out,
d(v, a) <= r_v exactly if v's direction is in the cap of a, since

    d(v, a) <= r_v  <=>  cos(angle(v, a)) >= |a| / tanh(r_v).

If the cap of each node contains the caps of its children, and those of siblings do not meet, a node is nearer to its
ancestors than to any other node, and `d(v, a) <= r_v` decides ancestry without a threshold.

Children of a node with cap alpha are at the angle OFFSET * alpha from it, in the directions of a spherical code that is
orthogonal to the node's own offset from its parent. With caps that shrink by the ratio r from parent to child, offsets
two levels apart may add up, offsets of consecutive levels do not: descendants are within D alpha of the node,

    D = OFFSET sqrt(1 + r^2) / (1 - r^2).

Two children are at least OFFSET * chord * alpha apart, chord the smallest distance of two code points. So no descendant
of one is in the cap of another if r (1 + D) <= OFFSET * chord. The ratio is the largest that this allows, and bounded
so that D <= 1: descendants stay in the cap.

A branch length only makes the cap of its lower node smaller still, by exp(-scale * length / 2), which adds
scale * length to its radius; the scale is the largest that the largest radius allows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Float64Array, Int32Array, Int64Array
from terrarium.common.vectors import normalize_rows
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.geometry.rotations import reflect_rows
from terrarium.hyperbolic.geometry.spherical_codes import code_size, smallest_angle, spherical_code
from terrarium.hyperbolic.layouts.child_codes import sibling_index

OFFSET = 0.7
MAX_RATIOS = (0.47, 0.55, 0.65)
"""Largest ratio, for nodes with few children. D <= 1 with the first; the others are used where it needs more than the
largest radius, since offsets two levels apart rarely add up."""
_SOLVER_STEPS = 50
MIN_ORTHOGONAL_DIM = 5
"""From this dimension on, a code orthogonal to direction and offset has room for more than two points. In 3 and 4
dimensions codes are orthogonal to the direction alone, so offsets of a lineage may add up and caps may be left."""


def cap_layout(
    tree: Hierarchy, dim: int, max_radius: float, seed: int = 0, lengths: Float64Array | None = None
) -> Layout:
    """Return the layout of caps of a tree, in O(N d).

    Where nested caps would need a larger radius than `max_radius`, all caps shrink more slowly (each ratio is raised
    to a common power below 1) and overlap: ancestors then no longer come first everywhere.

    Args:
        tree: N nodes; of a graph that is no tree, the first parents.
        dim: dimension, at least 3.
        max_radius: no radius is larger.
        seed: of the rotation of each node's code.
        lengths: (N,) length of the branch above each node, 0 at the root; None where the tree has none.

    Raises:
        ValueError: fewer than three dimensions.
    """
    if dim < 3:
        raise ValueError(f"the layout of caps needs at least 3 dimensions, not {dim}: set model.dim to 3 or more")
    codes = _child_codes(tree, dim)
    alpha = _fitting_half_angles(tree, codes.separation, max_radius, lengths)
    rotation = np.random.default_rng(seed).normal(size=(len(tree), codes.code.shape[1]))
    direction, offset = np.zeros((len(tree), dim)), np.zeros((len(tree), dim))
    direction[0, 0] = 1.0
    order, level = tree.levels()
    for depth in range(1, tree.max_depth + 1):
        rows = order[level[depth] : level[depth + 1]]
        parent = tree.parent[rows]
        if depth == 1:
            direction[rows] = spherical_code(code_size(len(rows), dim), dim)[: len(rows)]
            offset[rows] = _orthogonal(np.roll(direction[rows], 1, axis=1), direction[rows])
            continue
        code = codes.code[codes.start[parent] + codes.place[rows]]
        tangent = _turn(code, rotation[parent], direction[parent], offset[parent])
        angle = OFFSET * alpha[parent][:, None]
        direction[rows] = normalize_rows(np.cos(angle) * direction[parent] + np.sin(angle) * tangent)
        offset[rows] = _orthogonal(np.cos(angle) * tangent - np.sin(angle) * direction[parent], direction[rows])
    radius = -2.0 * np.log(np.tan(alpha / 2.0))
    radius[0] = 0.0
    return Layout(radius, direction)


class _Codes(NamedTuple):
    """The spherical codes of all nodes.

    Attributes:
        code: shape (M, m), all codes one below the other.
        start: shape (N,), first row of each node's code.
        place: shape (N,), row of the parent's code that each node takes, counted from `start`.
        separation: shape (N,), smallest angle between two children over the half angle of the node's cap.
    """

    code: Float64Array
    start: Int64Array
    place: Int32Array
    separation: Float64Array


def _child_codes(tree: Hierarchy, dim: int) -> _Codes:
    code_dim = dim - 2 if dim >= MIN_ORTHOGONAL_DIM else dim - 1
    count = np.bincount(tree.parent[1:], minlength=len(tree))
    distinct, which = np.unique(count, return_inverse=True)
    size = np.array([code_size(max(int(k), 1), code_dim) for k in distinct])
    needed = np.unique(size)
    codes = [spherical_code(int(k), code_dim) for k in needed]
    chord = np.array([2.0 * np.sin(smallest_angle(code) / 2.0) for code in codes])
    at = np.searchsorted(needed, size)[which]
    separation = (OFFSET * chord)[at]
    if count[0] > 1:
        root_angle = smallest_angle(spherical_code(code_size(int(count[0]), dim), dim))
        separation[0] = root_angle / (np.pi / 2.0)
    start = np.cumsum([0, *(len(code) for code in codes[:-1])])
    return _Codes(np.vstack(codes), start[at], sibling_index(tree), separation)


def _fitting_half_angles(
    tree: Hierarchy, separation: Float64Array, max_radius: float, lengths: Float64Array | None
) -> Float64Array:
    """Return each node's half angle, shape (N,): pi / 2 at the root, times the ratios of its ancestors."""
    smallest = 2.0 * np.arctan(np.exp(-max_radius / 2.0)) / (np.pi / 2.0)
    limit = float(np.log(smallest))
    log_alpha = np.zeros(len(tree))
    for max_ratio in MAX_RATIOS:
        log_ratio = np.log(_cap_ratio(separation, max_ratio))
        log_alpha = tree.sum_over_lineage(np.where(tree.parent >= 0, log_ratio[tree.parent], 0.0))
        if log_alpha.min() >= limit:
            break
    if lengths is not None and len(tree) > 1:
        distance = tree.sum_over_lineage(lengths)
        room = float(((log_alpha - limit)[1:] / distance[1:]).min())
        log_alpha -= max(room, 0.0) * distance
    power = min(1.0, limit / log_alpha.min()) if log_alpha.min() < 0.0 else 1.0
    half_angles: Float64Array = np.pi / 2.0 * np.exp(power * log_alpha)
    return half_angles


def _cap_ratio(separation: Float64Array, max_ratio: float) -> Float64Array:
    """Return the largest r <= max_ratio with r (1 + D) <= separation, by bisection."""
    low, high = np.zeros_like(separation), np.full_like(separation, max_ratio)
    for _ in range(_SOLVER_STEPS):
        middle = 0.5 * (low + high)
        reach = OFFSET * np.sqrt(1.0 + middle**2) / (1.0 - middle**2)
        fits = middle * (1.0 + reach) <= separation
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return low


def _turn(code: Float64Array, rotation: Float64Array, direction: Float64Array, offset: Float64Array) -> Float64Array:
    """Return code points as tangents: orthogonal to the node's direction and, in enough dimensions, to its offset.

    Args:
        code: shape (n, m), rows of a spherical code.
        rotation: shape (n, m); each row is the normal of a reflection, so that codes of different nodes differ.
        direction, offset: shape (n, d), orthogonal unit rows.
    """
    dim = direction.shape[1]
    axes = np.eye(dim)
    turned = reflect_rows(code, normalize_rows(rotation), -normalize_rows(rotation))
    tangent = np.pad(turned, ((0, 0), (0, dim - code.shape[1])))
    if code.shape[1] == dim - 2:
        tangent = reflect_rows(tangent, axes[-2], reflect_rows(offset, axes[-1], direction))
    return reflect_rows(tangent, axes[-1], direction)


def _orthogonal(rows: Float64Array, direction: Float64Array) -> Float64Array:
    """Return unit rows: the part of each row that is orthogonal to its direction."""
    return normalize_rows(rows - (rows * direction).sum(axis=1, keepdims=True) * direction)
