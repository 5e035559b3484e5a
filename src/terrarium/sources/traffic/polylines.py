"""Projection of points onto a polyline."""

from __future__ import annotations

import numpy as np


def project_points(place: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Project points onto a polyline.

    Args:
        place: (N, 2) x and y in metres.
        line: (K, 2) vertices, K >= 2, x and y in metres.

    Returns:
        (N,) distance along the line in metres, (N,) distance from it in metres, (N,) direction of the line there in
        radians.
    """
    start, step = line[:-1], np.diff(line, axis=0)
    length = np.linalg.norm(step, axis=1)
    safe = np.maximum(length, 1e-9)
    share = np.clip(((place[:, None] - start) * step).sum(-1) / safe**2, 0.0, 1.0)
    distance = np.linalg.norm(place[:, None] - (start + share[..., None] * step), axis=-1)
    nearest = distance.argmin(axis=1)
    row = np.arange(len(place))
    before = np.concatenate([[0.0], np.cumsum(length)[:-1]])
    along = before[nearest] + share[row, nearest] * length[nearest]
    return along, distance[row, nearest], np.arctan2(step[nearest, 1], step[nearest, 0])
