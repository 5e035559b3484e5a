"""The soft margin between the descendants of a node and the other nodes, and its minimum over one cap or cone.

The score of a node v under a is s = d(v, a) - r_v + w r_a - t. It is at most 0 exactly if v is in the cap of a (w = 0,
t = 0), or if the detour of a seen from v is at most t (w = 1). The soft margin is

    sum over v of weight_v softplus(4 sign_v s + 0.2),   sign_v = 1 for descendants, -1 for others.

Since exp(d) = 1 + h + sqrt(h (h + 2)) with h = cosh d - 1, exp(4 s) is the fourth power of exp(d - r_v + w r_a - t),
and the derivatives need no logarithm and no exponential function.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.common.kernels import njit

MARGIN = 0.2
MIN_RADIUS = 0.01
STEPS = 80
_RATE_DIRECTION, _RATE_RADIUS, _DECAY = 0.02, 0.1, 0.96
_RATE_OF_CAP = 0.1
"""A step turns a small cap by at most this fraction of its half angle."""


class Score(NamedTuple):
    """What decides whether a node is below another.

    Attributes:
        own_radius: w, the weight of the radius of the ancestor: 0 for caps, 1 for cones.
        threshold: t.
    """

    own_radius: float
    threshold: float

    def half_angle(self, radius: float) -> float:
        """Return the half angle of the cap or cone of a node."""
        return float(2.0 * np.arctan(np.exp(-radius * 0.5 * (1.0 + self.own_radius))))

    def radius(self, half_angle: float) -> float:
        """Return the radius of the node with a cap or cone of this half angle."""
        return float(-2.0 / (1.0 + self.own_radius) * np.log(np.tan(0.5 * half_angle)))


class Sides(NamedTuple):
    """The n nodes that a cap separates.

    Attributes:
        radius: (n,) their radii.
        direction: (n, d) their unit rows.
        sign: (n,) 1 for descendants, -1 for others.
        weight: (n,) their weights.
    """

    radius: Float64Array
    direction: Float64Array
    sign: Float64Array
    weight: Float64Array


def soft_margin(sides: Sides, score: Score, radius: float, direction: Float64Array) -> float:
    """Return the soft margin of a cap, from its radius and its (d,) direction."""
    chord = np.square(sides.direction - direction).sum(axis=1)
    h = 2.0 * np.square(np.sinh(0.5 * (sides.radius - radius))) + 0.5 * np.sinh(sides.radius) * np.sinh(radius) * chord
    distance = np.log1p(h + np.sqrt(h * (h + 2.0)))
    s = distance - sides.radius + score.own_radius * radius - score.threshold
    return float(sides.weight @ np.logaddexp(0.0, 4.0 * sides.sign * s + MARGIN))


def minimize_soft_margin(
    sides: Sides, score: Score, radius: float, direction: Float64Array, max_radius: float
) -> tuple[float, Float64Array]:
    """Return radius and direction after `STEPS` steps of Adam from the given ones.

    Args:
        sides: the nodes that are separated.
        score: cap or cone.
        radius: radius of the start.
        direction: (d,) direction of the start.
        max_radius: no radius is larger.
    """
    rate = min(_RATE_DIRECTION, _RATE_OF_CAP * score.half_angle(radius))
    exp_radius = np.exp(sides.radius)
    return _descend(
        exp_radius, 1.0 / exp_radius, *sides[1:], *score, max(radius, MIN_RADIUS), direction, rate, max_radius
    )


@njit(cache=True, error_model="numpy")
def add_gradient(
    exp_radius: Float64Array,
    inverse: Float64Array,
    sides_direction: Float64Array,
    sign: Float64Array,
    weight: Float64Array,
    own_radius: float,
    threshold: float,
    radius: float,
    direction: Float64Array,
    gradient: Float64Array,
) -> float:  # pragma: no cover - compiled
    """Return the derivative of the soft margin by the radius; write that by the direction, (d,).

    Args:
        exp_radius, inverse: (n,) exp(r) and exp(-r) of the nodes that are separated.
        sides_direction, sign, weight: as in `Sides`.
        own_radius, threshold: as in `Score`.
        radius: of the cap.
        direction: (d,) of the cap.
        gradient: (d,) is overwritten.
    """
    gradient[:] = 0.0
    by_radius = 0.0
    exp_own, margin = np.exp(radius), np.exp(MARGIN)
    inverse_own = 1.0 / exp_own
    sinh_own, cosh_own = 0.5 * (exp_own - inverse_own), 0.5 * (exp_own + inverse_own)
    shift = np.exp(own_radius * radius - threshold)
    for i in range(len(exp_radius)):
        chord = 0.0
        for k in range(len(gradient)):
            step = sides_direction[i, k] - direction[k]
            chord += step * step
        sinh_row = 0.5 * (exp_radius[i] - inverse[i])
        larger, smaller = exp_radius[i] * inverse_own, inverse[i] * exp_own
        h = max(0.5 * (larger + smaller) - 1.0 + 0.5 * sinh_row * sinh_own * chord, 0.0)
        root = np.sqrt(h * (h + 2.0) + 1e-24)
        power = (1.0 + h + root) * inverse[i] * shift
        power *= power
        power *= power
        power *= margin if sign[i] > 0.0 else 1.0
        slope = 4.0 * weight[i] * (power / (1.0 + power) if sign[i] > 0.0 else -margin / (margin + power))
        by_distance = slope / root
        by_radius += own_radius * slope
        by_radius += by_distance * (0.5 * sinh_row * cosh_own * chord - 0.5 * (larger - smaller))
        by_distance *= sinh_row * sinh_own
        for k in range(len(gradient)):
            gradient[k] += by_distance * (direction[k] - sides_direction[i, k])
    return by_radius


@njit(cache=True, error_model="numpy")
def _descend(
    exp_radius: Float64Array,
    inverse: Float64Array,
    sides_direction: Float64Array,
    sign: Float64Array,
    weight: Float64Array,
    own_radius: float,
    threshold: float,
    radius: float,
    direction: Float64Array,
    rate: float,
    max_radius: float,
) -> tuple[float, Float64Array]:  # pragma: no cover - compiled
    """Return radius and direction after the steps of Adam; the direction has one second moment, its squared length."""
    dim = len(direction)
    u, r, rate_r = direction.copy(), radius, _RATE_RADIUS
    gradient, first_u, second_u = np.zeros(dim), np.zeros(dim), 0.0
    first_r, second_r = 0.0, 0.0
    for step in range(1, STEPS + 1):
        rate, rate_r = rate * _DECAY, rate_r * _DECAY
        by_radius = add_gradient(
            exp_radius, inverse, sides_direction, sign, weight, own_radius, threshold, r, u, gradient
        )
        along, square, norm = 0.0, 0.0, 0.0
        for k in range(dim):
            along += gradient[k] * u[k]
        for k in range(dim):
            gradient[k] -= along * u[k]
            square += gradient[k] * gradient[k]
        unbias_1, unbias_2 = 1.0 - 0.9**step, 1.0 - 0.999**step
        second_u = 0.999 * second_u + 0.001 * square
        first_r = 0.9 * first_r + 0.1 * by_radius
        second_r = 0.999 * second_r + 0.001 * by_radius * by_radius
        for k in range(dim):
            first_u[k] = 0.9 * first_u[k] + 0.1 * gradient[k]
            u[k] -= rate * first_u[k] / unbias_1 / (np.sqrt(second_u / unbias_2) + 1e-30)
            norm += u[k] * u[k]
        for k in range(dim):
            u[k] /= np.sqrt(norm)
        r = r - rate_r * first_r / unbias_1 / (np.sqrt(second_r / unbias_2) + 1e-30)
        r = min(max(r, MIN_RADIUS), max_radius)
    return r, u
