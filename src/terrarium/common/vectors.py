"""Tables of vectors (columns x0, x1, ...) and operations on the rows of a matrix."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_COORDINATE = re.compile(r"x\d+")


def coordinate_columns(table: pd.DataFrame) -> list[str]:
    """Return the names of the coordinate columns (x0, x1, ...) in the order of the table."""
    return [name for name in table.columns if _COORDINATE.fullmatch(str(name))]


def coordinate_names(count: int) -> list[str]:
    """Return the names x0, x1, ... of coordinate columns."""
    return [f"x{i}" for i in range(count)]


def coordinates(table: pd.DataFrame) -> NDArray[np.floating]:
    """Return the coordinate columns as an array of shape (rows, dimensions), in the dtype of the table."""
    return table[coordinate_columns(table)].to_numpy()


def normalize_rows(matrix: NDArray[Any], floor: float = 0.0) -> NDArray[Any]:
    """Return the rows divided by their Euclidean norms.

    Args:
        matrix: shape (rows, dimensions).
        floor: smallest divisor. With 0, rows of norm 0 stay 0; with a positive floor, shorter rows stay short.

    Returns:
        An array of the same shape and dtype.
    """
    norms = np.linalg.norm(matrix, axis=-1, keepdims=True)
    divisor = np.maximum(norms, floor) if floor > 0.0 else np.where(norms > 0.0, norms, 1.0)
    normalized: NDArray[Any] = (matrix / divisor).astype(matrix.dtype, copy=False)
    return normalized
