"""Argoverse 2 motion forecasting scenarios: scenario_*.parquet and log_map_archive_*.json in one folder.

The schema is that of the Argoverse 2 user guide (Wilson et al. 2021): tracks at 10 Hz with positions, headings and
velocities, and lane segments with boundaries, successors and neighbours. The data do not come with the project.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from terrarium.sources.columns import read_parquet
from terrarium.sources.errors import SourceError, one_line
from terrarium.sources.files import is_name, read_text
from terrarium.sources.traffic.cells import LARGEST_NUMBER, read_numbers, read_texts, require_columns
from terrarium.sources.traffic.placement import LaneLines, Positions, middle_line, place_road_users
from terrarium.sources.traffic.tables import LINKS, Recording, join

HERTZ = 10.0
BIKE = "BIKE"
"""Type of the lanes that are for bicycles only."""
_TYPES = {
    **dict.fromkeys(("vehicle", "bus"), "vehicle"),
    "pedestrian": "pedestrian",
    "cyclist": "cyclist",
    "motorcyclist": "motorcycle",
}
_SIDES = ("left_neighbor_id", "right_neighbor_id")
_NOT_ROAD_USERS = {"static", "background", "construction", "riderless_bicycle", "unknown"}
_SIZES = {"vehicle": (4.6, 1.9), "pedestrian": (0.6, 0.6), "cyclist": (1.8, 0.6), "motorcycle": (2.2, 0.8)}
_COLUMNS = (
    "track_id",
    "object_type",
    "timestep",
    "position_x",
    "position_y",
    "heading",
    "velocity_x",
    "velocity_y",
    "scenario_id",
)


_TEXTS = ("track_id", "object_type", "scenario_id")


@dataclass(frozen=True, eq=False)
class _Lane:
    name: str
    line: np.ndarray
    along: np.ndarray
    """Metres from the start at each point."""
    segment: dict[str, Any]


def read_argoverse(path: str | Path, source: str) -> Recording:
    """Read all scenarios below a folder. Road users get a size typical of their type, since Argoverse has none.

    Parked vehicles and road users off the lanes are kept; the column `place` says so.

    Args:
        path: folder of scenarios.
        source: name of the source, which becomes a column and the prefix of scenes.

    Raises:
        SourceError: no scenario, no map for a scenario, a missing column, or an unknown object type.
    """
    files = sorted(Path(path).rglob("scenario_*.parquet"))
    if not files:
        raise SourceError(f"{path} has no scenario_*.parquet: give a folder of Argoverse 2 scenarios")
    return join([_scenario(file, source) for file in files])


def _scenario(file: Path, source: str) -> Recording:
    table = read_parquet(file)
    require_columns(table, _COLUMNS, file)
    frame = pd.DataFrame(
        {name: (read_texts if name in _TEXTS else read_numbers)(table, name, file) for name in _COLUMNS}
    )
    maps = sorted(file.parent.glob("log_map_archive_*.json"))
    if len(maps) != 1:
        raise SourceError(
            f"{file.parent} has {len(maps)} log_map_archive_*.json: each scenario needs one in its folder"
        )
    lanes = _read_lanes(maps[0])
    name = f"{source}/{frame['scenario_id'].iloc[0]}"
    return Recording(_tracks(frame, lanes, name, source), _lane_table(lanes, name))


def _tracks(frame: pd.DataFrame, lanes: list[_Lane], name: str, source: str) -> pd.DataFrame:
    unknown = sorted(set(frame["object_type"]) - _TYPES.keys() - _NOT_ROAD_USERS)
    if unknown:
        raise SourceError(f"scenario {name} has the object type {unknown[0]!r}: known are {', '.join(_TYPES)}")
    frame = frame[frame["object_type"].isin(list(_TYPES))].reset_index(drop=True)
    if frame.empty:
        raise SourceError(f"scenario {name} has no road user: leave it out")
    kinds = frame["object_type"].map(_TYPES)
    positions = Positions(
        actor=pd.factorize(frame["track_id"])[0],
        type=kinds.to_numpy(object),
        time_s=frame["timestep"].to_numpy(np.float64) / HERTZ,
        place=frame[["position_x", "position_y"]].to_numpy(np.float64),
        heading=frame["heading"].to_numpy(np.float64),
    )
    placed = place_road_users(positions, _lines(lanes))
    return pd.DataFrame(
        {
            "scene": name,
            "source": source,
            "map": name,
            "time_s": positions.time_s,
            "actor": frame["track_id"].astype("str"),
            "type": kinds,
            "lane": [lanes[i].name for i in placed.lane],
            "s_m": placed.s,
            "x_m": positions.place[:, 0],
            "y_m": positions.place[:, 1],
            "speed_mps": np.hypot(frame["velocity_x"], frame["velocity_y"]),
            "heading_rad": frame["heading"],
            "length_m": [_SIZES[kind][0] for kind in kinds],
            "width_m": [_SIZES[kind][1] for kind in kinds],
            "place": placed.place,
        }
    )


def _lines(lanes: list[_Lane]) -> LaneLines:
    row = {lane.name: i for i, lane in enumerate(lanes)}
    return LaneLines(
        lines=[lane.line for lane in lanes],
        following=[[row[str(i)] for i in lane.segment["successors"] if str(i) in row] for lane in lanes],
        is_bike=np.array([lane.segment.get("lane_type") == BIKE for lane in lanes]),
    )


def _read_lanes(file: Path) -> list[_Lane]:
    try:
        content = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{file} is not JSON ({one_line(error)}): get it again") from error
    segments = content.get("lane_segments") if isinstance(content, dict) else None
    if not isinstance(segments, dict) or not segments:
        raise SourceError(f"{file} has no lane_segments: it is not an Argoverse 2 map")
    found: dict[str, _Lane] = {}
    for name, segment in segments.items():
        lane = _lane(segment, name, file)
        if found.setdefault(lane.name, lane) is not lane:
            raise SourceError(f"{file}: two lane segments have the id {lane.name}: drop one")
    return list(found.values())


def _lane(segment: Any, name: str, file: Path) -> _Lane:
    """Return a lane; the error names its place in the map."""
    try:
        own = segment["id"]
        is_id = isinstance(own, int) and not isinstance(own, bool)
        if not (is_id or is_name(own)) or not isinstance(segment["is_intersection"], bool):
            raise ValueError("id or is_intersection is of another kind")
        ids = [*segment["successors"], *(segment.get(side) for side in _SIDES)]
        if not isinstance(segment["successors"], list) or not all(isinstance(i, int | str | None) for i in ids):
            raise ValueError("successors or neighbours are no ids")
        line = _centre_line(segment)
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        if along[-1] <= 0.0:
            raise ValueError("its length is 0")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else one_line(error)
        raise SourceError(f"{file}: lane segment {name[:40]!r} cannot be read ({reason}): correct it") from error
    return _Lane(str(own), line, along, segment)


def _points(points: Any) -> np.ndarray:
    """Return x and y of two or more points."""
    found = np.array([[_coordinate(point[axis]) for axis in ("x", "y")] for point in points], dtype=np.float64)
    if len(found) < 2:
        raise ValueError("a line has fewer than two points")
    return found


def _centre_line(segment: dict[str, Any]) -> np.ndarray:
    if "centerline" in segment:
        return _points(segment["centerline"])
    return middle_line(_points(segment["left_lane_boundary"]), _points(segment["right_lane_boundary"]))


def _coordinate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_NUMBER:
        raise ValueError(f"the coordinate {str(value)[:20]}")
    return float(value)


def _lane_table(lanes: list[_Lane], name: str) -> pd.DataFrame:
    known = {lane.name: lane for lane in lanes}
    links = [_links(lane, known) for lane in lanes]
    return pd.DataFrame(
        {
            "map": name,
            "lane": [lane.name for lane in lanes],
            "length_m": [lane.along[-1] for lane in lanes],
            "is_intersection": [bool(lane.segment["is_intersection"]) for lane in lanes],
            **{link: [found[link] for found in links] for link in LINKS},
            "x_m": [lane.line[:, 0].tolist() for lane in lanes],
            "y_m": [lane.line[:, 1].tolist() for lane in lanes],
        }
    )


def _links(lane: _Lane, known: dict[str, _Lane]) -> dict[str, list[str]]:
    """Return successors, neighbours in the same direction, and neighbours in the other as opposite lanes."""
    found: dict[str, list[str]] = {link: [] for link in LINKS}
    found["following"] = sorted(str(i) for i in lane.segment["successors"] if str(i) in known)
    for side in _SIDES:
        other = lane.segment.get(side)
        if other is not None and str(other) in known:
            same_way = _direction(lane) @ _direction(known[str(other)]) > 0.0
            found["neighbour" if same_way else "opposite"].append(str(other))
    return found


def _direction(lane: _Lane) -> np.ndarray:
    return lane.line[-1] - lane.line[0]
