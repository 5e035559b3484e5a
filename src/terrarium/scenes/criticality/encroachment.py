"""Post-encroachment time of road users whose recorded paths cross."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array

SMALLEST_STEP_M = 0.5
"""A path has a vertex whenever its road user has moved this far."""
SMALLEST_ANGLE = np.radians(30.0)
"""Paths that meet at a smaller angle follow, merge or oppose each other: they do not cross."""
ENCROACHMENT_COLUMNS = ("source", "scene", "first", "second", "left_s", "entered_s", "post_encroachment_time_s")


class Crossing(NamedTuple):
    """Where two paths cross: metres along each of them, and the angle between them in radians."""

    first_m: float
    second_m: float
    angle: float


@dataclass(frozen=True, eq=False)
class Path:
    """The recorded path of a road user.

    Attributes:
        actor: its name.
        time: seconds (n,).
        along: metres driven so far, not descending (n,).
        vertices: x and y in metres of the thinned path (k, 2).
        vertices_m: metres driven at each vertex (k,).
        length, width: metres.
    """

    actor: str
    time: Float64Array
    along: Float64Array
    vertices: Float64Array
    vertices_m: Float64Array
    length: float
    width: float

    def time_at(self, metres: float) -> float:
        """Return when the road user has driven so many metres, in s; NaN outside its recording."""
        after = int(np.searchsorted(self.along, metres, side="left"))
        if after == len(self.along) or metres < 0.0:
            return float("nan")
        if after == 0:
            return float(self.time[0])
        before = after - 1
        share = (metres - self.along[before]) / (self.along[after] - self.along[before])
        return float(self.time[before] + share * (self.time[after] - self.time[before]))


def measure_encroachments(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return the post-encroachment time of every pair of road users whose paths cross.

    The conflict area is where the two swept lanes overlap, a parallelogram around the crossing of the paths. The
    post-encroachment time is the time from when the first road user has left it to when the second enters it (PET;
    Allen, Shin and Cooper 1978); 0 if both are in it at once. Paths that both leave and enter the area within the
    recording count.

    Args:
        tracks: columns source, scene, actor, time_s, x_m, y_m, length_m, width_m.

    Returns:
        Columns of `ENCROACHMENT_COLUMNS`: the first road user, the second, when the first left and the second entered
        in seconds since the start of the scene, and the difference.
    """
    rows: list[tuple[object, ...]] = []
    for (source, scene), part in tracks.groupby(["source", "scene"], sort=True):
        for a, b in combinations(_paths(part), 2):
            found = _encroachment(a, b)
            if found is not None:
                rows.append((source, scene, *found))
    table = pd.DataFrame(rows, columns=list(ENCROACHMENT_COLUMNS))
    return table.astype(dict.fromkeys(ENCROACHMENT_COLUMNS[:4], "str") | dict.fromkeys(ENCROACHMENT_COLUMNS[4:], float))


def _encroachment(a: Path, b: Path) -> tuple[str, str, float, float, float] | None:
    """Return who was first, who was second, the times, and their difference; None without a crossing."""
    crossing = find_crossing(a.vertices, a.vertices_m, b.vertices, b.vertices_m)
    if crossing is None:
        return None
    times = []
    for path, other, metres in ((a, b, crossing.first_m), (b, a, crossing.second_m)):
        reach = area_reach(path.width, other.width, crossing.angle) + path.length / 2
        times.append((path.time_at(max(metres - reach, 0.0)), path.time_at(metres + reach)))
    (a_enters, a_leaves), (b_enters, b_leaves) = times
    first, second, left, entered = (a, b, a_leaves, b_enters) if a_enters <= b_enters else (b, a, b_leaves, a_enters)
    if not np.isfinite([left, entered]).all():
        return None
    return first.actor, second.actor, left, entered, max(entered - left, 0.0)


def area_reach(own_width: float, other_width: float, angle: float) -> float:
    """Return how far the conflict area extends along a path to each side of the crossing, in metres.

    Half the diagonal extent of the overlap of two strips: (other / sin + own |cos| / sin) / 2.
    """
    return float((other_width + own_width * abs(np.cos(angle))) / np.sin(angle) / 2)


def find_crossing(
    first: Float64Array, first_m: Float64Array, second: Float64Array, second_m: Float64Array
) -> Crossing | None:
    """Return the first crossing of two polylines, counted along the first; None if they do not cross.

    Args:
        first, second: vertices, x and y in metres (k, 2) and (l, 2).
        first_m, second_m: metres driven at each vertex (k,) and (l,).
    """
    low, high = np.maximum(first.min(axis=0), second.min(axis=0)), np.minimum(first.max(axis=0), second.max(axis=0))
    if (low > high).any():
        return None
    step, other = np.diff(first, axis=0)[:, None], np.diff(second, axis=0)[None, :]
    offset = second[None, :-1] - first[:-1, None]
    cross = _cross(step, other)
    lengths = np.linalg.norm(step, axis=2) * np.linalg.norm(other, axis=2)
    is_steep = np.abs(cross) >= np.sin(SMALLEST_ANGLE) * lengths
    safe = np.where(cross == 0.0, 1.0, cross)
    share, other_share = _cross(offset, other) / safe, _cross(offset, step) / safe
    meets = is_steep & (lengths > 0.0) & (share >= 0) & (share <= 1) & (other_share >= 0) & (other_share <= 1)
    if not meets.any():
        return None
    i, j = (int(index[0]) for index in np.nonzero(meets))
    angle = float(np.arcsin(min(abs(cross[i, j]) / lengths[i, j], 1.0)))
    return Crossing(
        float(first_m[i] + share[i, j] * (first_m[i + 1] - first_m[i])),
        float(second_m[j] + other_share[i, j] * (second_m[j + 1] - second_m[j])),
        angle,
    )


def _paths(scene: pd.DataFrame) -> list[Path]:
    """Return the paths of the road users of a scene that move a step or more, sorted by name."""
    names, actor = np.unique(scene["actor"].astype("str").to_numpy(), return_inverse=True)
    columns = scene[["time_s", "x_m", "y_m", "length_m", "width_m"]].to_numpy(np.float64)
    order = np.lexsort((columns[:, 0], actor))
    columns, starts = columns[order], np.searchsorted(actor[order], np.arange(1, len(names)))
    first = columns[:, 0].min()
    paths = [_path(str(name), rows, first) for name, rows in zip(names, np.split(columns, starts), strict=True)]
    return [path for path in paths if path is not None]


def _path(actor: str, rows: Float64Array, start: float) -> Path | None:
    """Return the path of a road user; None if it moves less than a step.

    Args:
        actor: its name.
        rows: time, x, y, length and width in the order of time (n, 5).
        start: time of the start of the scene.
    """
    place = rows[:, 1:3]
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(place, axis=0), axis=1))])
    if along[-1] < SMALLEST_STEP_M:
        return None
    kept = np.concatenate([[True], np.diff(np.floor(along / SMALLEST_STEP_M)) > 0])
    kept[-1] = True
    return Path(
        actor=actor,
        time=rows[:, 0] - start,
        along=along,
        vertices=place[kept],
        vertices_m=along[kept],
        length=float(rows[0, 3]),
        width=float(rows[0, 4]),
    )


def _cross(a: Float64Array, b: Float64Array) -> Float64Array:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0], np.float64)
