"""Checks of the contract of tracks and lanes: schemas for each table, then the links between the two."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from terrarium.common.schemas import find_fault
from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.cells import LARGEST_NUMBER, LATEST_TIME, require_columns
from terrarium.sources.traffic.polylines import project_points
from terrarium.sources.traffic.tables import (
    ACTOR_TYPES,
    LANE_COLUMNS,
    LINKS,
    PLACES,
    TRACK_COLUMNS,
    Recording,
    with_place,
)
from terrarium.sources.traffic.units import check_clocks, check_units, snap_times

LARGEST_SPEED = 200.0
"""Metres per second; no road user is faster."""
LARGEST_SIZE = 100.0
"""Metres; no road user is longer."""
_TRACK_KEY = ["source", "scene", "time_s", "actor"]


def check(recording: Recording, max_lane_distance_m: float) -> Recording:
    """Return a recording that keeps the contract, sorted by source, scene, time and actor.

    Args:
        recording: tracks and lanes as read.
        max_lane_distance_m: largest distance in metres of a road user from its lane: from the centre line, before the
            start or beyond the end.

    Raises:
        SourceError: the first fault, with its row: a column, key or number that is missing or out of range, a row that
            is repeated, a lane that does not exist, or a road user that is not on its lane; or units that do not fit.
    """
    tracks, lanes = with_place(recording.tracks).reset_index(drop=True), recording.lanes.reset_index(drop=True)
    require_columns(tracks, TRACK_COLUMNS, "tracks")
    require_columns(lanes, LANE_COLUMNS, "lanes")
    schemas = table_schemas()
    _validate(tracks, schemas["tracks"], "tracks")
    _validate(lanes, schemas["lanes"], "lanes")
    check_units(tracks)
    tracks = snap_times(tracks)
    check_clocks(tracks)
    _check_links(lanes)
    _check_places(tracks, lanes, max_lane_distance_m)
    ordered = tracks[[*TRACK_COLUMNS, "place"]].sort_values(_TRACK_KEY, ignore_index=True)
    return Recording(ordered, lanes[list(LANE_COLUMNS)].sort_values(["map", "lane"], ignore_index=True))


@cache
def table_schemas() -> dict[str, Any]:
    """Return the pandera schemas of `tracks` and `lanes`; the error of a check completes "must be"."""
    import pandera.pandas as pa

    key = pa.Column(nullable=False)
    speed = pa.Check.in_range(0.0, LARGEST_SPEED, error=f"from 0 to {LARGEST_SPEED:.0f} m/s")
    size_limit = pa.Check.in_range(0.0, LARGEST_SIZE, error=f"from 0 to {LARGEST_SIZE:.0f} m")
    finite = pa.Check(_are_finite, error="a finite number", ignore_na=False)
    numeric = pa.Check(pd.api.types.is_numeric_dtype, error="stored as numbers, not as text", ignore_na=False)
    time = pa.Check(_is_time, error="a finite number", ignore_na=False)
    positive = pa.Check.gt(0.0, error="above 0")
    known_place = pa.Check.isin(PLACES, error=f"one of {', '.join(PLACES)}")
    is_flag = pa.Check(pd.api.types.is_bool_dtype, error="true or false, not a text or number", ignore_na=False)
    known_type = pa.Check.isin(ACTOR_TYPES, error=f"one of {', '.join(ACTOR_TYPES)}")
    number = pa.Column(nullable=True, checks=[finite, numeric])
    links = pa.Column(
        nullable=True,
        checks=pa.Check(_is_list, element_wise=True, error="a list of lanes, [] for none", ignore_na=False),
    )
    tracks = pa.DataFrameSchema(
        {
            **dict.fromkeys(("scene", "source", "map", "actor", "lane"), key),
            "type": pa.Column(nullable=False, checks=known_type),
            "place": pa.Column(nullable=False, checks=known_place),
            "time_s": pa.Column(nullable=True, checks=[time, numeric]),
            **dict.fromkeys(("s_m", "x_m", "y_m", "heading_rad"), number),
            "speed_mps": pa.Column(nullable=True, checks=[finite, numeric, speed]),
            **dict.fromkeys(("length_m", "width_m"), pa.Column(nullable=True, checks=[finite, numeric, size_limit])),
        },
        checks=pa.Check(lambda table: ~table.duplicated(_TRACK_KEY), error="unique"),
    )
    lanes = pa.DataFrameSchema(
        {
            **dict.fromkeys(("map", "lane"), key),
            "is_intersection": pa.Column(nullable=False, checks=is_flag),
            "length_m": pa.Column(nullable=True, checks=[finite, numeric, positive]),
            **dict.fromkeys(LINKS, links),
        },
        checks=[
            pa.Check(lambda table: ~table.duplicated(["map", "lane"]), error="unique"),
            pa.Check(
                lambda table: pd.Series(map(_is_line, table["x_m"], table["y_m"]), index=table.index),
                error="a centre line: x_m and y_m are lists of two or more finite numbers, equally long",
            ),
        ],
    )
    return {"tracks": tracks, "lanes": lanes}


def _are_finite(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").abs() <= LARGEST_NUMBER


def _is_time(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").abs() <= LATEST_TIME


def _is_list(value: object) -> bool:
    return not isinstance(value, str) and hasattr(value, "__len__")


def _is_line(x: object, y: object) -> bool:
    axes = [np.atleast_1d(np.asarray(axis, dtype=np.float64)) for axis in (x, y)]
    return len(axes[0]) == len(axes[1]) >= 2 and bool(np.isfinite(axes).all())


def _validate(table: pd.DataFrame, schema: Any, name: str) -> None:
    """Raise `SourceError` with the first row that a schema rejects."""
    fault = find_fault(table, schema)
    if fault is None:
        return
    column = fault.column
    if fault.row is None:
        raise SourceError(f"{column} of {name} {fault.problem}: convert it")
    place, count = _place(table, fault.row, name), f"({fault.num_rows:,} such rows)"
    if fault.is_null:
        raise SourceError(f"{place} has no {column} {count}: fill it or drop the row")
    if column is None:
        raise SourceError(f"{place} {fault.problem} {count}: correct or drop it")
    given = table[column].tolist()[fault.row]
    raise SourceError(f"{place} has the {column} {given!r}, which {fault.problem} {count}: correct or drop it")


def _check_links(lanes: pd.DataFrame) -> None:
    """Raise `SourceError` for a link to a lane that its map does not have."""
    for name, part in lanes.groupby("map", sort=False):
        known = set(part["lane"])
        for link in LINKS:
            for row, others in part[link].items():
                unknown = [other for other in others if other not in known]
                if unknown:
                    place = _place(lanes, row, "lanes")
                    raise SourceError(f"{place} has the {link} lane {unknown[0]!r}, which map {name!r} does not have")


def _check_places(tracks: pd.DataFrame, lanes: pd.DataFrame, limit: float) -> None:
    """Raise `SourceError` for a lane that does not exist, or a road user further than the limit from its lane."""
    columns = (lanes[column] for column in ("map", "lane", "length_m", "x_m", "y_m"))
    known = {(name, lane): rest for name, lane, *rest in zip(*columns, strict=True)}
    for (name, lane), every in tracks.groupby(["map", "lane"], sort=False):
        if (name, lane) not in known:
            raise SourceError(f"tracks name the lane {lane!r}, which the map {name!r} does not have: add the lane")
        length, *axes = known[name, lane]
        part = every[every["place"] == PLACES[0]]
        if part.empty:
            continue
        line = np.stack([np.asarray(axis, dtype=np.float64) for axis in axes], axis=1)
        s = part["s_m"].to_numpy(np.float64)
        off = (s < -limit) | (s > length + limit)
        where = f"s_m is {s[int(np.argmax(off))]:.1f} of {length:.1f} m"
        if not off.any():
            distance = project_points(part[["x_m", "y_m"]].to_numpy(np.float64), line)[1]
            off = distance > limit
            where = f"x_m and y_m are {distance[int(np.argmax(off))]:.1f} m from its centre line"
        if off.any():
            raise SourceError(
                f"{_place(part, int(np.argmax(off)), 'tracks')} is off its lane {lane!r}: {where} "
                f"({int(off.sum()):,} such rows of that lane): correct them or raise source.max_lane_distance_m"
            )


def _place(table: pd.DataFrame, row: Any, name: str) -> str:
    """Return the name of a row for a message: by its key, or by its number if the key has gaps."""
    found = table.iloc[row]
    if found[["map", "lane"] if name == "lanes" else _TRACK_KEY].isna().any():
        return f"row {row:,} of {name}"
    if name == "lanes":
        return f"lane {found['lane']!r} of map {found['map']!r}"
    return f"actor {found['actor']} of scene {found['scene']} of {found['source']} at {found['time_s']} s"
