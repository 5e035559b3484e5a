"""NAOMI-II's loss and optimizer, compiled: squared error of distances, Adam on the whole table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from terrarium.common.kernels import njit

# Kingma and Ba (2015), torch's defaults
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@njit(cache=True, fastmath=True)
def add_gradient(
    rows: Any, head: Any, tail: Any, target: Any, scale: float, gradient: Any
) -> float:  # pragma: no cover - compiled
    """Return the sum of (|e_h - e_t| - target)^2 over edges and add `scale` times its gradient to `gradient`.

    Args:
        rows: (N, D) float32.
        head, tail: (E,) rows of the ends.
        target: (E,) float32 target distances.
        scale: factor on the gradient; 0 computes none.
        gradient: (N, D) float32, changed.
    """
    total = 0.0
    dim = rows.shape[1]
    for k in range(len(head)):
        i, j = head[k], tail[k]
        square = np.float32(0)
        for d in range(dim):
            step = rows[i, d] - rows[j, d]
            square += step * step
        distance = np.sqrt(square)
        error = distance - target[k]
        total += error * error
        if scale > 0 and distance > 0:
            factor = np.float32(2 * scale * error / distance)
            for d in range(dim):
                force = factor * (rows[i, d] - rows[j, d])
                gradient[i, d] += force
                gradient[j, d] -= force
    return total


@njit(cache=True, parallel=True, fastmath=True)
def adam_step(
    rows: Any, gradient: Any, first: Any, second: Any, step: int, rate: float, clip: float, l1: float
) -> None:  # pragma: no cover - compiled
    """Step all rows by Adam and set the gradient to zero.

    Args:
        rows: (N, D) float32, changed.
        gradient: (N, D), changed.
        first, second: (N, D) Adam's moments, changed.
        step: number of the step, from 1.
        rate: learning rate.
        clip: largest norm of the gradient of the whole table; 0: not clipped.
        l1: factor on the sign of each entry, added to the gradient.
    """
    norm = 0.0
    for i in prange(rows.shape[0]):
        part = 0.0
        for d in range(rows.shape[1]):
            gradient[i, d] += np.float32(l1) * np.sign(rows[i, d])
            part += gradient[i, d] * gradient[i, d]
        norm += part
    factor = np.float32(min(1.0, clip / (np.sqrt(norm) + 1e-6)) if clip > 0 else 1.0)
    rate = rate / (1 - BETA1**step)
    root = np.sqrt(1 - BETA2**step)
    for i in prange(rows.shape[0]):
        for d in range(rows.shape[1]):
            g = gradient[i, d] * factor
            m = np.float32(BETA1) * first[i, d] + np.float32(1 - BETA1) * g
            v = np.float32(BETA2) * second[i, d] + np.float32(1 - BETA2) * g * g
            first[i, d], second[i, d] = m, v
            rows[i, d] -= np.float32(rate) * m / (np.sqrt(v) / np.float32(root) + np.float32(EPSILON))
            gradient[i, d] = 0
