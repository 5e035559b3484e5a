"""Learning rates as functions of the progress of a training."""

from __future__ import annotations

import math


def geometric_rate(first: float, last: float, epoch: int, epochs: int) -> float:
    """Return the learning rate of an epoch, which changes by a constant factor per epoch and stays at the last one.

    Args:
        first, last: learning rates of the first and the last epoch, above 0.
        epoch: from 1.
        epochs: number of epochs.
    """
    return float(first * (last / first) ** (min(epoch - 1, epochs - 1) / max(epochs - 1, 1)))


def cosine_rate(rate: float, min_ratio: float, progress: float) -> float:
    """Return the rate after a fraction `progress` (0 to 1) of a cosine decay from `rate` to `min_ratio` times it.

    rate (m + (1 - m)(1 + cos(pi p)) / 2), Loshchilov and Hutter (2017).
    """
    return rate * (min_ratio + (1.0 - min_ratio) * (1.0 + math.cos(math.pi * min(progress, 1.0))) / 2.0)
