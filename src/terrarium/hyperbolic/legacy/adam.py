"""torch's Adam over all rows, compiled, with the gradient of the radius penalty made on the way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.training.cpu.step import ADAM_BETA1, ADAM_BETA2, ADAM_EPS

_BLOCK = 2048
_CLIP_EPS = 1e-6
_TINY_MOMENTUM, _TINY_SECOND = 1e-30, 1e-36


class Table(NamedTuple):
    """The stored rows, transposed so that a pass over the table runs along rows; changed in place.

    Attributes:
        points: (d, N) ball coordinates, or log-map coordinates at the origin; float32 (float64 in tests).
        norm: (N,) norms of the stored rows.
        penalty_gradient: (N,) half the derivative of (|x| - target)^2 by the norm of the stored row, x the ball point.
        target: (N,) target norms of the ball points.
    """

    points: NDArray[np.floating]
    norm: NDArray[np.floating]
    penalty_gradient: NDArray[np.floating]
    target: NDArray[np.floating]


class Moments(NamedTuple):
    """Adam's state, changed in place: (d, N) moments, and how many steps were taken, (1,)."""

    first: NDArray[np.floating]
    second: NDArray[np.floating]
    steps: Int64Array


class AdamBuffers(NamedTuple):
    """What `adam_pass` reads and overwrites.

    Attributes:
        extra: (d, N) gradient of the loss.
        share, square: buffers of a block of rows.
        constants: penalty factor, clip factor, learning rate over bias 1, one over the root of bias 2, both betas and
            their complements, eps; in the dtype of the table, which keeps the loops narrow.
    """

    extra: NDArray[np.floating]
    share: NDArray[np.floating]
    square: NDArray[np.floating]
    constants: NDArray[np.floating]


@njit(cache=True, inline="always", fastmath=True, error_model="numpy")
def penalty_gradient_of(length: float, target: float, in_tangent_space: bool) -> float:  # pragma: no cover - compiled
    """Return half the derivative of (|x| - target)^2 by the norm of the stored row."""
    if not in_tangent_space:
        return length - target
    rho = np.tanh(0.5 * length)
    return (rho - target) * 0.5 * (1.0 - rho * rho)


@njit(cache=True, fastmath=True, error_model="numpy")
def measure_rows(table: Table, in_tangent_space: bool) -> float:  # pragma: no cover - compiled
    """Fill norms and penalty gradients of all rows; return the sum of the squared penalty gradients."""
    points, norm, penalty_gradient, target = table.points, table.norm, table.penalty_gradient, table.target
    total = 0.0
    for row in range(len(norm)):
        square = 0.0
        for i in range(len(points)):
            square += points[i, row] * points[i, row]
        norm[row] = np.sqrt(square)
        penalty_gradient[row] = penalty_gradient_of(norm[row], target[row], in_tangent_space)
        total += penalty_gradient[row] * penalty_gradient[row]
    return total


@njit(cache=True, fastmath=True, error_model="numpy")
def clip_factor(
    table: Table, rows: Int64Array, gradient: Float64Array, squared_sum: float, strength: float, clip: float
) -> float:  # pragma: no cover - compiled
    """Return what scales the gradient of the whole table to a norm of at most `clip` (torch's clip_grad_norm_).

    strength^2 * squared_sum is the squared gradient of the penalty; the rows of the batch also have the gradient of the
    loss.

    Args:
        table: see its class.
        rows: (c,) rows of the batch.
        gradient: (c, d) gradients of the loss.
        squared_sum: sum of the squared penalty gradients.
        strength: factor of the penalty gradients in the gradient.
        clip: largest norm; 0 does not clip.
    """
    points, norm, penalty_gradient = table.points, table.norm, table.penalty_gradient
    if clip <= 0.0:
        return 1.0
    total = strength * strength * squared_sum
    for s in range(len(rows)):
        row = rows[s]
        share = 2.0 * strength * penalty_gradient[row] / norm[row] if norm[row] > 0.0 else 0.0
        for i in range(len(points)):
            g = gradient[s, i]
            total += g * (share * points[i, row] + g)
    return min(1.0, clip / (np.sqrt(total) + _CLIP_EPS))


