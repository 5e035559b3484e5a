"""The layout of caps: ancestors come first by hyperbolic distance alone.

A node at norm cos(alpha) owns the spherical cap of half angle alpha around its direction. For a point v far out,
d(v, a) <= r_v exactly if v's direction is in the cap of a, since

    d(v, a) <= r_v  <=>  cos(angle(v, a)) >= |a| / tanh(r_v).

If the cap of each node contains the caps of its children, and those of siblings do not meet, a node is nearer to its
ancestors than to any other node, and `d(v, a) <= r_v` decides ancestry without a threshold. The ratio of a child's cap
to its parent's is the largest at which siblings do not meet, and bounded so that descendants stay in the cap (see
`nested`).

A branch length only makes the cap of its lower node smaller still, by exp(-scale * length / 2), which adds
scale * length to its radius; the scale is the largest that the largest radius allows.
"""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.layouts.nested import OFFSET, assign_tangent_codes, log_half_angles, nested_directions

MAX_RATIOS = (0.47, 0.55, 0.65)
"""Largest ratio, for nodes with few children. Descendants stay in the cap with the first; the others are used where it
needs more than the largest radius, since offsets two levels apart rarely add up."""


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
    codes = assign_tangent_codes(tree, dim)
    alpha = _fitting_half_angles(tree, codes.separation, max_radius, lengths)
    radius = -2.0 * np.log(np.tan(alpha / 2.0))
    radius[0] = 0.0
    return Layout(radius, nested_directions(tree, codes, alpha, dim, OFFSET, seed))


def _fitting_half_angles(
    tree: Hierarchy, separation: Float64Array, max_radius: float, lengths: Float64Array | None
) -> Float64Array:
    """Return each node's half angle, shape (N,): pi / 2 at the root, times the ratios of its ancestors."""
    smallest = 2.0 * np.arctan(np.exp(-max_radius / 2.0)) / (np.pi / 2.0)
    limit = float(np.log(smallest))
    log_alpha = np.zeros(len(tree))
    for max_ratio in MAX_RATIOS:
        log_alpha = log_half_angles(tree, separation, max_ratio)
        if log_alpha.min() >= limit:
            break
    if lengths is not None and len(tree) > 1:
        distance = tree.sum_over_lineage(lengths)
        room = float(((log_alpha - limit)[1:] / distance[1:]).min())
        log_alpha -= max(room, 0.0) * distance
    power = min(1.0, limit / log_alpha.min()) if log_alpha.min() < 0.0 else 1.0
    half_angles: Float64Array = np.pi / 2.0 * np.exp(power * log_alpha)
    return half_angles
