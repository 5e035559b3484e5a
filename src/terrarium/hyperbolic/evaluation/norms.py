"""Norms of the points, and their correlation with depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terrarium.common.statistics import pearson, spearman
from terrarium.hyperbolic.geometry.ball import norm_of_radius


def depth_correlations(depth: ArrayLike, radius: ArrayLike) -> dict[str, float]:
    """Correlate depth with Euclidean norm and with hyperbolic radius.

    The norm tanh(r / 2) saturates near 1, so the two Pearson coefficients may differ much. The Spearman coefficients
    agree as long as float64 can tell the norms apart.

    Args:
        depth: (N,) depths.
        radius: (N,) hyperbolic radii.

    Returns:
        depth_norm_pearson, depth_norm_spearman, depth_radius_pearson, depth_radius_spearman.
    """
    norm = norm_of_radius(radius)
    return {
        "depth_norm_pearson": pearson(depth, norm),
        "depth_norm_spearman": spearman(depth, norm),
        "depth_radius_pearson": pearson(depth, radius),
        "depth_radius_spearman": spearman(depth, radius),
    }


def norm_statistics(depth: ArrayLike, norm: NDArray[np.floating]) -> dict[str, float]:
    """Summarise the Euclidean norms of points, which need not be below 1, and correlate them with depth.

    Args:
        depth: (N,) depths.
        norm: (N,) norms, judged in their own dtype; NaN counts as outside the ball.

    Returns:
        depth_norm_pearson, max_norm, mean_norm, min_norm, and fraction_outside: the fraction of norms of 1 or more.
    """
    return {
        "depth_norm_pearson": pearson(depth, norm),
        "fraction_outside": float(np.mean(~(norm < 1.0))),
        "max_norm": float(norm.max()),
        "mean_norm": float(norm.mean(dtype=np.float64)),
        "min_norm": float(norm.min()),
    }
