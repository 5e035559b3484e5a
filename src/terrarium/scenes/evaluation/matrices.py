"""Matrices with one row per graph, dense or sparse, and their standardization."""

from __future__ import annotations

from typing import Any

import numpy as np

Matrix = Any
"""A dense array or a sparse scipy matrix."""


def to_dense(matrix: Matrix) -> np.ndarray:
    """Return the matrix as a dense array."""
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix)


def standardize(train: Matrix, *others: Matrix) -> list[Matrix]:
    """Scale every column by its mean and standard deviation in `train`.

    Sparse columns keep their mean, so that they stay sparse: a regression with a free intercept does not see it.

    Args:
        train: shape (rows, columns); its statistics are used for all matrices.
        others: matrices with the same columns.

    Returns:
        The scaled matrices, `train` first.
    """
    from scipy import sparse
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler(with_mean=not sparse.issparse(train)).fit(train)
    return [scaler.transform(matrix) for matrix in (train, *others)]
