"""Recorded traffic as two plain tables: tracks (where road users were) and lanes (where they can drive)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError

ACTOR_TYPES = ("vehicle", "pedestrian", "cyclist", "motorcycle")
LINKS = ("following", "neighbour", "opposite")
TRACK_COLUMNS = (
    *("scene", "source", "map", "time_s", "actor", "type", "lane", "s_m"),
    *("x_m", "y_m", "speed_mps", "heading_rad", "length_m", "width_m"),
)
LANE_COLUMNS = ("map", "lane", "length_m", "is_intersection", *LINKS, "x_m", "y_m")
_NUMBERS = ("time_s", "s_m", "x_m", "y_m", "speed_mps", "heading_rad", "length_m", "width_m")


@dataclass(frozen=True, eq=False)
class Recording:
    """Tracks with a row a road user and instant, and lanes with a row a lane; columns as named above.

    A lane's `following`, `neighbour` and `opposite` are lists of lanes of the same map, and `x_m`, `y_m` its centre
    line. `s_m` is the way from the lane's start, `speed_mps` the unsigned speed.
    """

    tracks: pd.DataFrame
    lanes: pd.DataFrame


def join(recordings: list[Recording]) -> Recording:
    """Several recordings as one; a map that two of them have must be the same."""
    tracks = pd.concat([recording.tracks for recording in recordings], ignore_index=True)
    lanes = pd.concat([recording.lanes for recording in recordings], ignore_index=True)
    return Recording(tracks, lanes.drop_duplicates(["map", "lane"]).reset_index(drop=True))


def check(recording: Recording, off_lane_m: float) -> Recording:
    """The recording in the order of scene, time and actor, when it keeps the contract.

    Args:
        recording: as read.
        off_lane_m: how far `s_m` may lie before the start or beyond the end of its lane.

    Raises:
        SourceError: a missing column, no tracks, an unknown type or lane, a track off its lane, a number that is not
            finite, a road user twice at one instant, or a link to a lane that does not exist.
    """
    tracks, lanes = recording.tracks, recording.lanes
    _check_columns(tracks, TRACK_COLUMNS, "tracks")
    _check_columns(lanes, LANE_COLUMNS, "lanes")
    if tracks.empty:
        raise SourceError("tracks are empty: give a recording with at least one road user on a lane")
    _check_numbers(tracks)
    unknown = sorted(set(tracks["type"]) - set(ACTOR_TYPES))
    if unknown:
        raise SourceError(f"tracks have the type {unknown[0]!r}: known are {', '.join(ACTOR_TYPES)}; map it to one")
    _check_lanes(tracks, lanes, off_lane_m)
    twice = tracks.duplicated(["scene", "time_s", "actor"])
    if twice.any():
        raise SourceError(f"{_place(tracks, twice)} is there twice: drop one of the rows")
    _check_links(lanes)
    ordered = tracks[list(TRACK_COLUMNS)].sort_values(["source", "scene", "time_s", "actor"], ignore_index=True)
    return Recording(ordered, lanes[list(LANE_COLUMNS)].sort_values(["map", "lane"], ignore_index=True))


def read_tables(path: str | Path, source: str) -> Recording:
    """Read `tracks.parquet` and `lanes.parquet` of a folder; the column source is set to `source`."""
    folder = Path(path)
    missing = [name for name in ("tracks.parquet", "lanes.parquet") if not (folder / name).is_file()]
    if missing:
        raise SourceError(f"{folder} has no {missing[0]}: give a folder with tracks.parquet and lanes.parquet")
    tracks = pd.read_parquet(folder / "tracks.parquet").assign(source=source)
    return Recording(tracks, pd.read_parquet(folder / "lanes.parquet"))


def _check_columns(table: pd.DataFrame, wanted: tuple[str, ...], name: str) -> None:
    missing = [column for column in wanted if column not in table]
    if missing:
        raise SourceError(f"{name} lack the column {missing[0]}: needed are {', '.join(wanted)}")


def _check_numbers(tracks: pd.DataFrame) -> None:
    for column in _NUMBERS:
        wrong = ~np.isfinite(tracks[column].to_numpy(np.float64))
        if wrong.any():
            raise SourceError(
                f"{_place(tracks, wrong)} has no finite {column} ({int(wrong.sum()):,} such rows): drop or mend them"
            )


def _check_lanes(tracks: pd.DataFrame, lanes: pd.DataFrame, off_lane_m: float) -> None:
    known = lanes[["map", "lane", "length_m"]].rename(columns={"length_m": "lane_length_m"})
    joined = tracks[["map", "lane", "s_m"]].merge(known, on=["map", "lane"], how="left")
    length = joined["lane_length_m"].to_numpy(np.float64)
    if np.isnan(length).any():
        first = int(np.argmax(np.isnan(length)))
        lane, name = joined["lane"].iloc[first], joined["map"].iloc[first]
        raise SourceError(f"tracks name the lane {lane!r}, which the map {name!r} does not have: give its lanes")
    s = joined["s_m"].to_numpy(np.float64)
    off = (s < -off_lane_m) | (s > length + off_lane_m)
    if off.any():
        first = int(np.argmax(off))
        raise SourceError(
            f"{_place(tracks, off)} is off its lane: s_m {s[first]:.1f} of {length[first]:.1f} m "
            f"({int(off.sum()):,} such rows): mend them or raise source.off_lane_m"
        )


def _check_links(lanes: pd.DataFrame) -> None:
    for name, part in lanes.groupby("map", sort=False):
        known = set(part["lane"])
        for link in LINKS:
            for lane, others in zip(part["lane"], part[link], strict=True):
                unknown = [other for other in others if other not in known]
                if unknown:
                    raise SourceError(f"lane {lane!r} of map {name!r} has the {link} lane {unknown[0]!r}: not there")


def _place(tracks: pd.DataFrame, wrong: np.ndarray | pd.Series) -> str:
    row = tracks.iloc[int(np.argmax(np.asarray(wrong)))]
    return f"actor {row['actor']} of scene {row['scene']} at {row['time_s']:.2f} s"
