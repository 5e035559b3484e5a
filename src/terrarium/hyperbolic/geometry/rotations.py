"""Orthogonal maps of many rows at once."""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import Float64Array

_TINY = 1e-12


def reflect_rows(rows: Float64Array, source: Float64Array, target: Float64Array) -> Float64Array:
    """Return each row under the reflection that takes its source to its target: x - 2 <x, m> m / |m|^2, m = s - t.

    Args:
        rows: shape (n, d).
        source, target: shape (n, d) or (d,), of equal length row by row. Where they agree, the row stays as it is.
    """
    mirror = source - target
    length = (mirror * mirror).sum(axis=-1)
    factor = np.where(length > _TINY, 2.0 * (rows * mirror).sum(axis=-1) / np.maximum(length, _TINY), 0.0)
    reflected: Float64Array = rows - factor[..., None] * mirror
    return reflected
