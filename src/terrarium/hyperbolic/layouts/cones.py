"""The layout of cones: ancestors come first by detour, at the smallest radius.

The detour r_a + d(v, a) - r_v of an ancestor a seen from a node v far out is small if v's direction is within about
2 exp(-r_a) of that of a, and grows with their angle:

    exp(detour) ~ 1 + (angle(v, a) / 2 exp(-r_a))^2.

So a node of radius r owns the cone of half angle alpha = 2 arctan(exp(-r)), half the radius at which the layout of caps
has this angle, and the cones are nested as caps are (see `nested`). Ratios of at most MAX_RATIO shrink more where a
node has many children, and all are raised to the common power at which the deepest node reaches the largest radius.
Since few ratios differ much from MAX_RATIO, the radius is nearly a function of depth.

Children are at SPREAD times the mean log ratio from their parent, in half angles of its cone, and at most MAX_OFFSET.
With short steps of radius, longer offsets would add up and leave the cones of far ancestors; with long steps, they part
siblings better.

In a tree with branch lengths the radius is proportional to the distance from the root, as in the layout of rays.
"""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.layouts.nested import assign_tangent_codes, log_half_angles, nested_directions
from terrarium.hyperbolic.layouts.rays import length_radii

MAX_RATIO, SPREAD, MAX_OFFSET = 0.45, 1.4, 1.2


def cone_layout(
    tree: Hierarchy, dim: int, max_radius: float, seed: int = 0, lengths: Float64Array | None = None
) -> Layout:
    """Return the layout of cones of a tree, in O(N d).

    Args:
        tree: N nodes; of a graph that is no tree, the first parents.
        dim: dimension, at least 3.
        max_radius: hyperbolic radius of the farthest node.
        seed: of the rotation of each node's code.
        lengths: (N,) length of the branch above each node, 0 at the root; None where the tree has none.

    Raises:
        ValueError: fewer than three dimensions.
    """
    codes = assign_tangent_codes(tree, dim)
    if lengths is None:
        alpha = _half_angles(log_half_angles(tree, codes.separation, MAX_RATIO), max_radius)
        radius = np.minimum(-np.log(np.tan(alpha / 2.0)), max_radius)
    else:
        radius = length_radii(tree, lengths, max_radius)
        alpha = 2.0 * np.arctan(np.exp(-radius))
    radius[0] = 0.0
    return Layout(radius, nested_directions(tree, codes, alpha, dim, cone_offset(tree, alpha), seed))


def cone_offset(tree: Hierarchy, half_angle: Float64Array) -> float:
    """Return the angle between a child and its parent, over the parent's half angle."""
    if len(tree) == 1:
        return MAX_OFFSET
    return min(MAX_OFFSET, SPREAD * max(mean_log_step(tree, half_angle), 0.0))


def mean_log_step(tree: Hierarchy, half_angle: Float64Array) -> float:
    """Return the mean of ln(half angle of the parent / half angle of the child), of a tree with a link."""
    return float(np.log(half_angle[tree.parent[1:]] / half_angle[1:]).mean())


def _half_angles(log_alpha: Float64Array, max_radius: float) -> Float64Array:
    limit = float(np.log(2.0 * np.arctan(np.exp(-max_radius)) / (np.pi / 2.0)))
    power = limit / log_alpha.min() if log_alpha.min() < 0.0 else 1.0
    half_angles: Float64Array = np.pi / 2.0 * np.exp(power * log_alpha)
    return half_angles
