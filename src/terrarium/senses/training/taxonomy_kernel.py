"""The taxonomy loss and its gradient, compiled for the CPU: `losses.taxonomy_losses` in one pass over each row."""

from __future__ import annotations

from typing import Any

import numpy as np

from terrarium.common.kernels import njit


@njit(cache=True, fastmath=True)
def add_taxonomy_gradient(
    rows: Any, kept: Any, first: Any, second: Any, similarity: Any, factor: float, width: int, gradient: Any
) -> float:  # pragma: no cover - compiled
    """Return the sum over pairs of (cosine - similarity)^2 and add `factor` times its gradient to `gradient`.

    Args:
        rows: (N, D) float32 entries.
        kept: (N, D) mask of the entries that count.
        first, second: (P,) rows of the pairs.
        similarity: (P,) target cosines.
        factor: factor on the gradient.
        width: number of leading dimensions that count.
        gradient: (N, D) float32, changed.
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
        error = cosine - similarity[k]
        total += error * error
        by_cosine = np.float32(2 * factor * error)
        cross, by_own, by_other = by_cosine / length, by_cosine * cosine / own, by_cosine * cosine / other
        for d in range(width):
            x = rows[i, d] if kept[i, d] else zero
            y = rows[j, d] if kept[j, d] else zero
            gradient[i, d] += cross * y - by_own * x
            gradient[j, d] += cross * x - by_other * y
    return total
