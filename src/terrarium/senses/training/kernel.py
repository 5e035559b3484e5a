"""What an epoch spends most time on, compiled for the CPU: the taxonomy's pairs, and the step of the rows.

Both do what `objective.taxonomy_losses` and `table.step_rows` state in PyTorch, in one pass over each row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

_TINY = 1e-10


@njit(cache=True, fastmath=True)
def add_taxonomy_gradient(
    rows: Any, kept: Any, first: Any, second: Any, similarity: Any, factor: float, width: int, gradient: Any
) -> float:  # pragma: no cover - compiled
    """Sum over pairs of (cosine of the kept entries - similarity)^2; `factor` times its gradient is added.

    Args:
        rows, kept: (N, D) entries, and which of them count.
        first, second: (P,) rows.
        similarity: (P,) what the cosines should be.
        factor: of the gradient.
        width: first dimensions that count.
        gradient: (N, D), changed.
    """
    total = 0.0
    zero = np.float32(0)
    for k in range(len(first)):
        i, j = first[k], second[k]
        across, own, other = zero, zero, zero
        for d in range(width):
            x = rows[i, d] if kept[i, d] else zero
            y = rows[j, d] if kept[j, d] else zero
            across += x * y
            own += x * x
            other += y * y
        if own == 0 or other == 0:
            total += similarity[k] ** 2
            continue
        length = np.sqrt(own * other)
        cosine = across / length
        miss = cosine - similarity[k]
        total += miss * miss
        by_cosine = np.float32(2 * factor * miss)
        cross, back, forth = by_cosine / length, by_cosine * cosine / own, by_cosine * cosine / other
        for d in range(width):
            x = rows[i, d] if kept[i, d] else zero
            y = rows[j, d] if kept[j, d] else zero
            gradient[i, d] += cross * y - back * x
            gradient[j, d] += cross * x - forth * y
    return total


@njit(cache=True, parallel=True, fastmath=True)
def step_rows(
    rows: Any, row_sum: Any, touched: Any, gradient: Any, synsets: int, rate: float, penalty: float
) -> None:  # pragma: no cover - compiled
    """Adagrad's step of the rows touched; their gradients are set to zero.

    Args:
        rows: (N, D), changed; those below `synsets` keep length 1.
        row_sum: (N,) sums of squared gradients, changed.
        touched: (n,) rows, each once.
        gradient: (N, D), changed.
        synsets: rows that lie on the sphere; the others are offsets.
        rate, penalty: learning rate, and weight of the squared length of offsets.
    """
    dim = rows.shape[1]
    zero = np.float32(0)
    for k in prange(len(touched)):
        i = touched[k]
        on_sphere = i < synsets
        radial = zero
        if on_sphere:
            for d in range(dim):
                radial += gradient[i, d] * rows[i, d]
        square = zero
        for d in range(dim):
            gradient[i, d] -= radial * rows[i, d]
            square += gradient[i, d] * gradient[i, d]
        row_sum[i] += square
        size = np.float32(rate / (np.sqrt(row_sum[i]) + _TINY))
        length = zero
        for d in range(dim):
            rows[i, d] -= size * gradient[i, d]
            length += rows[i, d] * rows[i, d]
            gradient[i, d] = zero
        factor = np.float32(1 / np.sqrt(length)) if on_sphere else np.float32(1 / (1 + penalty * size))
        for d in range(dim):
            rows[i, d] *= factor
