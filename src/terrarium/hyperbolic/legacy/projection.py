"""Rescaling of stored rows after a step, compiled: into the ball, or towards the target norms.

Each function returns by how much the sum of the squared penalty gradients grew, which `clip_factor` needs.
"""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.legacy.adam import Table, penalty_gradient_of
from terrarium.hyperbolic.legacy.loss import NORM_FLOOR

_NUDGE_EDGE = 1e-6


@njit(cache=True, inline="always", fastmath=True, error_model="numpy")
def _rescale(table: Table, row: int, factor: float, in_tangent_space: bool) -> float:  # pragma: no cover - compiled
    points, norm, penalty_gradient = table.points, table.norm, table.penalty_gradient
    before = float(penalty_gradient[row]) * float(penalty_gradient[row])
    for i in range(len(points)):
        points[i, row] *= factor
    norm[row] *= factor
    penalty_gradient[row] = penalty_gradient_of(norm[row], table.target[row], in_tangent_space)
    return float(penalty_gradient[row]) * float(penalty_gradient[row]) - before


@njit(cache=True, fastmath=True, error_model="numpy")
def nudge_rows(
    table: Table, rows: Int64Array, fraction: float, in_tangent_space: bool
) -> float:  # pragma: no cover - compiled
    """Move the norms of the rows' ball points by a fraction of the way to their targets; directions stay.

    Args:
        table: the stored rows.
        rows: rows to move.
        fraction: 0 to 1.
        in_tangent_space: whether the stored rows are log-map coordinates at the origin, not ball coordinates.
    """
    grown = 0.0
    for s in range(len(rows)):
        row = rows[s]
        length = float(table.norm[row])
        if length <= NORM_FLOOR:
            continue
        if in_tangent_space:
            wanted = (1.0 - fraction) * np.tanh(0.5 * length) + fraction * table.target[row]
            wanted = 2.0 * np.arctanh(min(max(wanted, _NUDGE_EDGE), 1.0 - _NUDGE_EDGE))
        else:
            wanted = (1.0 - fraction) * length + fraction * table.target[row]
        grown += _rescale(table, row, wanted / length, in_tangent_space)
    return grown


@njit(cache=True, fastmath=True, error_model="numpy")
def project_rows(table: Table, rows: Int64Array, limit: float) -> tuple[float, int]:  # pragma: no cover - compiled
    """Scale the norm of rows beyond the limit back to it.

    Args:
        table: the stored rows.
        rows: rows to look at.
        limit: largest norm.

    Returns:
        Growth of the sum of the squared penalty gradients, and how many rows were scaled.
    """
    grown, beyond = 0.0, 0
    for s in range(len(rows)):
        length = float(table.norm[rows[s]])
        if length > limit:
            grown += _rescale(table, rows[s], limit / length, False)
            beyond += 1
    return grown, beyond


@njit(cache=True, fastmath=True, error_model="numpy")
def project_all(table: Table, limit: float) -> float:  # pragma: no cover - compiled
    """Scale all rows with a norm beyond the limit back to it."""
    grown = 0.0
    norm = table.norm
    for row in range(len(norm)):
        if norm[row] > limit:
            grown += _rescale(table, row, limit / float(norm[row]), False)
    return grown
