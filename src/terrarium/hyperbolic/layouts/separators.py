"""Second parents: caps refitted so that they contain all descendants of their node, not only those of the tree.

The layout of caps follows first parents. A descendant through a second parent is outside the cap of that parent and of
its ancestors. In `caps` a node v is below a exactly if d(v, a) <= r_v, so the best direction and radius of a separate
its descendants from all other nodes. They minimise the soft margin

    sum over v of softplus(SHARPNESS * s_v (d(v, a) - r_v) + MARGIN),   s_v = 1 for descendants, -1 for others,

by Adam, started at the cap of the tree and at the mean direction of all descendants. All other nodes stay where they
are. The refitted cap is kept if its sum is smaller than that of the old one. Ancestors are refitted from the deepest to
the shallowest, so that each sees where those below it went.
"""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import BoolArray, Float64Array, Int32Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.common.vectors import normalize_rows
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout

SHARPNESS, MARGIN = 4.0, 0.2
STEPS = 150
MIN_EXTRA_FRACTION = 0.001
"""By default an ancestor is refitted if this fraction of all nodes, and at least one, is below it by further links."""
_RATE_DIRECTION, _RATE_RADIUS, _DECAY = 0.02, 0.1, 0.98
_RATE_OF_CAP = 0.1
"""A step turns a small cap by at most this fraction of its half angle."""
_MIN_RADIUS = 0.01
_MEAN_QUANTILE = 0.02
"""The cap around the mean direction starts with all but this fraction of the descendants."""
_OTHERS, _OTHERS_PER_DESCENDANT = 4000, 4
"""How many nodes that are no descendants count in a refit: those nearest to the cap."""


def refit_caps(tree: Hierarchy, layout: Layout, min_extra: int | None = None) -> Layout:
    """Return a layout of caps in which the caps of ancestors with extra descendants are refitted.

    Args:
        tree: N nodes with second parents.
        layout: as from `cap_layout`.
        min_extra: refit the ancestors that have at least this many descendants outside their subtree of first parents;
            None: by `MIN_EXTRA_FRACTION`.
    """
    if min_extra is None:
        min_extra = max(1, int(MIN_EXTRA_FRACTION * len(tree)))
    ancestor, descendant, _ = tree.closure()
    is_extra = (ancestor > descendant) | (descendant >= tree.end[ancestor])
    extra = np.bincount(ancestor[is_extra], minlength=len(tree))
    by_ancestor = descendant[np.argsort(ancestor, kind="stable")]
    start = np.concatenate([[0], np.cumsum(np.bincount(ancestor, minlength=len(tree)))])
    rows = np.flatnonzero((extra >= min_extra) & (layout.radius > 0.0))
    radius, direction = np.maximum(layout.radius, _MIN_RADIUS), layout.direction.copy()
    for row in rows[np.argsort(-tree.depth[rows], kind="stable")]:
        below = by_ancestor[start[row] : start[row + 1]]
        radius[row], direction[row] = _refit_cap(radius, direction, int(row), below)
    return Layout(np.where(layout.radius > 0.0, np.minimum(radius, layout.radius.max()), 0.0), direction)


def _refit_cap(
    radius: Float64Array, direction: Float64Array, row: int, below: Int32Array
) -> tuple[float, Float64Array]:
    """Return radius and direction of one ancestor, given the rows of its descendants."""
    mean = normalize_rows(direction[below].mean(axis=0)[None])[0]
    cosine = float(np.clip(np.quantile(direction[below] @ mean, _MEAN_QUANTILE), 1e-3, 1.0 - 1e-12))
    starts = [(radius[row], direction[row]), (2.0 * np.arctanh(cosine), mean)]
    is_below = np.zeros(len(radius), np.bool_)
    is_below[below] = True
    nearness = np.maximum(*(direction @ centre - np.tanh(size / 2.0) for size, centre in starts))
    nearness[is_below] = np.inf
    nearness[row] = -np.inf
    count = min(len(below) + max(_OTHERS, _OTHERS_PER_DESCENDANT * len(below)), len(radius) - 1)
    chosen = np.argpartition(-nearness, count - 1)[:count].astype(np.int64)
    best = (_soft_margin(radius, direction, chosen, is_below[chosen], *starts[0]), *starts[0])
    for first_radius, first_direction in starts:
        fitted_radius, fitted = _minimise(radius, direction, chosen, is_below[chosen], first_radius, first_direction)
        value = _soft_margin(radius, direction, chosen, is_below[chosen], fitted_radius, fitted)
        if value < best[0]:
            best = (value, fitted_radius, fitted)
    return best[1], best[2]


