"""The combinatorial layout: edges of given lengths, children in well separated directions around their parent.

After Sarkar (2011) and Sala et al. (2018), in any dimension: the k children of a node and its parent take the k + 1
directions of a spherical code in the tangent space of the node, turned so that its first direction looks back to the
parent (see `child_codes`).

In a tree with branch lengths an edge is scale * branch, so distances approach path lengths as the scale grows. Two
branches that part at the angle a lose 2 ln(1 / sin(a / 2)) of their path, the crowding of the node for its smallest
angle. Without branch lengths each edge makes up for half of it, as far as the scale leaves room:

    length = scale + min(scale, 1/2) * crowding.

A long chain then costs little radius. The scale is the one at which the largest radius is the given one. Near that
radius r, rounding moves a direction by a hyperbolic distance of about eps sinh(r), eps = 2.2e-16. An edge that leaves
its parent at the angle phi from the outward direction is at least ROUNDING sinh(r) sin(phi) long (see `scale`), so that
tiny branches keep their ends apart.
"""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import Float64Array, Int32Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.layouts.child_codes import Codes, assign_codes, axis_shift
from terrarium.hyperbolic.layouts.scale import ROUNDING, solve_scale

SIBLING_SHARE = 0.5
"""Two siblings lose the crowding of their parent together, so each edge makes up for half of it."""
_TINY = 1e-12


def construct(tree: Hierarchy, dim: int, max_radius: float, lengths: Float64Array | None = None) -> Layout:
    """Return the combinatorial layout of a tree, in O(N d) after the codes are made.

    Args:
        tree: N nodes; only first parents count.
        dim: dimension, at least 2.
        max_radius: hyperbolic radius of the farthest node.
        lengths: (N,) length of the branch above each node, 0 at the root; None where the tree has none.
    """
    radius, direction = np.zeros(len(tree)), np.zeros((len(tree), dim))
    direction[0, 0] = 1.0
    if len(tree) == 1:
        return Layout(radius, direction)
    around = assign_codes(tree, dim)
    crowding = np.zeros(len(tree))
    if lengths is None:
        crowding[1:] = around.crowding[tree.parent[1:]]
    unit = np.ones(len(tree)) if lengths is None else lengths
    back = np.zeros_like(direction)
    shift = (tree.depth.astype(np.int64) * axis_shift(dim)) % dim

    def excess(scale: float) -> float:
        edge = scale * unit + min(scale, SIBLING_SHARE) * crowding
        return float(_place_rows(tree.parent, shift, around, edge, radius, direction, back)) - max_radius

    excess(solve_scale(excess, max_radius / float(tree.sum_over_lineage(unit + crowding)[1:].max())))
    return Layout(np.minimum(radius, max_radius), direction)


@njit(cache=True, error_model="numpy")
def _place_rows(
    parent: Int32Array,
    shift: Int64Array,
    around: Codes,
    length: Float64Array,
    radius: Float64Array,
    direction: Float64Array,
    back: Float64Array,
) -> float:  # pragma: no cover - compiled
    """Place each row around its parent, parents first, and return the largest radius.

    With r, u the parent's polar coordinates, t the length and e the direction of the edge (c = <e, u>, s and w length
    and direction of the rest), the child is in the plane of u and w. Its radius r', its angle from u and the angle at
    the child between the origin and the parent are

        cosh r' - 1 = 2 sinh^2((r - t) / 2) + (1 + c) sinh r sinh t,
        atan2(s sinh t, sinh r cosh t + c cosh r sinh t),   atan2(s sinh r, (cosh r' cosh t - cosh r) / sinh t).

    Args:
        parent: (N,) rows of the parents.
        shift: (N,) by how many axes the code around each node is turned.
        around: the codes.
        length: (N,) length of the edge above each node.
        radius, direction: (N,), (N, d) written.
        back: (N, d) written: unit tangents to the parents.
    """
    code, start, place = around.code, around.start, around.place
    dim = direction.shape[1]
    e, w = np.zeros(dim), np.zeros(dim)
    largest = 0.0
    for row in range(1, len(parent)):
        above = parent[row]
        t, at, r = length[row], start[above], radius[above]
        _turn(code[at], code[at + place[row]], shift[above], back[above], above == 0, e)
        if above == 0:
            radius[row] = t
            direction[row] = e
            back[row] = -e
            largest = max(largest, t)
            continue
        c, s = 0.0, 0.0
        for i in range(dim):
            c += e[i] * direction[above, i]
        for i in range(dim):
            w[i] = e[i] - c * direction[above, i]
            s += w[i] * w[i]
        s = np.sqrt(s)
        for i in range(dim):
            w[i] = w[i] / s if s > _TINY else 0.0
        sinh_r, cosh_r = np.sinh(r), np.cosh(r)
        t = max(t, ROUNDING * sinh_r * s)
        sinh_t, cosh_t = np.sinh(t), np.cosh(t)
        half = np.sinh(0.5 * (r - t))
        new = 2.0 * np.arcsinh(np.sqrt(max(half * half + 0.5 * (1.0 + c) * sinh_r * sinh_t, 0.0)))
        angle = np.arctan2(s * sinh_t, sinh_r * cosh_t + c * cosh_r * sinh_t)
        turn = np.arctan2(s * sinh_r, (np.cosh(new) * cosh_t - cosh_r) / sinh_t)
        toward, aside = np.cos(turn), np.sin(turn)
        ca, sa = np.cos(angle), np.sin(angle)
        norm_u, norm_b = 0.0, 0.0
        for i in range(dim):
            u_new = ca * direction[above, i] + sa * w[i]
            w_new = ca * w[i] - sa * direction[above, i]
            b_new = -toward * u_new - aside * w_new
            direction[row, i], back[row, i] = u_new, b_new
            norm_u += u_new * u_new
            norm_b += b_new * b_new
        for i in range(dim):
            direction[row, i] /= np.sqrt(norm_u)
            back[row, i] /= np.sqrt(norm_b)
        radius[row] = new
        largest = max(largest, new)
    return largest


@njit(cache=True, error_model="numpy")
def _turn(
    first: Float64Array, wanted: Float64Array, shift: int, back: Float64Array, is_root: bool, out: Float64Array
) -> None:  # pragma: no cover - compiled
    """Write the wanted row of a code, reflected so that the code's first row becomes `back`; as it is at the root."""
    dim = len(out)
    length, dot = 0.0, 0.0
    for i in range(dim):
        j = i - shift if i >= shift else i - shift + dim
        mirror = first[j] - back[i]
        length += mirror * mirror
        dot += mirror * wanted[j]
    f = 0.0 if is_root or length < _TINY else 2.0 * dot / length
    for i in range(dim):
        j = i - shift if i >= shift else i - shift + dim
        out[i] = wanted[j] - f * (first[j] - back[i])
