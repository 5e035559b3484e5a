"""Angles for a picture in two dimensions, and what such a picture keeps.

The angle of a taxon comes from a circular order of the directions in which neighbours are similar: Ward clustering of a
sample of directions (landmarks), with its leaves in the order of the shortest tour (Bar-Joseph, Gifford and Jaakkola
2001); every other taxon is at its nearest landmark. The order depends on the vectors alone, never on names or groups. A
projection on two principal components keeps large distances somewhat better and small ones much worse.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array

NEIGHBOURS = 10
_LANDMARKS = 800
_CHECKED = 500


def circular_order(direction: Float64Array, landmarks: int = _LANDMARKS) -> Float64Array:
    """Return angles such that taxa with similar directions are neighbours on the circle.

    Args:
        direction: (N, d) unit rows.
        landmarks: number of directions that are ordered; the others go to the nearest of these.

    Returns:
        (N,) angles in [0, 2 pi).
    """
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial import cKDTree
    from scipy.spatial.distance import pdist

    different = np.unique(direction, axis=0)
    if len(different) < 3:
        return np.pi * (direction @ different[0] < 0.0).astype(np.float64)
    chosen = different[np.random.default_rng(0).permutation(len(different))[:landmarks]]
    gap = pdist(chosen)
    chosen = chosen[leaves_list(optimal_leaf_ordering(linkage(chosen, "ward"), gap))]
    _, nearest = cKDTree(chosen).query(direction)
    before, after = (np.linalg.norm(direction - chosen[(nearest + k) % len(chosen)], axis=1) for k in (-1, 1))
    lean = 0.5 * (before - after) / np.maximum(before + after, 1e-300)
    angle: Float64Array = np.mod((nearest + lean) * (2.0 * np.pi / len(chosen)), 2.0 * np.pi)
    return angle


class Faithfulness(NamedTuple):
    """What the picture keeps of the ball.

    Attributes:
        neighbours: mean share of a taxon's 10 nearest in the ball that are among its 10 nearest in the disk.
        distances: Pearson's correlation of the distances in the ball and in the disk.
    """

    neighbours: float
    distances: float


def faithfulness(direction: Float64Array, radius: Float64Array, angle: Float64Array) -> Faithfulness:
    """Measure what the picture keeps, over at most 500 taxa; NaN where it is undefined.

    Args:
        direction: (N, d) unit rows.
        radius: (N,) hyperbolic radii.
        angle: (N,) angles in the picture.
    """
    count = len(radius)
    flat = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    queries = np.random.default_rng(0).permutation(count)[:_CHECKED]
    true, drawn = (_distances(rows, radius, queries) for rows in (direction, flat))
    others = np.arange(count)[None, :] != queries[:, None]
    pairs = np.stack([true[others], drawn[others]])
    if count < 3 or (pairs.std(axis=1) == 0.0).any():
        return Faithfulness(float("nan"), float("nan"))
    nearest = min(NEIGHBOURS, count - 1)
    first, second = (
        np.argpartition(np.where(others, d, np.inf), nearest - 1, axis=1)[:, :nearest] for d in (true, drawn)
    )
    kept = (first[:, :, None] == second[:, None, :]).any(axis=2).mean()
    return Faithfulness(float(kept), float(np.corrcoef(pairs)[0, 1]))


def _distances(direction: Float64Array, radius: Float64Array, queries: Int64Array) -> Float64Array:
    """Return (Q, N) hyperbolic distances; 1 - cos(angle) by a matrix product, which is exact enough for a picture."""
    apart = np.maximum(1.0 - direction[queries] @ direction.T, 0.0)
    near = 2.0 * np.square(np.sinh((radius[queries][:, None] - radius) / 2.0))
    distances: Float64Array = 2.0 * np.arcsinh(
        np.sqrt((near + np.sinh(radius[queries])[:, None] * np.sinh(radius) * apart) / 2.0)
    )
    return distances
