"""Correlations with one convention for constant input: scipy's coefficients, and 0 where one is undefined."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def pearson(a: ArrayLike, b: ArrayLike) -> float:
    """Return Pearson's r of two samples of equal length; 0 if either is constant or has fewer than two values."""
    from scipy.stats import pearsonr

    return float(pearsonr(*_samples(a, b)).statistic) if _varies(a) and _varies(b) else 0.0


def spearman(a: ArrayLike, b: ArrayLike) -> float:
    """Return Spearman's rho (ties at their mean rank); 0 if either sample is constant or has fewer than two values."""
    from scipy.stats import spearmanr

    return float(spearmanr(*_samples(a, b)).statistic) if _varies(a) and _varies(b) else 0.0


def _samples(a: ArrayLike, b: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(a, np.float64), np.asarray(b, np.float64)


def _varies(sample: ArrayLike) -> bool:
    values = np.asarray(sample)
    return values.size > 1 and bool((values != values[0]).any())