@njit(cache=True, error_model="numpy")
def _add_gradient(
    radius: Float64Array,
    direction: Float64Array,
    rows: Int64Array,
    is_below: BoolArray,
    own_radius: float,
    own_direction: Float64Array,
    gradient: Float64Array,
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Return the soft margin of a cap and its derivative by the radius; write that by the direction, (d,).

    With h = cosh d - 1 = 2 sinh^2((r_v - r) / 2) + 1/2 sinh r_v sinh r |u_v - u|^2 and d = ln(1 + h + sqrt(h (h + 2))),
    the derivative of d by h is 1 / sqrt(h (h + 2)).
    """
    gradient[:] = 0.0
    total, by_radius = 0.0, 0.0
    sinh_own, cosh_own = np.sinh(own_radius), np.cosh(own_radius)
    for i in range(len(rows)):
        row = rows[i]
        chord = 0.0
        for k in range(direction.shape[1]):
            step = direction[row, k] - own_direction[k]
            chord += step * step
        sinh_row = np.sinh(radius[row])
        half = np.sinh(0.5 * (radius[row] - own_radius))
        h = 2.0 * half * half + 0.5 * sinh_row * sinh_own * chord
        root = np.sqrt(max(h * (h + 2.0), 1e-24))
        sign = 1.0 if is_below[i] else -1.0
        z = SHARPNESS * sign * (np.log1p(h + root) - radius[row]) + MARGIN
        if z < -40.0:
            continue
        total += z if z > 40.0 else np.log1p(np.exp(z))
        slope = SHARPNESS * sign / (1.0 + np.exp(-z)) / root
        by_radius += slope * (0.5 * sinh_row * cosh_own * chord - np.sinh(radius[row] - own_radius))
        for k in range(direction.shape[1]):
            gradient[k] += slope * sinh_row * sinh_own * (own_direction[k] - direction[row, k])
    return total, by_radius


@njit(cache=True, error_model="numpy")
def _soft_margin(
    radius: Float64Array,
    direction: Float64Array,
    rows: Int64Array,
    is_below: BoolArray,
    own_radius: float,
    own_direction: Float64Array,
) -> float:  # pragma: no cover - compiled
    """Return the soft margin of a cap."""
    gradient = np.zeros(direction.shape[1])
    return _add_gradient(radius, direction, rows, is_below, own_radius, own_direction, gradient)[0]


@njit(cache=True, error_model="numpy")
def _minimise(
    radius: Float64Array,
    direction: Float64Array,
    rows: Int64Array,
    is_below: BoolArray,
    own_radius: float,
    own_direction: Float64Array,
) -> tuple[float, Float64Array]:  # pragma: no cover - compiled
    """Return radius and direction of a cap after `STEPS` steps of Adam from the given ones."""
    dim = direction.shape[1]
    u, r = own_direction.copy(), max(own_radius, _MIN_RADIUS)
    half_angle = 2.0 * np.arctan(np.exp(-r / 2.0))
    rate_u, rate_r = min(_RATE_DIRECTION, _RATE_OF_CAP * half_angle), _RATE_RADIUS
    gradient, first_u, second_u = np.zeros(dim), np.zeros(dim), 0.0
    first_r, second_r = 0.0, 0.0
    for step in range(1, STEPS + 1):
        rate_u, rate_r = rate_u * _DECAY, rate_r * _DECAY
        _, by_radius = _add_gradient(radius, direction, rows, is_below, r, u, gradient)
        along = 0.0
        for k in range(dim):
            along += gradient[k] * u[k]
        square = 0.0
        for k in range(dim):
            gradient[k] -= along * u[k]
            square += gradient[k] * gradient[k]
        unbias_1, unbias_2 = 1.0 - 0.9**step, 1.0 - 0.999**step
        second_u = 0.999 * second_u + 0.001 * square
        first_r = 0.9 * first_r + 0.1 * by_radius
        second_r = 0.999 * second_r + 0.001 * by_radius * by_radius
        norm = 0.0
        for k in range(dim):
            first_u[k] = 0.9 * first_u[k] + 0.1 * gradient[k]
            u[k] -= rate_u * first_u[k] / unbias_1 / (np.sqrt(second_u / unbias_2) + 1e-30)
            norm += u[k] * u[k]
        for k in range(dim):
            u[k] /= np.sqrt(norm)
        r = max(r - rate_r * first_r / unbias_1 / (np.sqrt(second_r / unbias_2) + 1e-30), _MIN_RADIUS)
    return r, u
