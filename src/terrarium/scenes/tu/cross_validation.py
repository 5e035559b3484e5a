"""Cross-validated classification of graphs by a support vector machine, whose kernel and C inner folds choose."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from terrarium.scenes.evaluation.matrices import standardize

KERNELS = {"linear": None, "rbf": 1.0}
"""g of the RBF kernel exp(-g |x - y|² / m), with m the mean of |x - y|² over the training rows."""
C_GRID = (0.1, 1.0, 10.0, 100.0)
INNER_SPLITS, _MAX_ITERATIONS = 3, 20_000


@dataclass(frozen=True)
class Fold:
    """The accuracy on a test fold, the accuracy of the inner cross-validation, and the kernel that it chose."""

    accuracy: float
    inner_accuracy: float
    kernel: str


def cross_validate(
    vectors: np.ndarray, label: np.ndarray, n_splits: int, seed: int, *, scale: bool = True
) -> list[Fold]:
    """Classify vectors in stratified folds; a test fold is used once, after everything is chosen.

    Args:
        vectors: shape (graphs, d).
        label: classes (graphs,).
        n_splits: number of folds.
        seed: of the folds.
        scale: standardize the columns by the training folds.
    """
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(n_splits, shuffle=True, random_state=seed).split(vectors, label)
    return [_classify(vectors.astype(np.float64), label, train, test, seed, scale=scale) for train, test in folds]


def _classify(
    vectors: np.ndarray, label: np.ndarray, train: np.ndarray, test: np.ndarray, seed: int, *, scale: bool
) -> Fold:
    x = standardize(vectors[train], vectors)[1] if scale else vectors
    grams = {kernel: gram_matrix(x, train, gamma) for kernel, gamma in KERNELS.items()}
    tried = [
        (_inner_accuracy(gram, label, train, C, seed), -C, kernel) for kernel, gram in grams.items() for C in C_GRID
    ]
    inner, negative_C, kernel = max(tried, key=lambda entry: entry[:2])
    return Fold(_accuracy(grams[kernel], label, train, test, -negative_C), inner, kernel)


def gram_matrix(x: np.ndarray, train: np.ndarray, gamma: float | None) -> np.ndarray:
    """Return the kernel of all pairs of rows (graphs, graphs), scaled by the training rows.

    Args:
        x: shape (graphs, d).
        train: training rows.
        gamma: g of `KERNELS`; None for inner products divided by the mean squared length.
    """
    products = x @ x.T
    square = np.diag(products)
    if gamma is None:
        return products / max(float(square[train].mean()), 1e-12)
    distance = np.maximum(square[:, None] + square[None, :] - 2.0 * products, 0.0)
    return np.exp(-gamma * distance / max(float(distance[np.ix_(train, train)].mean()), 1e-12))


def _inner_accuracy(gram: np.ndarray, label: np.ndarray, train: np.ndarray, C: float, seed: int) -> float:
    """Return the mean accuracy of a cross-validation within the training rows."""
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(INNER_SPLITS, shuffle=True, random_state=seed).split(train, label[train])
    return float(np.mean([_accuracy(gram, label, train[fit], train[check], C) for fit, check in folds]))


def _accuracy(gram: np.ndarray, label: np.ndarray, fit: np.ndarray, check: np.ndarray, C: float) -> float:
    """Return the accuracy on `check` of a machine fitted on `fit`, converged or not after `_MAX_ITERATIONS`."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import SVC

    model = SVC(kernel="precomputed", C=C, max_iter=_MAX_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(gram[np.ix_(fit, fit)], label[fit])
    return float(model.score(gram[np.ix_(check, fit)], label[check]))
