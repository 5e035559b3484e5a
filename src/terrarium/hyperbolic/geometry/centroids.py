"""Weighted centroids in hyperbolic space."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terrarium.common.arrays import Float64Array
from terrarium.hyperbolic.geometry.ball import Layout

_TOLERANCE = 1e-12


def lorentz_centroids(
    layout: Layout, group: NDArray[np.integer], groups: int, weights: ArrayLike | None = None
) -> Layout:
    """Return the Lorentz centroid of each group of points.

    It is the point of the hyperboloid in the direction of sum_i w_i (cosh r_i, sinh r_i u_i), which minimises the
    weighted sum of cosh distances (Law et al. 2019): its radius is artanh(|space| / time).

    Args:
        layout: n points.
        group: (n,) number of the group of each point, below `groups`.
        groups: number of groups; each has at least one point.
        weights: (n,) positive weights; None for equal ones.

    Returns:
        One point per group; a centroid at the origin gets the first axis as direction.
    """
    weight = np.ones(len(layout)) if weights is None else np.asarray(weights, np.float64)
    largest: Float64Array = np.full(groups, -np.inf)
    np.maximum.at(largest, group, layout.radius)
    # everything is scaled by exp(-largest radius of the group), so that nothing overflows
    grown = weight * np.exp(layout.radius - largest[group])
    shrunk = weight * np.exp(-layout.radius - largest[group])
    sinh = 0.5 * (grown - shrunk)
    time = np.bincount(group, 0.5 * (grown + shrunk), groups)
    space = np.stack([np.bincount(group, sinh * layout.direction[:, i], groups) for i in range(layout.dim)], axis=1)
    length = np.linalg.norm(space, axis=1)
    direction = np.zeros((groups, layout.dim))
    direction[:, 0] = 1.0
    np.divide(space, length[:, None], out=direction, where=length[:, None] > _TOLERANCE * time[:, None])
    # t - |s| summed term by term, since t and |s| agree to more digits than float64 has at large radii
    chord = np.square(layout.direction - direction[group]).sum(axis=1)
    lag = np.bincount(group, shrunk + 0.5 * sinh * chord, groups)
    radius = 0.5 * np.log(np.maximum((2.0 * time - lag) / lag, 1.0))
    return Layout(radius, direction)
