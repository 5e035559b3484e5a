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

Siblings are further from each other than from their parent only if their code is not too dense. With the step D of
radius, offset o and the smallest distance c of two code points, far out the half distances of siblings s and of child
and parent p satisfy

    sinh(s)^2 = (exp(D) o c / 2)^2,   sinh(p)^2 = sinh(D / 2)^2 + exp(D) o^2 / 4.

So a crowded node, with many children of which few have children, gets a code in one more dimension. Until s = p its
offset grows, up to CROWDED_OFFSET, and then the step of its childless children, if that is less than MAX_STEP_GAIN
times as long: otherwise some thousand children would leave the radius of their depth, and still not part.

In a tree with branch lengths the radius is proportional to the distance from the root, as in the layout of rays.
"""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import BoolArray, Float64Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.layouts.nested import assign_tangent_codes, log_half_angles, nested_directions
from terrarium.hyperbolic.layouts.rays import length_radii

MAX_RATIO, SPREAD, MAX_OFFSET = 0.45, 1.25, 1.2
CROWDED_OFFSET = 0.8
"""Up to this the offsets of crowded nodes grow."""
MAX_SHARE_INNER = 0.1
"""At most this share of a crowded node's children have children."""
MAX_STEP_GAIN = 2.0
_STEPS = np.linspace(0.0, 3.0, 301)


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
    crowded = _crowded(tree, dim)
    codes = assign_tangent_codes(tree, dim, crowded)
    if lengths is None:
        alpha = _half_angles(log_half_angles(tree, codes.separation, MAX_RATIO), max_radius)
        radius = np.minimum(-np.log(np.tan(alpha / 2.0)), max_radius)
    else:
        radius = length_radii(tree, lengths, max_radius)
        alpha = 2.0 * np.arctan(np.exp(-radius))
    radius[0] = 0.0
    offset = np.full(len(tree), cone_offset(tree, alpha))
    if lengths is None:
        _part_siblings(tree, np.flatnonzero(crowded[tree.parent]), codes.chord, offset, radius)
        radius = np.minimum(radius, max_radius)
    return Layout(radius, nested_directions(tree, codes, alpha, dim, offset, seed))


def _crowded(tree: Hierarchy, dim: int) -> BoolArray:
    """Return which of N nodes have more children than the cross-polytope has points, few of them with children."""
    children = np.bincount(tree.parent[1:], minlength=len(tree))
    inner = np.bincount(tree.parent[1:][children[1:] > 0], minlength=len(tree))
    crowded: BoolArray = (children > 2 * (dim - 2)) & (inner <= MAX_SHARE_INNER * children)
    crowded[0] = False
    return crowded


def _part_siblings(
    tree: Hierarchy, rows: Int64Array, chord: Float64Array, offset: Float64Array, radius: Float64Array
) -> None:
    """Raise the offsets of crowded nodes and the radii of their childless children, in place, until siblings part.

    Args:
        tree: N nodes.
        rows: the children of crowded nodes.
        chord: (N,) smallest distance of two points of each node's code.
        offset: (N,) angles between nodes and children, in half angles of the nodes' cones.
        radius: (N,) radii.
    """
    parent = tree.parent[rows]
    step = radius[rows] - radius[parent]
    wanted = smallest_offset(chord[parent], step)
    offset[parent] = np.maximum(offset[parent], np.minimum(wanted, CROWDED_OFFSET))
    longer = smallest_step(chord[parent], offset[parent])
    childless = np.bincount(tree.parent[1:], minlength=len(tree))[rows] == 0
    raised = childless & (longer > step) & (longer <= MAX_STEP_GAIN * step)
    radius[rows[raised]] = (radius[parent] + longer)[raised]


def smallest_step(chord: Float64Array, offset: Float64Array) -> Float64Array:
    """Return the smallest steps of radius at which siblings are as far apart as from their parent, shape (n,).

    Args:
        chord: (n,) smallest distance of two points of the parents' codes.
        offset: (n,) angles between parents and children, in half angles of the parents' cones.

    Returns:
        Steps up to 3, to hundredths.
    """
    kinds, which = np.unique(np.column_stack([chord, offset]), axis=0, return_inverse=True)
    c, o = kinds[:, :1], kinds[:, 1:]
    apart = np.exp(2.0 * _STEPS) * (c * o) ** 2 / 4.0
    enough = apart >= np.sinh(_STEPS / 2.0) ** 2 + np.exp(_STEPS) * o**2 / 4.0
    enough[:, -1] = True
    steps: Float64Array = _STEPS[enough.argmax(axis=1)][which]
    return steps


def smallest_offset(chord: Float64Array, step: Float64Array) -> Float64Array:
    """Return the smallest offsets, shape (n,), at which siblings are as far apart as from their parent; may be inf.

    Args:
        chord: (n,) smallest distance of two points of the parents' codes.
        step: (n,) difference of the radii of parents and children.
    """
    gain = np.maximum(np.exp(2.0 * step) * chord**2 - np.exp(step), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(2.0 * np.sinh(step / 2.0) / np.sqrt(gain))


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
