"""How well distances reproduce path lengths in the tree: hops, or branch lengths where the links have them."""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.build import patristic_distance
from terrarium.hyperbolic.geometry.ball import Layout, pairwise

_CHUNK = 1 << 18


def distortion(
    tree: Hierarchy, layout: Layout, *, max_pairs: int, seed: int, root_distance: Float64Array | None = None
) -> dict[str, float]:
    """Compare distances with path lengths along first parents, over all pairs or a uniform sample of them.

    d is the hyperbolic distance, g the path length and s = sum(g d) / sum(d^2) the scale that fits best (Sala et al.
    2018).

    Args:
        tree: N nodes.
        layout: their points.
        max_pairs: most pairs to compare.
        seed: seed of the sample.
        root_distance: (N,) distances from the root in the tree; by default every link counts 1, so g is in hops.

    Returns:
        hops_spearman: Spearman's rho of d and g; distortion_mean: mean |s d / g - 1|; distortion_worst:
        max(d / g) / min(d / g), a lower bound if the pairs are a sample; distortion_pairs: number of pairs. A value
        that is undefined or infinite, as the worst distortion where two taxa coincide, is left out.
    """
    a, b = sample_pairs(len(tree), max_pairs, seed)
    from_root = tree.depth.astype(np.float64) if root_distance is None else root_distance
    path, distance = np.empty(len(a)), np.empty(len(a))
    for start in range(0, len(a), _CHUNK):
        part = slice(start, start + _CHUNK)
        path[part] = patristic_distance(tree, from_root, a[part], b[part])
        distance[part] = pairwise(layout, a[part], b[part])
    metrics = {**_compare_lengths(distance, path), "distortion_pairs": float(len(a))}
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def sample_pairs(size: int, max_pairs: int, seed: int) -> tuple[Int64Array, Int64Array]:
    """Return the rows a < b of all pairs of `size` rows, or of a uniform sample of distinct pairs."""
    total = size * (size - 1) // 2
    if total <= max_pairs:
        a, b = np.triu_indices(size, 1)
        return a.astype(np.int64), b.astype(np.int64)
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, size, max_pairs), rng.integers(0, size - 1, max_pairs)
    b += b >= a
    keys = np.unique(np.minimum(a, b) * size + np.maximum(a, b))
    return keys // size, keys % size


def _compare_lengths(distance: Float64Array, path: Float64Array) -> dict[str, float]:
    from scipy.stats import spearmanr

    scale = float(path @ distance) / max(float(distance @ distance), 1e-300)
    ratio = distance / path
    smallest = float(ratio.min())
    is_defined = np.ptp(distance) and np.ptp(path)
    return {
        "hops_spearman": float(spearmanr(distance, path).statistic) if is_defined else float("nan"),
        "distortion_mean": float(np.abs(scale * ratio - 1.0).mean()),
        "distortion_worst": float(ratio.max()) / smallest if smallest > 0.0 else float("inf"),
    }
