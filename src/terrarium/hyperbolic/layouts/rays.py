"""The layout of rays: every node exactly on the radius of its depth, children spread around their parent.

As in the combinatorial construction, the children of a node and its parent take the directions of a spherical code in
the tangent space of the node. The edges differ: each is as long as it takes to bring the child to the radius of its
depth. Radius is then a function of depth alone, and the geodesic from the origin to a node passes close to its
ancestors, so that the detour r_a + d(v, a) - r_v ranks them first.

The radius grows faster where a level is crowded: the step below depth k is proportional to BASE plus the crowding
2 ln(1 / sin(angle / 2)) of the code of the median child, and the largest radius is reached at the largest depth.
"""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.common.vectors import normalize_rows
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.geometry.rotations import reflect_rows
from terrarium.hyperbolic.layouts.combinatorial import BASE, Codes, assign_codes

MIN_OUTWARD_COSINE = -0.3
"""Directions that point further back to the origin than this are bent outwards: their edges would be very long."""
_TINY = 1e-12


def ray_layout(tree: Hierarchy, dim: int, max_radius: float) -> Layout:
    """Return the layout of rays of a tree, in O(N d).

    Args:
        tree: N nodes; of a graph that is no tree, the first parents.
        dim: dimension, at least 2.
        max_radius: hyperbolic radius of the deepest nodes.
    """
    around = assign_codes(tree, dim)
    radius = depth_radii(tree, around, max_radius)[tree.depth]
    direction, back = np.zeros((len(tree), dim)), np.zeros((len(tree), dim))
    direction[0, 0] = 1.0
    order, start = tree.levels()
    for depth in range(1, tree.max_depth + 1):
        rows = order[start[depth] : start[depth + 1]]
        parent = tree.parent[rows]
        wanted = around.code[around.start[parent] + around.place[rows]]
        if depth == 1:
            direction[rows], back[rows] = wanted, -wanted
            continue
        tangent = reflect_rows(wanted, around.code[around.start[parent]], back[parent])
        direction[rows], back[rows] = _place(radius[parent], direction[parent], tangent, radius[rows])
    return Layout(radius, direction)


def depth_radii(tree: Hierarchy, around: Codes, max_radius: float) -> Float64Array:
    """Return the radius of each depth, shape (max_depth + 1,): 0 at the root, `max_radius` at the largest depth."""
    children = np.bincount(tree.parent[1:], minlength=len(tree))
    step = np.zeros(tree.max_depth)
    for depth in range(tree.max_depth):
        inner = (tree.depth == depth) & (children > 0)
        step[depth] = BASE + _weighted_median(around.crowding[inner], children[inner])
    radius = np.concatenate([[0.0], np.cumsum(step)])
    return radius * (max_radius / radius[-1]) if tree.max_depth else radius


def _weighted_median(values: Float64Array, weights: np.ndarray) -> float:
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(cumulated, cumulated[-1] / 2.0)])


def _place(
    parent_radius: Float64Array, parent_direction: Float64Array, tangent: Float64Array, radius: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Return the directions of children at given radii, and the unit tangents that point back to their parents.

    With r, u the parent's polar coordinates, R the child's radius and e the tangent (c = <e, u>, w the unit rest), the
    length t of the edge solves cosh R = cosh r cosh t + c sinh r sinh t:
    exp t = (C + sqrt(C^2 - A^2 + B^2)) / (A + B) with A = cosh r, B = c sinh r, C = cosh R. The child is in the plane
    of u and w at the angle atan2(s sinh t, sinh r cosh t + c cosh r sinh t) from u.

    Args:
        parent_radius: shape (n,).
        parent_direction, tangent: shape (n, d), unit rows.
        radius: shape (n,), larger than the parents' radii.
    """
    cosine = (tangent * parent_direction).sum(axis=1)
    aside = tangent - cosine[:, None] * parent_direction
    aside /= np.maximum(np.linalg.norm(aside, axis=1), _TINY)[:, None]
    cosine = np.maximum(cosine, MIN_OUTWARD_COSINE)
    sine = np.sqrt(np.maximum(1.0 - cosine**2, 0.0))
    a, b, c = np.cosh(parent_radius), cosine * np.sinh(parent_radius), np.cosh(radius)
    length = np.log((c + np.sqrt(np.maximum(c * c - (a - b) * (a + b), 0.0))) / (a + b))
    sinh_r, sinh_t, cosh_t = np.sinh(parent_radius), np.sinh(length), np.cosh(length)
    angle = np.arctan2(sinh_t * sine, sinh_r * cosh_t + a * sinh_t * cosine)
    outward = np.cos(angle)[:, None] * parent_direction + np.sin(angle)[:, None] * aside
    across = np.cos(angle)[:, None] * aside - np.sin(angle)[:, None] * parent_direction
    toward = np.clip((c * cosh_t - a) / (np.sinh(radius) * sinh_t), -1.0, 1.0)
    back = -toward[:, None] * outward - np.sqrt(1.0 - toward**2)[:, None] * across
    return normalize_rows(outward), normalize_rows(back)
