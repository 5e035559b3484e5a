"""One Riemannian step of the rows that a batch touches, compiled.

Adam after Becigneul and Ganea (2019): one second moment per row, of the squared Riemannian length of the gradient, so
that the step does not depend on the frame. SGD is plain descent (Bonnabel 2013). The step is the exponential map in
polar coordinates: with tangent (a, b w), w a unit vector at the direction u and t its length,

    sinh r' u' = (sinh r cosh t + cosh r sinh t a/t) u + sinh t b/t w.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.training.cpu.gradients import TINY, Points, SparseGradient

ADAM_BETA1, ADAM_BETA2, ADAM_EPS = 0.9, 0.999, 1e-8


class Moments(NamedTuple):
    """The optimizer's state, changed in place.

    Attributes:
        radial: (N,) radial parts of the first moment.
        angular: (N, d) its angular parts, tangent to the directions.
        second: (N,) second moments.
        steps: (N,) how many steps each row has taken.
    """

    radial: Float64Array
    angular: Float64Array
    second: Float64Array
    steps: Int64Array


class StepSettings(NamedTuple):
    """How rows move.

    Attributes:
        batch_size: pairs per batch.
        learning_rate: step length of Adam; for SGD the factor of the gradient.
        radius_penalty: weight of the squared distance of radii from their targets.
        max_radius: largest radius.
        train_radius: whether radii move.
        adaptive: Adam if true, SGD if false.
    """

    batch_size: int
    learning_rate: float
    radius_penalty: float
    max_radius: float
    train_radius: bool
    adaptive: bool


@njit(cache=True, fastmath=True, error_model="numpy")
def _update_moments(
    u: Float64Array, moments: Moments, row: int, angular: Float64Array, radial: float, settings: StepSettings
) -> float:  # pragma: no cover - compiled
    """Take a row's gradient into its moments; return the factor that makes the first moment a step of rate 1."""
    momentum_r, momentum_u, second, steps = moments.radial, moments.angular, moments.second, moments.steps
    keep = ADAM_BETA1 if settings.adaptive else 0.0
    dot = 0.0
    for i in range(len(u)):
        dot += angular[i] * u[i]
    length = radial * radial if settings.train_radius else 0.0
    for i in range(len(u)):
        g = angular[i] - dot * u[i]
        momentum_u[row, i] = keep * momentum_u[row, i] + (1.0 - keep) * g
        length += g * g
    if settings.train_radius:
        momentum_r[row] = keep * momentum_r[row] + (1.0 - keep) * radial
    if not settings.adaptive:
        return 1.0
    second[row] = ADAM_BETA2 * second[row] + (1.0 - ADAM_BETA2) * length
    steps[row] += 1
    bias1 = 1.0 - ADAM_BETA1 ** steps[row]
    bias2 = 1.0 - ADAM_BETA2 ** steps[row]
    return 1.0 / (bias1 * (np.sqrt(second[row] / bias2) + ADAM_EPS))


@njit(cache=True, fastmath=True, error_model="numpy")
def step_rows(
    points: Points, moments: Moments, rows: Int64Array, gradient: SparseGradient, settings: StepSettings
) -> tuple[float, int]:  # pragma: no cover - compiled
    """Move the touched rows: moments, step and limit of the radius.

    Args:
        points, moments, settings: see their classes.
        rows: (c,) touched rows.
        gradient: their gradients in this order; the angular parts are overwritten.

    Returns:
        The largest radius before the limit, and how many rows would have passed it.
    """
    radius, direction, exponential = points.radius, points.direction, points.exp_radius
    momentum_r, momentum_u = moments.radial, moments.angular
    angular, radial = gradient.angular, gradient.radial
    dim = direction.shape[1]
    largest, beyond = 0.0, 0
    for s in range(len(rows)):
        row = rows[s]
        f = -settings.learning_rate * _update_moments(direction[row], moments, row, angular[s], radial[s], settings)
        a = f * momentum_r[row]
        b2 = 0.0
        for i in range(dim):
            b2 += momentum_u[row, i] * momentum_u[row, i]
        b = abs(f) * np.sqrt(b2)
        t = np.sqrt(a * a + b * b)
        if t < TINY:
            continue
        e = exponential[row]
        sinh_r, cosh_r = 0.5 * (e - 1.0 / e), 0.5 * (e + 1.0 / e)
        et = np.exp(t)
        sinh_t, cosh_t = 0.5 * (et - 1.0 / et), 0.5 * (et + 1.0 / et)
        along = sinh_r * cosh_t + cosh_r * sinh_t * a / t
        across = sinh_t / t * f
        norm = 0.0
        for i in range(dim):
            x = along * direction[row, i] + across * momentum_u[row, i]
            angular[s, i] = x
            norm += x * x
        norm = np.sqrt(norm)
        if norm < TINY:
            continue
        dot = 0.0
        for i in range(dim):
            direction[row, i] = angular[s, i] / norm
            dot += direction[row, i] * momentum_u[row, i]
        for i in range(dim):
            momentum_u[row, i] -= dot * direction[row, i]
        if settings.train_radius:
            reached = np.arcsinh(norm)
            largest = max(largest, reached)
            beyond += reached > settings.max_radius
            radius[row] = min(reached, settings.max_radius)
            exponential[row] = np.exp(radius[row])
    return largest, beyond
