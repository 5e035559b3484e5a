"""How well distances give back the hops of the tree, or the lengths of its paths."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Floats, Layout, pairwise

_CHUNK = 1 << 18


def distortion(
    tree: Hierarchy, layout: Layout, *, pairs: int, seed: int, way: Floats | None = None
) -> dict[str, float]:
    """Distances against hops (by first parents), over all pairs or a uniform sample of them.

    With d the distance, g the hops and s = sum(g d) / sum(d^2), the scale that fits best (Sala et al. 2018):

    hops_spearman: rank correlation of d and g; distortion_mean: mean |s d / g - 1|;
    distortion_worst: max(d / g) / min(d / g), of a sample a lower bound, left out where two taxa coincide;
    distortion_pairs: how many pairs.

    Args:
        tree: N nodes.
        layout: their points.
        pairs: how many pairs at most.
        seed: of the sample.
        way: (N,) lengths of the ways from the root, whose paths then take the place of hops.
    """
    a, b = choose_pairs(len(tree), pairs, seed)
    length = tree.depth.astype(np.float64) if way is None else way
    hops, found = np.empty(len(a)), np.empty(len(a))
    for start in range(0, len(a), _CHUNK):
        part = slice(start, start + _CHUNK)
        hops[part] = path_lengths(tree, length, a[part], b[part])
        found[part] = pairwise(layout, a[part], b[part])
    numbers = {**_compare(found, hops), "distortion_pairs": float(len(a))}
    return {name: value for name, value in numbers.items() if np.isfinite(value)}


def path_lengths(tree: Hierarchy, way: Floats, a: NDArray[np.integer], b: NDArray[np.integer]) -> Floats:
    """Lengths of the paths between rows by first parents, from the lengths of the ways from the root."""
    lengths: Floats = way[a] + way[b] - 2.0 * way[tree.lca(a, b)]
    return lengths


def choose_pairs(size: int, pairs: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows a < b of all pairs of `size` rows, or of a uniform sample of different ones."""
    total = size * (size - 1) // 2
    if total <= pairs:
        a, b = np.triu_indices(size, 1)
        return a.astype(np.int64), b.astype(np.int64)
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, size, pairs), rng.integers(0, size - 1, pairs)
    b += b >= a
    keys = np.unique(np.minimum(a, b) * size + np.maximum(a, b))
    return keys // size, keys % size


def _compare(found: Floats, hops: Floats) -> dict[str, float]:
    scale = float(hops @ found) / max(float(found @ found), 1e-300)
    ratio = found / hops
    least = float(ratio.min())
    return {
        "hops_spearman": float(spearmanr(found, hops).statistic) if np.ptp(found) and np.ptp(hops) else float("nan"),
        "distortion_mean": float(np.abs(scale * ratio - 1.0).mean()),
        "distortion_worst": float(ratio.max()) / least if least > 0.0 else float("inf"),
    }
