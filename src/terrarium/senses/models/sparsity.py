"""Exact zeros: the nearest unit row with at most k nonzero entries.

Keeping the k largest entries and setting the length to 1 is the projection onto {x: |x|_0 <= k, |x| = 1} (Blumensath
and Davies 2009, iterative hard thresholding).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

_CHUNK = 16_384
SMALL = 0.01
"""NAOMI-II counts entries below this absolute value as zeros."""


def count_kept(dim: int, zero_fraction: float) -> int:
    """Return how many entries of a row with `dim` entries are kept for a fraction of exact zeros; at least 1."""
    return max(1, dim - round(zero_fraction * dim))


def largest_entries(rows: Tensor, count: int) -> Tensor:
    """Return a mask (N, D) of the `count` entries of each row (N, D) with the largest absolute values."""
    import torch

    if count >= rows.shape[1]:
        return torch.ones_like(rows, dtype=torch.bool)
    kept = torch.empty_like(rows, dtype=torch.bool)
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK].abs()
        largest = part.topk(count, dim=1, sorted=False).indices
        kept[start : start + _CHUNK] = torch.zeros_like(part, dtype=torch.bool).scatter_(1, largest, True)
    return kept


def zero_fraction(vectors: NDArray[np.floating]) -> float:
    """Return the fraction of entries that are exactly zero."""
    return float((vectors == 0).mean())


def small_fraction(vectors: NDArray[np.floating]) -> float:
    """Return the fraction of entries with |x| < 0.01, which depends on the scale of the vectors."""
    return float((np.abs(vectors) < SMALL).mean())
