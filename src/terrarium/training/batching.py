"""Batches of an epoch."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Row = TypeVar("Row", bound=np.integer)


def split_batches(order: NDArray[Row], size: int) -> list[NDArray[Row]]:
    """Split the rows of an epoch into batches.

    A last batch of a single row joins the one before it: batch normalisation and contrastive losses need two rows.

    Args:
        order: shape (n,), rows in the order of the epoch.
        size: rows of a batch, at least 1.

    Returns:
        Arrays of `size` rows each, the last one up to `size + 1`; empty without rows.
    """
    if not len(order):
        return []
    cuts = list(range(size, len(order), size))
    if cuts and len(order) - cuts[-1] == 1:
        cuts.pop()
    return np.split(order, cuts)
