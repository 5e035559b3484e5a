"""Checks that times, speeds and angles are in seconds, metres per second and radians."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.sources.errors import SourceError

LARGEST_ANGLE = 2 * np.pi + 1e-6
"""Radians; degrees are larger."""
_SAME_INSTANT = 0.1
"""Times nearer than this part of a recording's interval are one instant."""
_LARGEST_FACTOR = 1.6
"""Between measured speed and displacement over time; knots are off by 1.9, miles per hour by 2.2."""
_SHORT_STEP = 0.75
"""Two instants nearer than this part of the interval are of different clocks if no road user has both."""
_MOST_SHORT_STEPS = 2
_FEWEST_STEPS = 10
_SLOWEST = 0.5
_UNITS = {
    1e-9: "time_s is in nanoseconds: divide it by 1e9",
    1e-6: "time_s is in microseconds: divide it by 1e6",
    1e-3: "time_s is in milliseconds: divide it by 1,000",
    1 / 3.6: "speed_mps is in km/h: divide it by 3.6",
    1 / 2.237: "speed_mps is in miles per hour: divide it by 2.237",
    1 / 1.944: "speed_mps is in knots: divide it by 1.944",
}
"""Displacement over time divided by speed -> what is wrong."""
_LONGEST_SCENE = 1e6
"""Seconds, eleven days; a longer scene has its times in another unit."""


def check_units(tracks: pd.DataFrame) -> None:
    """Check the units of a recording once per source.

    The speed is compared with the displacement between two rows of a road user over their time: the median of their
    ratio must be near 1.

    Args:
        tracks: source, scene, actor, time_s, x_m, y_m, speed_mps, heading_rad.

    Raises:
        SourceError: headings are above 2 pi, speeds, times and positions do not fit each other, or a scene lasts for
            more than eleven days.
    """
    for source, rows in tracks.groupby("source", sort=True):
        angle = float(rows["heading_rad"].abs().max())
        if angle > LARGEST_ANGLE:
            raise SourceError(
                f"heading_rad of {source} is up to {angle:.1f}, above 2 pi: convert it from degrees to radians"
            )
        ratio = _speed_ratio(rows)
        if ratio is not None and not 1 / _LARGEST_FACTOR <= ratio <= _LARGEST_FACTOR:
            known = next((text for unit, text in _UNITS.items() if 0.9 < ratio / unit < 1.1), None)
            raise SourceError(
                f"road users of {source} move {ratio:.3g} times as far as speed_mps and time_s say: "
                f"{known or 'check the units of time_s (s), speed_mps (m/s), x_m and y_m (m)'}"
            )
        times = rows.groupby("scene")["time_s"]
        longest = float((times.max() - times.min()).max())
        if longest > _LONGEST_SCENE:
            raise SourceError(
                f"a scene of {source} lasts {longest:.3g} s, more than {_LONGEST_SCENE:.0e}: check that time_s is in "
                "seconds, not in milliseconds or nanoseconds"
            )


def snap_times(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return the tracks with one time for each instant of a scene.

    Times that differ by less than a tenth of the scene's interval, the median step of its road users, are rounded
    differently: they become the smallest of them. Other times stay as they are, to the last bit.

    Args:
        tracks: source, scene, actor, time_s.

    Raises:
        SourceError: a road user has two rows at one instant.
    """
    times = tracks["time_s"].to_numpy(np.float64).copy()
    for _, rows in tracks.groupby(["source", "scene"], sort=False).indices.items():
        interval = _interval(tracks["actor"].to_numpy()[rows], times[rows])
        if interval is not None:
            times[rows] = _joined(times[rows], _SAME_INSTANT * interval)
    snapped = tracks.assign(time_s=times)
    twice = snapped.duplicated(["source", "scene", "actor", "time_s"]).to_numpy()
    if twice.any():
        row = tracks.iloc[int(np.argmax(twice))]
        place = f"actor {row['actor']} of scene {row['scene']} of {row['source']}"
        raise SourceError(f"{place} has two rows at {row['time_s']} s: drop one")
    return snapped


def check_clocks(tracks: pd.DataFrame) -> None:
    """Check that the road users of a scene share their instants.

    Args:
        tracks: source, scene, actor, time_s, as `snap_times` returns them.

    Raises:
        SourceError: some of a scene's road users are recorded between the instants of the others, so that no instant
            has them all.
    """
    for (source, scene), rows in tracks.groupby(["source", "scene"], sort=False):
        interval = _interval(rows["actor"].to_numpy(), rows["time_s"].to_numpy(np.float64))
        if interval is None:
            continue
        instants = {time: set(group) for time, group in rows.groupby("time_s", sort=True)["actor"]}
        apart = [
            (before, after)
            for before, after in pairwise(np.unique(rows["time_s"].to_numpy(np.float64)).tolist())
            if after - before < _SHORT_STEP * interval and not instants[before] & instants[after]
        ]
        if len(apart) > _MOST_SHORT_STEPS:
            before, after = apart[0]
            raise SourceError(
                f"scene {scene} of {source}: the clocks of actor {min(map(str, instants[before]))} and actor "
                f"{min(map(str, instants[after]))} are {after - before:.3g} s apart: interpolate all tracks to the "
                "same instants"
            )


def _interval(actors: np.ndarray, times: Float64Array) -> float | None:
    """Return the median step between the times of one road user; None without a step."""
    order = np.lexsort((times, actors.astype(str)))
    same = actors[order][1:] == actors[order][:-1]
    steps = np.diff(times[order])[same]
    steps = steps[steps > 0.0]
    return float(np.median(steps)) if len(steps) else None


def _joined(times: Float64Array, limit: float) -> Float64Array:
    """Return times with those that are nearer than a limit made equal."""
    distinct, place = np.unique(times, return_inverse=True)
    starts = np.concatenate([[True], np.diff(distinct) > limit])
    joined: Float64Array = distinct[starts][np.cumsum(starts) - 1][place]
    return joined


def _speed_ratio(rows: pd.DataFrame) -> float | None:
    """Return the median of displacement over time and speed; None if too few road users move."""
    ordered = rows.sort_values(["scene", "actor", "time_s"])
    same = (ordered[["scene", "actor"]].to_numpy()[1:] == ordered[["scene", "actor"]].to_numpy()[:-1]).all(axis=1)
    x, y, time, speed = (ordered[name].to_numpy(np.float64) for name in ("x_m", "y_m", "time_s", "speed_mps"))
    expected = (speed[1:] + speed[:-1]) / 2 * np.diff(time)
    moves = same & (np.minimum(speed[1:], speed[:-1]) > _SLOWEST) & (expected > 0.0)
    if moves.sum() < _FEWEST_STEPS:
        return None
    return float(np.median(np.hypot(np.diff(x), np.diff(y))[moves] / expected[moves]))