@njit(cache=True)
def make_buffers(table: Table) -> AdamBuffers:  # pragma: no cover - compiled
    """Return the buffers of a table."""
    points = table.points
    return AdamBuffers(
        np.zeros(points.shape, points.dtype),
        np.empty(_BLOCK, points.dtype),
        np.empty(_BLOCK, points.dtype),
        np.empty(9, points.dtype),
    )


@njit(cache=True)
def set_constants(
    constants: NDArray[np.floating], strength: float, clip: float, learning_rate: float, steps: int
) -> None:  # pragma: no cover - compiled
    """Fill in what `adam_pass` multiplies by at a step of Adam, from 1."""
    constants[0], constants[1] = strength, clip
    constants[2] = learning_rate / (1.0 - ADAM_BETA1**steps)
    constants[3] = 1.0 / np.sqrt(1.0 - ADAM_BETA2**steps)
    constants[4], constants[5] = ADAM_BETA1, 1.0 - ADAM_BETA1
    constants[6], constants[7] = ADAM_BETA2, 1.0 - ADAM_BETA2
    constants[8] = ADAM_EPS


@njit(cache=True, fastmath=True, error_model="numpy")
def adam_pass(
    table: Table, moments: Moments, buffers: AdamBuffers, in_tangent_space: bool
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Take one step of Adam, torch's defaults, for every row.

    Returns:
        Sum of the squared penalty gradients and largest norm, after the step.
    """
    points, norm, penalty_gradient, target = table.points, table.norm, table.penalty_gradient, table.target
    momentum, second = moments.first, moments.second
    extra, constants = buffers.extra, buffers.constants
    strength, clip, step, root = constants[0], constants[1], constants[2], constants[3]
    beta1, rest1, beta2, rest2, eps = constants[4], constants[5], constants[6], constants[7], constants[8]
    zero, tiny_m, tiny_v = (
        constants.dtype.type(0.0),
        constants.dtype.type(_TINY_MOMENTUM),
        constants.dtype.type(_TINY_SECOND),
    )
    squared_sum, largest = 0.0, 0.0
    for start in range(0, len(norm), _BLOCK):
        stop = min(start + _BLOCK, len(norm))
        share, square = buffers.share[: stop - start], buffers.square[: stop - start]
        length, slope, goal = norm[start:stop], penalty_gradient[start:stop], target[start:stop]
        for j in range(len(share)):
            share[j] = strength * slope[j] / length[j] if length[j] > zero else zero
            square[j] = zero
        for i in range(len(points)):
            x, m, v, e = points[i, start:stop], momentum[i, start:stop], second[i, start:stop], extra[i, start:stop]
            for j in range(len(x)):
                g = clip * (share[j] * x[j] + e[j])
                m_new = beta1 * m[j] + rest1 * g
                v_new = beta2 * v[j] + rest2 * g * g
                # numbers this small are slow and change nothing
                m_new = m_new if abs(m_new) > tiny_m else zero
                v_new = v_new if v_new > tiny_v else zero
                x_new = x[j] - step * m_new / (np.sqrt(v_new) * root + eps)
                m[j], v[j], x[j] = m_new, v_new, x_new
                square[j] += x_new * x_new
        block, most = zero, zero
        for j in range(len(share)):
            length[j] = np.sqrt(square[j])
            most = max(most, length[j])
        if in_tangent_space:
            for j in range(len(share)):
                slope[j] = penalty_gradient_of(length[j], goal[j], True)
                block += slope[j] * slope[j]
        else:
            for j in range(len(share)):
                slope[j] = length[j] - goal[j]
                block += slope[j] * slope[j]
        squared_sum += float(block)
        largest = max(largest, float(most))
    return squared_sum, largest
