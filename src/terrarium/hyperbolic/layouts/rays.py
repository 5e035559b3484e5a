"""The layout of rays: every node exactly on the radius of its depth, children spread around their parent.

As in the combinatorial construction, the children of a node and its parent take the directions of a spherical code in
the tangent space of the node. The edges differ: each is as long as it takes to bring the child to the radius of its
depth. Radius is then a function of depth alone, and the geodesic from the origin to a node passes close to its
ancestors, so that the detour r_a + d(v, a) - r_v ranks them first.

The radius grows faster where a level is crowded. With the crowding 2 ln(1 / sin(angle / 2)) of the code of the median
child, the step below a depth is, as in the combinatorial layout,

    step = scale + min(scale, 1/2) * crowding,

and the scale is the one at which the largest depth has the largest radius. In a tree with branch lengths the radius is
proportional to the distance from the root instead.
"""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.common.vectors import normalize_rows
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.geometry.rotations import reflect_rows
from terrarium.hyperbolic.layouts.child_codes import Codes, assign_codes, axis_shift
from terrarium.hyperbolic.layouts.combinatorial import SIBLING_SHARE
from terrarium.hyperbolic.layouts.scale import ROUNDING, solve_scale

MIN_OUTWARD_COSINE = -0.3
"""Directions that point further back to the origin than this are bent outwards: their edges would be very long."""
MIN_OUTWARD_COSINE_LENGTHS = 0.3
"""The same in a tree with branch lengths, where no edge should be much longer than its step of radius."""
_TINY = 1e-12


def ray_layout(tree: Hierarchy, dim: int, max_radius: float, lengths: Float64Array | None = None) -> Layout:
    """Return the layout of rays of a tree, in O(N d).

    Args:
        tree: N nodes; of a graph that is no tree, the first parents.
        dim: dimension, at least 2.
        max_radius: hyperbolic radius of the deepest nodes.
        lengths: (N,) length of the branch above each node, 0 at the root; None where the tree has none.
    """
    around = assign_codes(tree, dim)
    if lengths is None:
        radius, min_cosine = depth_radii(tree, around, max_radius)[tree.depth], MIN_OUTWARD_COSINE
    else:
        radius, min_cosine = length_radii(tree, lengths, max_radius), MIN_OUTWARD_COSINE_LENGTHS
    shift = axis_shift(dim)
    direction, back = np.zeros((len(tree), dim)), np.zeros((len(tree), dim))
    direction[0, 0] = 1.0
    for depth, rows in enumerate(tree.rows_by_depth(), start=1):
        parent = tree.parent[rows]
        turned = shift * (depth - 1)
        wanted = np.roll(around.code[around.start[parent] + around.place[rows]], turned, axis=1)
        if depth == 1:
            direction[rows], back[rows] = wanted, -wanted
            continue
        tangent = reflect_rows(wanted, np.roll(around.code[around.start[parent]], turned, axis=1), back[parent])
        direction[rows], back[rows] = _place(radius[parent], direction[parent], tangent, radius[rows], min_cosine)
    return Layout(radius, direction)


def depth_radii(tree: Hierarchy, around: Codes, max_radius: float) -> Float64Array:
    """Return the radius of each depth, shape (max_depth + 1,): 0 at the root, `max_radius` at the largest depth."""
    crowding = _level_crowding(tree, around)
    scale = _step_scale(crowding, max_radius)
    radius = np.concatenate([[0.0], np.cumsum(scale + min(scale, SIBLING_SHARE) * crowding)])
    radius[tree.max_depth :] = max_radius if tree.max_depth else 0.0
    return radius


def _level_crowding(tree: Hierarchy, around: Codes) -> Float64Array:
    """Return the crowding of the median child's parent for each depth of parents, shape (max_depth,)."""
    children = np.bincount(tree.parent[1:], minlength=len(tree))
    inner = np.flatnonzero(children)
    inner = inner[np.argsort(tree.depth[inner], kind="stable")]
    bound = np.searchsorted(tree.depth[inner], np.arange(tree.max_depth + 1))
    crowding = np.zeros(tree.max_depth)
    for depth in range(tree.max_depth):
        rows = inner[bound[depth] : bound[depth + 1]]
        crowding[depth] = _weighted_median(around.crowding[rows], children[rows])
    return crowding


def _step_scale(crowding: Float64Array, max_radius: float) -> float:
    """Return the scale at which the steps of radius add up to `max_radius`."""
    count, total = max(len(crowding), 1), float(crowding.sum())
    scale = max_radius / (count + total)
    return scale if scale <= SIBLING_SHARE else (max_radius - SIBLING_SHARE * total) / count


def length_radii(tree: Hierarchy, lengths: Float64Array, max_radius: float) -> Float64Array:
    """Return radii proportional to the distance from the root, with the largest at `max_radius`, shape (N,).

    A branch to a node with siblings raises the radius r by at least ROUNDING * sinh(r), so that rounding keeps the
    siblings apart.
    """
    has_siblings = np.bincount(tree.parent[1:], minlength=len(tree))[tree.parent] > 1
    radius = np.zeros(len(tree))

    def excess(scale: float) -> float:
        for rows in tree.rows_by_depth():
            above = np.minimum(radius[tree.parent[rows]], 2.0 * max_radius)
            floor = ROUNDING * np.sinh(above) * has_siblings[rows]
            radius[rows] = above + np.maximum(scale * lengths[rows], floor)
        return float(radius.max()) - max_radius

    if len(tree) > 1:
        excess(solve_scale(excess, max_radius / float(tree.sum_over_lineage(lengths).max())))
    return np.minimum(radius, max_radius)


def _weighted_median(values: Float64Array, weights: np.ndarray) -> float:
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(cumulated, cumulated[-1] / 2.0)])


def _place(
    parent_radius: Float64Array,
    parent_direction: Float64Array,
    tangent: Float64Array,
    radius: Float64Array,
    min_cosine: float,
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
        min_cosine: tangents with a smaller cosine to the outward direction are bent to it.
    """
    cosine = (tangent * parent_direction).sum(axis=1)
    aside = tangent - cosine[:, None] * parent_direction
    aside /= np.maximum(np.linalg.norm(aside, axis=1), _TINY)[:, None]
    cosine = np.maximum(cosine, min_cosine)
    sine = np.sqrt(np.maximum(1.0 - cosine**2, 0.0))
    a, b, c = np.cosh(parent_radius), cosine * np.sinh(parent_radius), np.cosh(radius)
    length = np.log((c + np.sqrt(np.maximum(c * c - (a - b) * (a + b), 0.0))) / (a + b))
    sinh_r, sinh_t, cosh_t = np.sinh(parent_radius), np.sinh(length), np.cosh(length)
    angle = np.arctan2(sinh_t * sine, sinh_r * cosh_t + a * sinh_t * cosine)
    outward = np.cos(angle)[:, None] * parent_direction + np.sin(angle)[:, None] * aside
    across = np.cos(angle)[:, None] * aside - np.sin(angle)[:, None] * parent_direction
    turn = np.arctan2(sine * sinh_r, (c * cosh_t - a) / np.maximum(sinh_t, _TINY))
    back = -np.cos(turn)[:, None] * outward - np.sin(turn)[:, None] * across
    return normalize_rows(outward), normalize_rows(back)
