"""Exact zeros: the nearest unit row with at most k entries that are not zero.

Keeping the k largest entries and setting the length to 1 is the projection on {x: |x|_0 <= k, |x| = 1}, the proximal
step of that constraint (Blumensath and Davies 2009, iterative hard thresholding).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

_CHUNK = 16_384
DOCUMENTED_THRESHOLD = 0.01


def kept_entries(dim: int, share: float) -> int:
    """How many entries of a row stay when a share of exact zeros is asked for; one at least."""
    return max(1, dim - round(share * dim))


def support(rows: Tensor, kept: int) -> Tensor:
    """Which entries (N, D) are kept: the `kept` largest of each row."""
    import torch

    if kept >= rows.shape[1]:
        return torch.ones_like(rows, dtype=torch.bool)
    found = torch.empty_like(rows, dtype=torch.bool)
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK].abs()
        largest = part.topk(kept, dim=1, sorted=False).indices
        found[start : start + _CHUNK] = torch.zeros_like(part, dtype=torch.bool).scatter_(1, largest, True)
    return found


def exact_zero_share(vectors: NDArray[np.floating]) -> float:
    """Share of entries that are zero."""
    return float((vectors == 0).mean())


def small_share(vectors: NDArray[np.floating]) -> float:
    """Share of entries with |x| < 0.01, which the documents call sparsity; it depends on the scale alone."""
    return float((np.abs(vectors) < DOCUMENTED_THRESHOLD).mean())
