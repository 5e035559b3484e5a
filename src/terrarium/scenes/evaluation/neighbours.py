"""Distances and nearest neighbours of points that belong to scenes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CHUNK = 1024
"""Rows whose distances are held at once."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest points of other scenes, nearest first.

    Attributes:
        rows: which they are (g, m).
        distance: how far (g, m); infinite where the other scenes have fewer than m points.
    """

    rows: np.ndarray
    distance: np.ndarray

    def kth(self, queries: np.ndarray, among: np.ndarray, k: int) -> np.ndarray:
        """Distance of some points to the k-th nearest among others (q); to the last of the list if it has fewer.

        Args:
            queries: rows of points.
            among: which points count (g).
            k: from 1.
        """
        count = np.cumsum(among[self.rows[queries]], axis=1, dtype=np.int32)
        reached = count[:, -1] >= k
        place = np.where(reached, (count >= k).argmax(axis=1), count.shape[1] - 1)
        return np.asarray(self.distance[queries, place], np.float64)


def nearest(vectors: np.ndarray, scene: np.ndarray, most: int) -> Nearest:
    """The `most` nearest points of other scenes of every point."""
    most = min(most, len(vectors) - 1)
    small = vectors.astype(np.float32)
    rows, distance = np.empty((len(small), most), np.int32), np.empty((len(small), most), np.float32)
    for start in range(0, len(small), CHUNK):
        part = slice(start, start + CHUNK)
        away = distances(small[part], small)
        away[scene[part, None] == scene[None, :]] = np.inf
        near = np.argpartition(away, most - 1, axis=1)[:, :most]
        order = np.argsort(np.take_along_axis(away, near, axis=1), axis=1, kind="stable")
        rows[part] = np.take_along_axis(near, order, axis=1)
        distance[part] = np.take_along_axis(away, rows[part], axis=1)
    return Nearest(rows, distance)


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances (a, b)."""
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2.0 * (a @ b.T)
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))
