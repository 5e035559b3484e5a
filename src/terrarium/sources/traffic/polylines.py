"""Points beside a line of straight pieces."""

from __future__ import annotations

import numpy as np


def project(place: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nearest point of a line to each place: way along the line, distance from it, and the line's direction.

    Args:
        place: x and y in m (n, 2).
        line: two points or more, x and y in m (k, 2).

    Returns:
        Metres, metres and radians (n each).
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
