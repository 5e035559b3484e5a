"""Batches of an epoch."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Row = TypeVar("Row", bound=np.integer)


def split_batches(order: NDArray[Row], size: int, min_last: int = 2) -> list[NDArray[Row]]:
    """Split the rows of an epoch into batches.

    A last batch of a single row joins the one before it: batch normalisation and contrastive losses need two rows.
    So does one that is too small for all processes to have a part of it.

    Args:
        order: shape (n,), rows in the order of the epoch.
        size: rows of a batch, at least 1.
        min_last: rows that a last batch needs to stay one.

    Returns:
        Arrays of `size` rows each, the last one up to `size + min_last - 1`; empty without rows.
    """
    if not len(order):
        return []
    cuts = list(range(size, len(order), size))
    if cuts and len(order) - cuts[-1] < min_last:
        cuts.pop()
    return np.split(order, cuts)


def split_part(rows: NDArray[Row], rank: int, size: int) -> NDArray[Row]:
    """Return the part of a batch that process `rank` of `size` trains on; the parts follow each other.

    Raises:
        ValueError: a process would have no row.
    """
    if len(rows) < size:
        raise ValueError(f"A batch of {len(rows)} rows is too small for {size} processes: start fewer")
    return np.array_split(rows, size)[rank]
