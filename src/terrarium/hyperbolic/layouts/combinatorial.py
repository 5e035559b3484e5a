"""The constructed layout: built from the tree without training, children in well separated directions.

After Sarkar (2011) and Sala et al. (2018), in any dimension: the k children of a node and its parent take the k + 1
directions of a spherical code in the tangent space of the node, turned so that its first direction looks back to the
parent. An edge is as long as its node is crowded, since only crowded nodes need room:

    length(k) = scale * (BASE + 2 ln(1 / sin(angle(k) / 2))),

with angle(k) the smallest angle of the code. A long chain thus costs little radius. The scale is the largest, up to a
limit, at which no radius exceeds the given one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Float64Array, Int32Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.geometry.spherical_codes import code_size, smallest_angle, spherical_code

BASE = 1.0
LARGEST_SCALE = 2.0
_HALVINGS = 16
_TINY = 1e-12


class Codes(NamedTuple):
    """The spherical codes around the N nodes of a tree.

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


def construct(tree: Hierarchy, dim: int, max_radius: float) -> Layout:
    """Return the constructed layout of a tree, in O(N d) after the codes are made.

    Args:
        tree: N nodes; only first parents count.
        dim: dimension.
        max_radius: largest hyperbolic radius.
    """
    around = assign_codes(tree, dim)
    radius, direction = np.zeros(len(tree)), np.zeros((len(tree), dim))
    low, high = 0.0, LARGEST_SCALE
    if _build(tree.parent, around, high, radius, direction) > max_radius:
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            if _build(tree.parent, around, middle, radius, direction) > max_radius:
                high = middle
            else:
                low = middle
        _build(tree.parent, around, low, radius, direction)
    return Layout(radius, direction)


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


def sibling_index(tree: Hierarchy) -> Int32Array:
    """Return for each of N nodes how many of its siblings are in rows before it, shape (N,)."""
    by_parent = np.argsort(tree.parent, kind="stable")[1:]
    first = np.searchsorted(tree.parent[by_parent], tree.parent[by_parent])
    index = np.zeros(len(tree), np.int32)
    index[by_parent] = np.arange(len(by_parent)) - first
    return index


def _build(parent: Int32Array, around: Codes, scale: float, radius: Float64Array, direction: Float64Array) -> float:
    """Write the layout of one scale; return its largest radius, infinite where float64 would overflow."""
    length = scale * (BASE + around.crowding)
    back = np.zeros_like(direction)
    return float(_place_rows(parent, around, length, radius, direction, back))


@njit(cache=True, error_model="numpy")
def _place_rows(
    parent: Int32Array,
    around: Codes,
    length: Float64Array,
    radius: Float64Array,
    direction: Float64Array,
    back: Float64Array,
) -> float:  # pragma: no cover - compiled
    """Place each row around its parent, parents first.

    With r, u the parent's polar coordinates, t the length and e the direction of the edge (c = <e, u>, s and w length
    and direction of the rest), the child is in the plane of u and w:
    cosh r' = cosh r cosh t + sinh r sinh t c, and its angle from u is atan2(sinh t s, sinh r cosh t + cosh r sinh t c).
    `back` is the direction from a node to its parent.
    """
    code, start, place = around.code, around.start, around.place
    dim = direction.shape[1]
    e, w = np.zeros(dim), np.zeros(dim)
    largest = 0.0
    for row in range(1, len(parent)):
        above = parent[row]
        t, at = length[above], start[above]
        r = radius[above]
        _turn(code[at], code[at + place[row]], back[above], above == 0, e)
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
        sinh_r, cosh_r, sinh_t, cosh_t = np.sinh(r), np.cosh(r), np.sinh(t), np.cosh(t)
        cosh_new = cosh_r * cosh_t + sinh_r * sinh_t * c
        if not cosh_new < 1e150:
            return np.inf
        new = np.arccosh(max(cosh_new, 1.0))
        angle = np.arctan2(sinh_t * s, sinh_r * cosh_t + cosh_r * sinh_t * c)
        toward = (cosh_new * cosh_t - cosh_r) / max(np.sinh(new) * sinh_t, 1e-300)
        toward = min(1.0, max(-1.0, toward))
        aside = np.sqrt(1.0 - toward * toward)
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
    first: Float64Array, wanted: Float64Array, back: Float64Array, is_root: bool, out: Float64Array
) -> None:  # pragma: no cover - compiled
    """Write the wanted row of a code, reflected so that the code's first row becomes `back`; as it is at the root."""
    length, dot = 0.0, 0.0
    for i in range(len(out)):
        mirror = first[i] - back[i]
        length += mirror * mirror
        dot += mirror * wanted[i]
    f = 0.0 if is_root or length < _TINY else 2.0 * dot / length
    for i in range(len(out)):
        out[i] = wanted[i] - f * (first[i] - back[i])
