"""Loss and gradient of single pairs in the ball, compiled; `legacy.loss` states them in PyTorch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.legacy.adam import Table
from terrarium.hyperbolic.legacy.loss import EPS, NORM_FLOOR


class BatchPoints(NamedTuple):
    """The ball points of the rows of a batch, by slot.

    Attributes:
        ball: (C, d) ball coordinates.
        square: (C,) squared norms, at most 1 - EPS.
        free: (C,) 1 where the squared norm is below that and has a derivative, else 0.
    """

    ball: Float64Array
    square: Float64Array
    free: Float64Array


@njit(cache=True, fastmath=True, error_model="numpy")
def gather_points(
    table: Table, rows: Int64Array, in_tangent_space: bool, batch: BatchPoints
) -> None:  # pragma: no cover - compiled
    """Fill `batch` with the ball points of the rows.

    Args:
        table: the stored rows.
        rows: (c,) rows of the batch; their places are its slots.
        in_tangent_space: whether the stored rows are log-map coordinates at the origin, not ball coordinates.
        batch: filled.
    """
    points, norm = table.points, table.norm
    ball, square, free = batch.ball, batch.square, batch.free
    for i in range(len(points)):
        for s in range(len(rows)):
            ball[s, i] = points[i, rows[s]]
    for s in range(len(rows)):
        if in_tangent_space:
            length = max(float(norm[rows[s]]), NORM_FLOOR)
            share = np.tanh(0.5 * length) / length
            for i in range(len(points)):
                ball[s, i] *= share
        total = 0.0
        for i in range(len(points)):
            total += ball[s, i] * ball[s, i]
        free[s] = 1.0 if total <= 1.0 - EPS else 0.0
        square[s] = min(total, 1.0 - EPS)


@njit(cache=True, inline="always", fastmath=True, error_model="numpy")
def _gap(batch: BatchPoints, a: int, b: int) -> tuple[float, float, float]:  # pragma: no cover - compiled
    """Return cosh d - 1, |u - v|^2 and the denominator of the distance."""
    ball, square = batch.ball, batch.square
    q = 0.0
    for i in range(ball.shape[1]):
        difference = ball[a, i] - ball[b, i]
        q += difference * difference
    denominator = (1.0 - square[a]) * (1.0 - square[b]) + EPS
    return 2.0 * q / denominator + EPS, q, denominator


@njit(cache=True, fastmath=True, error_model="numpy")
def _add_distance_gradient(
    batch: BatchPoints, gradient: Float64Array, a: int, b: int, gap: tuple[float, float, float], scale: float
) -> None:  # pragma: no cover - compiled
    """Add scale * dd(a, b) to the gradients of both slots; a clamped norm has none."""
    ball, square, free = batch.ball, batch.square, batch.free
    h, q, denominator = gap
    f = 4.0 * scale / (np.sqrt(h * (h + 2.0)) * denominator)
    along_a = f * q / denominator * (1.0 - square[b]) * free[a]
    along_b = f * q / denominator * (1.0 - square[a]) * free[b]
    for i in range(ball.shape[1]):
        step = f * (ball[a, i] - ball[b, i])
        gradient[a, i] += step + along_a * ball[a, i]
        gradient[b, i] += along_b * ball[b, i] - step


@njit(cache=True, fastmath=True, error_model="numpy")
def margin_ranking_pair(
    batch: BatchPoints,
    gradient: Float64Array,
    anchor: int,
    positive: int,
    negatives: Int64Array,
    margin: float,
    weight: float,
) -> float:  # pragma: no cover - compiled
    """Return weight * mean_j max(0, d(anchor, positive) - d(anchor, n_j) + margin), and add its gradient.


    Args:
        batch: ball points by slot.
        gradient: (C, d), to which the gradient by ball coordinates is added.
        anchor, positive: slots.
        negatives: (K,) slots.
        margin, weight: of the pair.
    """
    gap_p = _gap(batch, anchor, positive)
    h_p = gap_p[0]
    bound = np.log1p(h_p + np.sqrt(h_p * (h_p + 2.0))) + margin
    share = weight / len(negatives)
    loss, active = 0.0, 0
    for j in range(len(negatives)):
        n = negatives[j]
        gap = _gap(batch, anchor, n)
        h = gap[0]
        hinge = bound - np.log1p(h + np.sqrt(h * (h + 2.0)))
        if hinge > 0.0:
            loss += hinge
            active += 1
            _add_distance_gradient(batch, gradient, anchor, n, gap, -share)
    if active:
        _add_distance_gradient(batch, gradient, anchor, positive, gap_p, share * active)
    return loss * share


@njit(cache=True, fastmath=True, error_model="numpy")
def pull_back_gradient(
    table: Table, rows: Int64Array, in_tangent_space: bool, gradient: Float64Array
) -> None:  # pragma: no cover - compiled
    """Turn gradients by ball coordinates x into gradients by the stored rows z, x = tanh(|z| / 2) z / |z|, in place.

    Args:
        table: the stored rows.
        rows: (c,) rows of the batch; their places are its slots.
        in_tangent_space: whether the stored rows are log-map coordinates at the origin, not ball coordinates.
        gradient: (c, d) gradients by ball coordinates, changed in place.
    """
    if not in_tangent_space:
        return
    points, norm = table.points, table.norm
    for s in range(len(rows)):
        row = rows[s]
        length = max(float(norm[row]), NORM_FLOOR)
        rho = np.tanh(0.5 * length)
        across, along = rho / length, 0.5 * (1.0 - rho * rho)
        dot = 0.0
        for i in range(len(points)):
            dot += gradient[s, i] * points[i, row]
        radial = (along - across) * dot / (length * length)
        for i in range(len(points)):
            gradient[s, i] = across * gradient[s, i] + radial * points[i, row]
