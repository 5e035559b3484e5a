"""The Poincaré ball in polar coordinates.

A point is its hyperbolic distance from the origin (radius) and a unit direction; in the ball it is tanh(radius / 2)
times the direction. Radius and direction are stored separately because ball coordinates lose radii beyond about 36 to
rounding in float64 (Mishne et al. 2023), and the pair does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terrarium.common.arrays import Float64Array


@dataclass(frozen=True, eq=False)
class Layout:
    """Points of the ball.

    Attributes:
        radius: (N,) hyperbolic distance from the origin, at least 0.
        direction: (N, d) unit rows.
    """

    radius: Float64Array
    direction: Float64Array

    def __len__(self) -> int:
        return len(self.radius)

    @property
    def dim(self) -> int:
        """Dimension of the ball."""
        return self.direction.shape[1]


def excess(r1: ArrayLike, u1: ArrayLike, r2: ArrayLike, u2: ArrayLike) -> Float64Array:
    """Return cosh d - 1 of two points, without cancellation; broadcasts over leading axes.

    h = 2 sinh^2((r1 - r2) / 2) + 1/2 sinh r1 sinh r2 |u1 - u2|^2, from the hyperbolic law of cosines with
    1 - cos(angle) = |u1 - u2|^2 / 2.
    """
    r1, r2 = np.asarray(r1, np.float64), np.asarray(r2, np.float64)
    chord = np.square(np.asarray(u1, np.float64) - np.asarray(u2, np.float64)).sum(axis=-1)
    return 2.0 * np.square(np.sinh((r1 - r2) / 2.0)) + 0.5 * np.sinh(r1) * np.sinh(r2) * chord


def distance(r1: ArrayLike, u1: ArrayLike, r2: ArrayLike, u2: ArrayLike) -> Float64Array:
    """Return the hyperbolic distance d = 2 asinh(sqrt(h / 2)) with h = cosh d - 1 (see `excess`)."""
    return 2.0 * np.arcsinh(np.sqrt(excess(r1, u1, r2, u2) / 2.0))


def detour(r1: ArrayLike, u1: ArrayLike, r2: ArrayLike, u2: ArrayLike) -> Float64Array:
    """Return r2 + d - r1: at least 0, and 0 if point 2 is on the geodesic from the origin to point 1.

    It equals 2 (r2 - Gromov product of the two points at the origin).
    """
    return np.asarray(r2, np.float64) + distance(r1, u1, r2, u2) - np.asarray(r1, np.float64)


def cap_margin(r1: ArrayLike, u1: ArrayLike, r2: ArrayLike, u2: ArrayLike) -> Float64Array:
    """Return d - r1: at most 0 exactly if the direction of point 1 is in the cap of point 2.

    The cap of a point of norm |x| has the half angle arccos(|x| / tanh r1) around its direction (see `layouts.caps`).
    """
    return distance(r1, u1, r2, u2) - np.asarray(r1, np.float64)


def pairwise(layout: Layout, a: NDArray[np.integer], b: NDArray[np.integer]) -> Float64Array:
    """Return the distances between the rows a and b of a layout; broadcasts."""
    return distance(layout.radius[a], layout.direction[a], layout.radius[b], layout.direction[b])


def norm_of_radius(radius: ArrayLike) -> Float64Array:
    """Return the Euclidean norm tanh(r / 2) in the ball."""
    return np.tanh(np.asarray(radius, np.float64) / 2.0)


def radius_of_norm(norm: ArrayLike) -> Float64Array:
    """Return the hyperbolic radius 2 artanh(norm)."""
    return 2.0 * np.arctanh(np.asarray(norm, np.float64))


def to_ball(layout: Layout) -> Float64Array:
    """Return the (N, d) float64 points of the ball, each row strictly inside.

    Where rounding would put a row on the sphere, it is scaled to the largest norm below 1 in float64; the radius keeps
    the true value.
    """
    points = norm_of_radius(layout.radius)[:, None] * layout.direction
    norm = np.linalg.norm(points, axis=1)
    limit = 1.0 - 4.0 * np.finfo(np.float64).eps
    outside = norm > limit
    points[outside] *= (limit / norm[outside])[:, None]
    return points


def from_ball(points: ArrayLike) -> Layout:
    """Return the polar form of (N, d) ball points; the origin gets the first axis as direction.

    Raises:
        ValueError: a row on or outside the unit sphere.
    """
    x = np.asarray(points, np.float64)
    norm = np.linalg.norm(x, axis=1)
    if (norm >= 1.0).any():
        raise ValueError(f"row {int(np.argmax(norm >= 1.0))} has norm {norm.max():.6g}: ball points have norm below 1")
    direction = np.zeros_like(x)
    direction[:, 0] = 1.0
    np.divide(x, norm[:, None], out=direction, where=norm[:, None] > 0.0)
    return Layout(radius=radius_of_norm(norm), direction=direction)
