"""Recorded traffic as two tables: tracks (positions of road users) and lanes (the road map)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.sources.columns import read_parquet
from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.cells import (
    LARGEST_NUMBER,
    LATEST_TIME,
    read_flags,
    read_lists,
    read_numbers,
    read_texts,
    require_columns,
)

ACTOR_TYPES = ("vehicle", "pedestrian", "cyclist", "motorcycle")
PLACES = ("lane", "parked", "off_lane")
"""Where a road user is: on its lane, standing still beside it, or too far from every lane to be on one."""
LINKS = ("following", "neighbour", "opposite")
TRACK_COLUMNS = (
    "scene",
    "source",
    "map",
    "time_s",
    "actor",
    "type",
    "lane",
    "s_m",
    "x_m",
    "y_m",
    "speed_mps",
    "heading_rad",
    "length_m",
    "width_m",
)
LANE_COLUMNS = ("map", "lane", "length_m", "is_intersection", *LINKS, "x_m", "y_m")


@dataclass(frozen=True, eq=False)
class Recording:
    """Two tables with the columns above.

    Attributes:
        tracks: one row per road user and instant. `s_m` is the distance from the start of the lane in m, `speed_mps`
            the unsigned speed in m/s, `time_s` in seconds, `heading_rad` in radians. A further column `place`, one of
            `PLACES`, may be left out: then all road users are on their lanes.
        lanes: one row per lane. `following`, `neighbour` and `opposite` are lists of lanes of the same map; `x_m` and
            `y_m` are lists with the vertices of the centre line.
    """

    tracks: pd.DataFrame
    lanes: pd.DataFrame


def join(recordings: list[Recording]) -> Recording:
    """Concatenate recordings. A map that several of them have is kept once.

    Raises:
        SourceError: a column is missing, or two different maps have the same name.
    """
    for recording in recordings:
        require_columns(recording.tracks, TRACK_COLUMNS, "tracks")
        require_columns(recording.lanes, LANE_COLUMNS, "lanes")
    kept: dict[object, pd.DataFrame] = {}
    for recording in recordings:
        for name, lanes in recording.lanes.groupby("map", sort=False, dropna=False):
            first = kept.setdefault(name, lanes)
            if first is not lanes and _content(first) != _content(lanes):
                raise SourceError(
                    f"two sources have different maps of the name {name!r}: rename it in the tracks and lanes of one"
                )
    tracks = pd.concat([with_place(recording.tracks) for recording in recordings], ignore_index=True)
    return Recording(tracks, pd.concat(list(kept.values()), ignore_index=True))


def with_place(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return tracks with the column place, "lane" where they have none."""
    return tracks if "place" in tracks else tracks.assign(place=PLACES[0])


def read_tables(path: str | Path, source: str) -> Recording:
    """Read `tracks.parquet` and `lanes.parquet` of a folder; the column `source` is set to `source`.

    Raises:
        SourceError: a file is missing or broken, a column is missing, or a row has a value of another kind.
    """
    files = Path(path) / "tracks.parquet", Path(path) / "lanes.parquet"
    for file in files:
        if not file.is_file():
            raise SourceError(f"{path} has no {file.name}: give a folder with tracks.parquet and lanes.parquet")
    tracks, lanes = (read_parquet(file) for file in files)
    tracks = tracks.assign(source=source)
    require_columns(tracks, TRACK_COLUMNS, files[0])
    require_columns(lanes, LANE_COLUMNS, files[1])
    texts = ("scene", "source", "map", "actor", "type", "lane", "place")
    columns = (*TRACK_COLUMNS, *(["place"] if "place" in tracks else []))
    return Recording(
        pd.DataFrame(
            {
                name: read_texts(tracks, name, files[0])
                if name in texts
                else read_numbers(tracks, name, files[0], LATEST_TIME if name == "time_s" else LARGEST_NUMBER)
                for name in columns
            }
        ),
        pd.DataFrame(
            {
                "map": read_texts(lanes, "map", files[1]),
                "lane": read_texts(lanes, "lane", files[1]),
                "length_m": read_numbers(lanes, "length_m", files[1]),
                "is_intersection": read_flags(lanes, "is_intersection", files[1]),
                **{link: read_lists(lanes, link, files[1], "a list of lanes, [] for none", None) for link in LINKS},
                **{axis: read_lists(lanes, axis, files[1], "a list of numbers", (-1,)) for axis in ("x_m", "y_m")},
            }
        ),
    )


def _content(lanes: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return a map as text, independent of the order of lanes and the type of their lists."""
    texts = [[_text(value) for value in lanes[column]] for column in LANE_COLUMNS]
    return sorted(zip(*texts, strict=True))


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple | np.ndarray) else str(value)
