"""The Adagrad step on the rows of the table (Duchi, Hazan and Singer 2011), with one accumulator per row.

With g' = g - <g, x> x for rows on the sphere, g' = g for offsets, and s the sum of |g'|^2 over all steps:
x <- x - rate / sqrt(s) g', then normalized on the sphere and divided by 1 + penalty rate / sqrt(s) for offsets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from terrarium.common.kernels import njit
from terrarium.senses.models.operators import normalize

if TYPE_CHECKING:
    from torch import Tensor

TINY = 1e-10


def step_rows(
    rows: Tensor, row_sum: Tensor, touched: Tensor, gradient: Tensor, synsets: int, rate: float, penalty: float
) -> None:
    """Step the rows touched and set their gradients to zero, in PyTorch; arguments as for `step_rows_compiled`."""
    own, moved = (touched < synsets)[:, None], rows.index_select(0, touched)
    along = gradient.index_select(0, touched)
    along = along - own * (along * moved).sum(1, keepdim=True) * moved
    total = row_sum.index_select(0, touched) + along.square().sum(1)
    row_sum.index_copy_(0, touched, total)
    size = rate / (total.sqrt() + TINY)[:, None]
    moved = moved - size * along
    moved = normalize(moved).where(own, moved / (1.0 + penalty * size))
    rows.index_copy_(0, touched, moved)
    gradient.index_fill_(0, touched, 0.0)


@njit(cache=True, nogil=True, fastmath=True)
def step_rows_compiled(
    rows: Any, row_sum: Any, touched: Any, gradient: Any, synsets: int, rate: float, penalty: float
) -> None:  # pragma: no cover - compiled
    """Step the rows touched and set their gradients to zero, compiled for the CPU; threads may share the rows touched.

    Args:
        rows: (N, D) float32, changed; the first `synsets` keep length 1, the others are offsets.
        row_sum: (N,) sums of squared gradients, changed.
        touched: (n,) rows, each once.
        gradient: (N, D), changed.
        synsets: number of rows on the sphere.
        rate: learning rate.
        penalty: weight of the squared length of offsets.
    """
    dim = rows.shape[1]
    zero = np.float32(0)
    for k in range(len(touched)):
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
        size = np.float32(rate / (np.sqrt(row_sum[i]) + TINY))
        length = zero
        for d in range(dim):
            rows[i, d] -= size * gradient[i, d]
            length += rows[i, d] * rows[i, d]
            gradient[i, d] = zero
        factor = np.float32(1 / np.sqrt(length)) if on_sphere else np.float32(1 / (1 + penalty * size))
        for d in range(dim):
            rows[i, d] *= factor
