"""Graphs classified in folds by a support vector machine, its kernel and C chosen within the training folds."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from terrarium.scenes.evaluation.probes import standardised

KERNELS = {"linear": None, "rbf": 1.0}
"""The g of exp(-g |x - y|² / m), m the mean of |x - y|² over the training folds."""
C_GRID = (0.1, 1.0, 10.0, 100.0)
INNER_FOLDS, _STEPS = 3, 20_000


@dataclass(frozen=True)
class Fold:
    """Accuracy on the test fold, and within the training folds with what was chosen there."""

    accuracy: float
    inner: float
    kernel: str


def classify(vectors: np.ndarray, label: np.ndarray, folds: int, seed: int, *, scaled: bool = True) -> list[Fold]:
    """Each fold of vectors (g, ·), of which the test fold is seen once, after all is chosen.

    Args:
        vectors: of the graphs.
        label: classes (g).
        folds: how many, stratified by class.
        seed: of the folds.
        scaled: take mean and deviation of the training folds out of every column first.
    """
    from sklearn.model_selection import StratifiedKFold

    split = StratifiedKFold(folds, shuffle=True, random_state=seed).split(vectors, label)
    return [_fold(vectors.astype(np.float64), label, train, test, seed, scaled=scaled) for train, test in split]


def _fold(
    vectors: np.ndarray, label: np.ndarray, train: np.ndarray, test: np.ndarray, seed: int, *, scaled: bool
) -> Fold:
    x = standardised(vectors[train], vectors)[1] if scaled else vectors
    found = []
    for kernel, width in KERNELS.items():
        products = gram(x, train, width)
        for strength in C_GRID:
            found.append((_inner(products, label, train, strength, seed), -strength, kernel))
    inner, strength, kernel = max(found, key=lambda entry: entry[:2])
    products = gram(x, train, KERNELS[kernel])
    return Fold(_accuracy(products, label, train, test, -strength), inner, kernel)


def gram(x: np.ndarray, train: np.ndarray, width: float | None) -> np.ndarray:
    """Inner products by the mean squared length of the training rows, or the RBF kernel, of all pairs (g, g)."""
    products = x @ x.T
    square = np.diag(products)
    if width is None:
        return products / max(float(square[train].mean()), 1e-12)
    distance = np.maximum(square[:, None] + square[None, :] - 2.0 * products, 0.0)
    return np.exp(-width * distance / max(float(distance[np.ix_(train, train)].mean()), 1e-12))


def _inner(products: np.ndarray, label: np.ndarray, train: np.ndarray, strength: float, seed: int) -> float:
    """Mean accuracy over folds of the training folds."""
    from sklearn.model_selection import StratifiedKFold

    split = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed).split(train, label[train])
    return float(np.mean([_accuracy(products, label, train[fit], train[check], strength) for fit, check in split]))


def _accuracy(products: np.ndarray, label: np.ndarray, fit: np.ndarray, check: np.ndarray, strength: float) -> float:
    """Of a machine fitted on some rows, on others; one that needs more than `_STEPS` is judged by where it stopped."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import SVC

    model = SVC(kernel="precomputed", C=strength, max_iter=_STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(products[np.ix_(fit, fit)], label[fit])
    return float(model.score(products[np.ix_(check, fit)], label[check]))
