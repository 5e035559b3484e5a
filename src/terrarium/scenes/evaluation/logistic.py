"""Logistic regressions of many labels on the same vectors at once, dense or sparse.

Each label minimises |w|² / 2 + C sum_i v_i log(1 + exp(-y_i (w x_i + b))) with y = -1 or 1 and weights v, as
scikit-learn's `LogisticRegression` does. All labels share one matrix product per step, which is many times faster than
one fit per label.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from terrarium.scenes.evaluation.matrices import Matrix

MAX_ITERATIONS = 300
TOLERANCE = 1e-4
"""Largest remaining derivative of the mean loss."""


def fit_logistic(x: Matrix, labels: np.ndarray, C: float, weights: np.ndarray | None = None) -> np.ndarray:
    """Fit one regression per label by L-BFGS.

    Args:
        x: features, shape (rows, d).
        labels: bool, shape (rows, labels).
        C: inverse regularization strength.
        weights: of each row and label, shape (rows, labels); 1 by default. A label whose rows all weigh 0 gets
            coefficients of 0.

    Returns:
        Coefficients with the intercepts in the last row, shape (d + 1, labels).
    """
    from scipy.optimize import minimize

    sign = np.where(labels, 1.0, -1.0)
    weight = np.ones(labels.shape) if weights is None else weights
    shape = (x.shape[1] + 1, labels.shape[1])
    total = max(float(weight.sum()) / shape[1], 1.0)
    penalty = 1.0 / (C * total)
    to_coefficients, to_gradient = _precondition(x, penalty)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w, b = to_coefficients(flat.reshape(shape)[:-1]), 2.0 * flat.reshape(shape)[-1]
        margin = sign * (x @ w.astype(x.dtype) + b)
        value = (weight * np.logaddexp(0.0, -margin)).sum() / total + penalty * np.square(w).sum() / 2
        by_margin = -sign * weight / (1.0 + np.exp(np.minimum(margin, 500.0))) / total
        gradient = to_gradient(x.T @ by_margin.astype(x.dtype) + penalty * w)
        return float(value), np.concatenate([gradient, 2.0 * by_margin.sum(axis=0)[None]]).ravel()

    options = {"maxiter": MAX_ITERATIONS, "maxfun": 2 * MAX_ITERATIONS, "gtol": TOLERANCE, "ftol": 1e-12, "maxcor": 20}
    solution = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(shape)
    return np.concatenate([to_coefficients(solution[:-1]), 2.0 * solution[-1:]])


def log_odds(x: Matrix, coefficients: np.ndarray) -> np.ndarray:
    """Return the log odds of each label, shape (rows, labels), by the coefficients of `fit_logistic`."""
    return np.asarray(x @ coefficients[:-1] + coefficients[-1], np.float64)


def _precondition(x: Matrix, penalty: float) -> tuple[Callable[[np.ndarray], np.ndarray], ...]:
    """Return maps from the search variables to coefficients, and from their gradients back.

    x'x / 4g + penalty = LL' bounds the second derivatives (Boehning and Lindsay 1988). Searching in L'w takes a few
    dozen steps even where columns are correlated. Sparse columns are searched as they are.
    """
    from scipy import sparse
    from scipy.linalg import cholesky, solve_triangular

    if sparse.issparse(x):
        return np.asarray, np.asarray
    curvature = (x.T @ x).astype(np.float64) / (4.0 * len(x))
    curvature[np.diag_indices_from(curvature)] += penalty + 1e-6
    lower = cholesky(curvature, lower=True)
    to_coefficients = partial(solve_triangular, lower, trans="T", lower=True, check_finite=False)
    return to_coefficients, partial(solve_triangular, lower, lower=True, check_finite=False)
