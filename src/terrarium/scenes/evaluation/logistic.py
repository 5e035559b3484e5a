"""Logistic regressions of many labels on the same vectors at once, dense or sparse.

Each minimises |w|² / 2 + strength * sum_i v_i log(1 + exp(-y_i (w x_i + b))) with y = -1 or 1 and weights v, as
scikit-learn's does; together they cost one matrix product a step where one by one each costs a pass over the vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

Matrix = Any
"""A dense array or a sparse matrix of scipy, rows of graphs."""
STEPS = 300
TOLERANCE = 1e-4
"""The largest derivative left, of the mean loss of a row."""


def dense(matrix: Matrix) -> np.ndarray:
    """The matrix as an array."""
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix)


def scaled(train: Matrix, *others: Matrix) -> list[Matrix]:
    """All with each column divided by its deviation in the first; dense ones less its mean too.

    A regression with a free intercept does not see what is taken from a column, so sparse ones stay sparse.
    """
    from scipy import sparse

    if not sparse.issparse(train):
        mean, deviation = train.mean(axis=0), train.std(axis=0)
        scale = np.where(deviation > 1e-9, deviation, 1.0)
        return [(matrix - mean) / scale for matrix in (train, *others)]
    mean = np.asarray(train.mean(axis=0)).ravel()
    deviation = np.sqrt(np.maximum(np.asarray(train.multiply(train).mean(axis=0)).ravel() - mean**2, 0.0))
    scale = sparse.diags_array(1.0 / np.where(deviation > 1e-9, deviation, 1.0))
    return [sparse.csr_array(matrix @ scale) for matrix in (train, *others)]


def fit_logistic(
    x: Matrix,
    labels: np.ndarray,
    strength: float,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Weights of each label, the intercept last (d + 1, c).

    Args:
        x: rows to fit on (g, d).
        labels: of each row (g, c).
        strength: inverse of the penalty.
        weights: of each row and label (g, c); 1 without. A label whose rows all weigh 0 gets weights of 0.
    """
    from scipy.optimize import minimize

    sign = np.where(labels, 1.0, -1.0)
    weight = np.ones(labels.shape) if weights is None else weights
    shape = (x.shape[1] + 1, labels.shape[1])
    total = max(float(weight.sum()) / shape[1], 1.0)
    penalty = 1.0 / (strength * total)
    inner, outer = _conditioned(x, penalty)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w, b = inner(flat.reshape(shape)[:-1]), 2.0 * flat.reshape(shape)[-1]
        margin = sign * (x @ w.astype(x.dtype) + b)
        value = (weight * np.logaddexp(0.0, -margin)).sum() / total + penalty * np.square(w).sum() / 2
        pull = -sign * weight / (1.0 + np.exp(np.minimum(margin, 500.0))) / total
        slope = outer(x.T @ pull.astype(x.dtype) + penalty * w)
        return float(value), np.concatenate([slope, 2.0 * pull.sum(axis=0)[None]]).ravel()

    options = {"maxiter": STEPS, "maxfun": 2 * STEPS, "gtol": TOLERANCE, "ftol": 1e-12, "maxcor": 20}
    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(shape)
    return np.concatenate([inner(found[:-1]), 2.0 * found[-1:]])


def log_odds(x: Matrix, weights: np.ndarray) -> np.ndarray:
    """Log odds of each label (g, c) by weights of `fit_logistic`."""
    return np.asarray(x @ weights[:-1] + weights[-1], np.float64)


def _conditioned(x: Matrix, penalty: float) -> tuple[Callable[[np.ndarray], np.ndarray], ...]:
    """What makes weights of the variables that are searched, and slopes by them of slopes by weights.

    With x'x / 4g + penalty = LL', which bounds the second derivatives (Boehning and Lindsay 1988), the variables are
    L'w: a few dozen steps are enough where columns depend on each other. Sparse columns are searched as they are.
    """
    from scipy import sparse
    from scipy.linalg import cholesky, solve_triangular

    if sparse.issparse(x):
        return np.asarray, np.asarray
    bend = (x.T @ x).astype(np.float64) / (4.0 * len(x))
    bend[np.diag_indices_from(bend)] += penalty + 1e-6
    lower = cholesky(bend, lower=True)
    inner = partial(solve_triangular, lower, trans="T", lower=True, check_finite=False)
    return inner, partial(solve_triangular, lower, lower=True, check_finite=False)
