"""Whether tracks and lanes keep their contract, and where they break it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.polylines import project
from terrarium.sources.traffic.tables import (
    ACTOR_TYPES,
    LANE_COLUMNS,
    LINKS,
    TRACK_COLUMNS,
    Recording,
    require_columns,
)

_NUMBERS = ("time_s", "s_m", "x_m", "y_m", "speed_mps", "heading_rad", "length_m", "width_m")
_UNSIGNED = ("speed_mps", "length_m", "width_m")
_KEYS = ("scene", "source", "map", "actor", "type", "lane")


def check(recording: Recording, off_lane_m: float) -> Recording:
    """The recording in the order of scene, time and actor, when it keeps the contract.

    Args:
        recording: as read.
        off_lane_m: how far a road user may be from its lane: beside the centre line, before the start, beyond the end.

    Raises:
        SourceError: a missing column or key, no tracks, an unknown type or lane, a track off its lane, a number that
            is not finite or has the wrong sign, a road user or a lane that is there twice, or a link to a lane that
            does not exist.
    """
    tracks, lanes = recording.tracks, recording.lanes
    require_columns(tracks, TRACK_COLUMNS, "tracks")
    require_columns(lanes, LANE_COLUMNS, "lanes")
    if tracks.empty:
        raise SourceError("tracks are empty: give a recording with at least one road user on a lane")
    _check_keys(tracks, _KEYS, "tracks")
    _check_keys(lanes, ("map", "lane", "is_intersection"), "lanes")
    _check_numbers(tracks)
    unknown = sorted(set(tracks["type"]) - set(ACTOR_TYPES))
    if unknown:
        raise SourceError(f"tracks have the type {unknown[0]!r}: known are {', '.join(ACTOR_TYPES)}; map it to one")
    twice = tracks.duplicated(["source", "scene", "time_s", "actor"])
    if twice.any():
        raise SourceError(f"{_place(tracks, twice)} is there twice: drop one of the rows")
    _check_lanes(lanes)
    _check_links(lanes)
    _check_places(tracks, lanes, off_lane_m)
    ordered = tracks[list(TRACK_COLUMNS)].sort_values(["source", "scene", "time_s", "actor"], ignore_index=True)
    return Recording(ordered, lanes[list(LANE_COLUMNS)].sort_values(["map", "lane"], ignore_index=True))


def _check_keys(table: pd.DataFrame, columns: tuple[str, ...], name: str) -> None:
    for column in columns:
        missing = table[column].isna().to_numpy()
        if missing.any():
            first = int(np.argmax(missing))
            raise SourceError(
                f"row {first:,} of {name} has no {column} ({int(missing.sum()):,} such rows): fill it or drop them"
            )


def _check_numbers(tracks: pd.DataFrame) -> None:
    for column in _NUMBERS:
        values = pd.to_numeric(tracks[column], errors="coerce").to_numpy(np.float64)
        for wrong, what in (
            (~np.isfinite(values), f"no finite {column}"),
            (values < 0.0 if column in _UNSIGNED else np.zeros(len(values), bool), f"a negative {column}"),
        ):
            if wrong.any():
                given = tracks[column].iloc[int(np.argmax(wrong))]
                raise SourceError(
                    f"{_place(tracks, wrong)} has {what}: {given} ({int(wrong.sum()):,} such rows): drop or mend them"
                )
        if not pd.api.types.is_numeric_dtype(tracks[column]):
            raise SourceError(f"{column} of tracks is text or mixed, not numbers: convert it before it is saved")


def _check_lanes(lanes: pd.DataFrame) -> None:
    twice = lanes.duplicated(["map", "lane"])
    if twice.any():
        raise SourceError(f"{_lane(lanes, int(np.argmax(twice)))} is there twice: drop one of the rows")
    length = pd.to_numeric(lanes["length_m"], errors="coerce").to_numpy(np.float64)
    wrong = ~(np.isfinite(length) & (length > 0.0))
    if wrong.any():
        first = int(np.argmax(wrong))
        given = lanes["length_m"].iloc[first]
        raise SourceError(f"{_lane(lanes, first)} has the length_m {given}: a length is finite and above 0")
    for row, (x, y) in enumerate(zip(lanes["x_m"], lanes["y_m"], strict=True)):
        points = [np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (x, y)]
        if len(points[0]) != len(points[1]) or len(points[0]) < 2 or not np.isfinite(points).all():
            raise SourceError(
                f"{_lane(lanes, row)} has no centre line: x_m and y_m are lists of two finite numbers or more, as long"
            )


def _check_links(lanes: pd.DataFrame) -> None:
    for link in LINKS:
        for row, others in enumerate(lanes[link]):
            if isinstance(others, str) or not hasattr(others, "__len__"):
                raise SourceError(f"{_lane(lanes, row)} has {others!r} as {link}: a list is needed, [] for none")
    for _, part in lanes.groupby("map", sort=False):
        known = set(part["lane"])
        for link in LINKS:
            for row, others in enumerate(part[link]):
                unknown = [other for other in others if other not in known]
                if unknown:
                    raise SourceError(f"{_lane(part, row)} has the {link} lane {unknown[0]!r}: not there")


def _check_places(tracks: pd.DataFrame, lanes: pd.DataFrame, off_lane_m: float) -> None:
    """Every road user is on a lane that is there, near its centre line, and between its ends."""
    columns = (lanes[column] for column in ("map", "lane", "length_m", "x_m", "y_m"))
    known = {(name, lane): rest for name, lane, *rest in zip(*columns, strict=True)}
    for (name, lane), part in tracks.groupby(["map", "lane"], sort=False):
        if (name, lane) not in known:
            raise SourceError(f"tracks name the lane {lane!r}, which the map {name!r} does not have: give its lanes")
        length, *axes = known[name, lane]
        line = np.stack([np.asarray(axis, dtype=np.float64) for axis in axes], axis=1)
        s = part["s_m"].to_numpy(np.float64)
        off = (s < -off_lane_m) | (s > length + off_lane_m)
        if off.any():
            where = f"s_m {s[int(np.argmax(off))]:.1f} of {length:.1f} m"
        else:
            beside = project(part[["x_m", "y_m"]].to_numpy(np.float64), line)[1]
            off = beside > off_lane_m
            where = f"x_m and y_m are {beside[int(np.argmax(off))]:.1f} m from its centre line"
        if off.any():
            raise SourceError(
                f"{_place(part, off)} is off its lane {lane!r}: {where} ({int(off.sum()):,} such rows of that lane): "
                "mend them or raise source.off_lane_m"
            )


def _lane(lanes: pd.DataFrame, row: int) -> str:
    return f"lane {lanes['lane'].iloc[row]!r} of map {lanes['map'].iloc[row]!r}"


def _place(tracks: pd.DataFrame, wrong: np.ndarray | pd.Series) -> str:
    row = tracks.iloc[int(np.argmax(np.asarray(wrong)))]
    return f"actor {row['actor']} of scene {row['scene']} of {row['source']} at {row['time_s']} s"
