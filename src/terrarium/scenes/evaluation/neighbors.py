"""Nearest neighbours of points that belong to scenes: points of the same scene do not count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


class TooFewNeighborsError(ValueError):
    """The other scenes have fewer points than the neighbours that are needed."""


CHUNK = 1024
"""Rows whose distances are in memory at once."""


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest points of other scenes, nearest first.

    Attributes:
        rows: rows of the neighbours, shape (points, m).
        distance: Euclidean distances, shape (points, m); infinite where the other scenes have fewer than m points.
        points: the points themselves, float32, shape (points, d).
        scene: number of each point's scene, shape (points,).
    """

    rows: np.ndarray
    distance: np.ndarray
    points: np.ndarray
    scene: np.ndarray

    def kth_distance(self, queries: np.ndarray, candidates: np.ndarray, k: int) -> np.ndarray:
        """Return the distance of each query to its k-th nearest candidate.

        Args:
            queries: rows of points, shape (queries,).
            candidates: which points count, bool, shape (points,).
            k: from 1.

        Returns:
            Distances, shape (queries,).

        Raises:
            TooFewNeighborsError: other scenes than a query's have fewer than k candidates.
        """
        is_known = np.isfinite(self.distance[queries])
        count = np.cumsum(candidates[self.rows[queries]] & is_known, axis=1, dtype=np.int32)
        found = self.distance[queries, (count >= k).argmax(axis=1)].astype(np.float64)
        missing = np.flatnonzero(count[:, -1] < k)
        members = np.flatnonzero(candidates)
        for start in range(0, len(missing), CHUNK):
            chunk = missing[start : start + CHUNK]
            found[chunk] = self._search(queries[chunk], members, k)
        return found

    def _search(self, queries: np.ndarray, members: np.ndarray, k: int) -> np.ndarray:
        """Return the distances to the k-th of all candidates, where the lists are too short."""
        other = self.scene[queries, None] != self.scene[None, members]
        if other.sum(axis=1).min(initial=k) < k:
            raise TooFewNeighborsError(
                f"{k} neighbours are needed and other scenes have fewer graphs: give more scenes"
            )
        table = np.where(other, distances(self.points[queries], self.points[members]), np.inf)
        return np.partition(table, k - 1, axis=1)[:, k - 1].astype(np.float64)


def nearest_neighbors(vectors: np.ndarray, scene: np.ndarray, count: int) -> Neighbors:
    """Find the `count` nearest points of other scenes for every point.

    Args:
        vectors: shape (points, d).
        scene: number of each point's scene, shape (points,).
        count: neighbours per point.
    """
    count = min(count, len(vectors) - 1)
    points = vectors.astype(np.float32)
    rows, distance = np.empty((len(points), count), np.int32), np.empty((len(points), count), np.float32)
    for start in range(0, len(points), CHUNK):
        chunk = slice(start, start + CHUNK)
        table = distances(points[chunk], points)
        table[scene[chunk, None] == scene[None, :]] = np.inf
        near = np.argpartition(table, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(table, near, axis=1), axis=1, kind="stable")
        rows[chunk] = np.take_along_axis(near, order, axis=1)
        distance[chunk] = np.take_along_axis(table, rows[chunk], axis=1)
    return Neighbors(rows, distance, points, scene)


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances of all pairs, shape (len(a), len(b)), in the dtype of `a`."""
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2.0 * (a @ b.T)
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))
