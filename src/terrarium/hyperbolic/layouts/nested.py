"""Directions of nested caps: each node has a spherical cap, and its children are inside this cap.

Children of a node with the half angle alpha are at the angle offset * alpha from it, in the directions of a spherical
code that is orthogonal to the node's own offset from its parent. With caps that shrink by the ratio r from parent to
child, offsets two levels apart may add up, offsets of consecutive levels do not: descendants are within D alpha of the
node,

    D = offset sqrt(1 + r^2) / (1 - r^2).

Two children are at least offset * chord * alpha apart, chord the smallest distance of two code points. So no descendant
of one is in the cap of another if r (1 + D) <= offset * chord.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import BoolArray, Float64Array, Int32Array, Int64Array
from terrarium.common.vectors import normalize_rows
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.rotations import reflect_rows
from terrarium.hyperbolic.geometry.spherical_codes import code_size, smallest_angle, spherical_code
from terrarium.hyperbolic.layouts.child_codes import sibling_index

MIN_DIM = 3
OFFSET = 0.7
"""The offset from which ratios are computed, and that of the layout of caps."""
MIN_ORTHOGONAL_DIM = 5
"""From this dimension on, a code orthogonal to direction and offset has room for more than two points. In 3 and 4
dimensions codes are orthogonal to the direction alone, so offsets of a lineage may add up and caps may be left."""
_SOLVER_STEPS = 50


class TangentCodes(NamedTuple):
    """The spherical codes of all N nodes, each in the tangent space of its node.

    Attributes:
        code: (M, d - 1) all codes one below the other; the last column is 0 where a code is orthogonal to the offset.
        start: (N,) first row of each node's code.
        place: (N,) row of the parent's code that each node takes, counted from `start`.
        chord: (N,) smallest distance between two points of each node's code.
        separation: (N,) smallest angle between two children at the offset `OFFSET`, over the half angle of the node.
        wide: (N,) whether the node's code is orthogonal to its direction alone.
    """

    code: Float64Array
    start: Int64Array
    place: Int32Array
    chord: Float64Array
    separation: Float64Array
    wide: BoolArray


def assign_tangent_codes(tree: Hierarchy, dim: int, wide: BoolArray | None = None) -> TangentCodes:
    """Return the codes for all nodes; nodes with equally many children share one.

    Args:
        tree: N nodes.
        dim: dimension, at least 3.
        wide: (N,) nodes whose code may use one more dimension, since few of their descendants are below the children;
            None: no node.

    Raises:
        ValueError: fewer than three dimensions.
    """
    if dim < MIN_DIM:
        raise ValueError(f"nested caps need at least {MIN_DIM} dimensions, not {dim}: set model.dim to 3 or more")
    if wide is None or dim < MIN_ORTHOGONAL_DIM:
        wide = np.full(len(tree), dim < MIN_ORTHOGONAL_DIM)
    count = np.bincount(tree.parent[1:], minlength=len(tree))
    kinds, which = np.unique(np.column_stack([count, dim - 2 + wide]), axis=0, return_inverse=True)
    needed = [(code_size(max(k, 1), code_dim), code_dim) for k, code_dim in kinds.tolist()]
    distinct = sorted(set(needed))
    at = np.array([distinct.index(kind) for kind in needed])[which]
    codes = [np.pad(spherical_code(*kind), ((0, 0), (0, dim - 1 - kind[1]))) for kind in distinct]
    chord = np.array([2.0 * np.sin(smallest_angle(code) / 2.0) for code in codes])[at]
    separation = OFFSET * chord
    if count[0] > 1:
        root_angle = smallest_angle(spherical_code(code_size(int(count[0]), dim), dim))
        separation[0] = root_angle / (np.pi / 2.0)
    start = np.cumsum([0, *(len(code) for code in codes[:-1])])
    return TangentCodes(np.vstack(codes), start[at], sibling_index(tree), chord, separation, wide)


def log_half_angles(tree: Hierarchy, separation: Float64Array, max_ratio: float) -> Float64Array:
    """Return the (N,) logarithms of each node's half angle over the root's: sums of the log ratios of its ancestors.

    The ratio of a node is the largest r <= max_ratio with r (1 + D) <= separation, by bisection.
    """
    low, high = np.zeros_like(separation), np.full_like(separation, max_ratio)
    for _ in range(_SOLVER_STEPS):
        middle = 0.5 * (low + high)
        reach = OFFSET * np.sqrt(1.0 + middle**2) / (1.0 - middle**2)
        fits = middle * (1.0 + reach) <= separation
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return tree.sum_over_lineage(np.where(tree.parent >= 0, np.log(low)[tree.parent], 0.0))


def nested_directions(
    tree: Hierarchy, codes: TangentCodes, half_angle: Float64Array, dim: int, offset: float | Float64Array, seed: int
) -> Float64Array:
    """Return (N, dim) directions, children at the angle offset * half angle from their parent.

    Args:
        tree: N nodes.
        codes: the codes around them.
        half_angle: (N,) half angles of the caps.
        dim: dimension, at least 3.
        offset: fraction of the half angle; one for all nodes, or (N,).
        seed: of the rotation of each node's code.
    """
    rotation = np.random.default_rng(seed).normal(size=(len(tree), dim - 1))
    rotation[~codes.wide, -1] = 0.0
    child_angle = offset * half_angle
    direction, aside = np.zeros((len(tree), dim)), np.zeros((len(tree), dim))
    direction[0, 0] = 1.0
    for rows in tree.rows_by_depth():
        parent = tree.parent[rows]
        if parent[0] == 0:
            direction[rows] = spherical_code(code_size(len(rows), dim), dim)[: len(rows)]
            aside[rows] = _orthogonal(np.roll(direction[rows], 1, axis=1), direction[rows])
            continue
        code = codes.code[codes.start[parent] + codes.place[rows]]
        tangent = _turn(code, rotation[parent], direction[parent], aside[parent])
        angle = child_angle[parent][:, None]
        direction[rows] = normalize_rows(np.cos(angle) * direction[parent] + np.sin(angle) * tangent)
        aside[rows] = _orthogonal(np.cos(angle) * tangent - np.sin(angle) * direction[parent], direction[rows])
    return direction


def _turn(code: Float64Array, rotation: Float64Array, direction: Float64Array, offset: Float64Array) -> Float64Array:
    """Return code points as tangents orthogonal to the node's direction, their last coordinate along its offset.

    Args:
        code: (n, d - 1) rows of a spherical code.
        rotation: (n, d - 1) rows, each the normal of a reflection, so that codes of different nodes differ.
        direction, offset: (n, d) orthogonal unit rows.
    """
    axes = np.eye(direction.shape[1])
    turned = reflect_rows(code, normalize_rows(rotation), -normalize_rows(rotation))
    tangent = reflect_rows(np.pad(turned, ((0, 0), (0, 1))), axes[-2], reflect_rows(offset, axes[-1], direction))
    return reflect_rows(tangent, axes[-1], direction)


def _orthogonal(rows: Float64Array, direction: Float64Array) -> Float64Array:
    """Return unit rows: the part of each row that is orthogonal to its direction."""
    return normalize_rows(rows - (rows * direction).sum(axis=1, keepdims=True) * direction)
