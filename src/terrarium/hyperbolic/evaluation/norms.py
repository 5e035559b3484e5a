"""Depth against distance from the origin, and the norms of the points."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terrarium.hyperbolic.geometry.ball import norm_of_radius
from terrarium.hyperbolic.geometry.precision import row_norms


def pearson(a: ArrayLike, b: ArrayLike) -> float:
    """Pearson's correlation; 0 where one side is constant."""
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt((x @ x) * (y @ y))
    return float(np.clip(x @ y / scale, -1.0, 1.0)) if scale > 0.0 else 0.0


def spearman(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's rank correlation, ties at their mean rank; 0 where one side is constant."""
    from scipy.stats import rankdata

    return pearson(rankdata(np.asarray(a)), rankdata(np.asarray(b)))


def depth_correlations(depth: ArrayLike, radius: ArrayLike) -> dict[str, float]:
    """Depth against Euclidean norm and against hyperbolic radius, Pearson and Spearman.

    The norm saturates near 1 at large radii, so the two Pearson figures may differ much; the ranks of norm and radius
    agree as long as float64 tells the norms apart.

    Args:
        depth: (N,) depths.
        radius: (N,) hyperbolic radii.
    """
    norm = norm_of_radius(radius)
    return {
        "depth_norm_pearson": pearson(depth, norm),
        "depth_norm_spearman": spearman(depth, norm),
        "depth_radius_pearson": pearson(depth, radius),
        "depth_radius_spearman": spearman(depth, radius),
    }


def norm_statistics(points: NDArray[np.floating]) -> dict[str, float]:
    """Smallest, mean and largest norm of (N, d) ball points, and the share outside, in the dtype of the points."""
    norm = row_norms(points)
    return {
        "min_norm": float(norm.min()),
        "mean_norm": float(norm.mean(dtype=np.float64)),
        "max_norm": float(norm.max()),
        "share_outside": float(np.mean(~(norm < 1.0))),
    }


def norm_numbers(depth: ArrayLike, norm: ArrayLike) -> dict[str, float]:
    """Statistics of Euclidean norms that need not lie below 1, and Pearson's correlation of them with depth.

    Args:
        depth: (N,) depths.
        norm: (N,) norms.
    """
    x = np.asarray(norm, np.float64)
    return {
        "depth_norm_pearson": pearson(depth, x),
        "share_outside": float(np.mean(~(x < 1.0))),
        "max_norm": float(x.max()),
        "min_norm": float(x.min()),
        "mean_norm": float(x.mean()),
    }
