"""CommonRoad scenarios (Althoff, Koschi and Manzinger 2017): a folder of XML files of the versions 2018b to 2020a.

The CommonRoad dataset converters write highD, inD, rounD and INTERACTION in this format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError
from terrarium.sources.files import is_name
from terrarium.sources.traffic.formats.markup import name_scenes, parse_tree, read_number
from terrarium.sources.traffic.placement import LaneLines, Positions, middle_line, place_road_users
from terrarium.sources.traffic.tables import LINKS, Recording, join

_TYPES = {
    **dict.fromkeys(("car", "truck", "bus", "priorityVehicle", "taxi", "parkedVehicle"), "vehicle"),
    "motorcycle": "motorcycle",
    "bicycle": "cyclist",
    "pedestrian": "pedestrian",
}
_NOT_ROAD_USERS = {"unknown", "constructionZone", "roadBoundary", "train", "building", "pillar", "median_strip"}
_BIKE_LANE, _DRIVABLE = "bicycleLane", {"sidewalk", "crosswalk", "border", "parking", "restricted"}
_LARGEST_STEPS = 1_000_000
"""Time steps of a scenario."""
_SIDES = ("adjacentLeft", "adjacentRight")


@dataclass(frozen=True, eq=False)
class _Lane:
    name: str
    line: np.ndarray
    element: Element
    kinds: set[str]

    @property
    def length(self) -> float:
        return float(np.linalg.norm(np.diff(self.line, axis=0), axis=1).sum())


@dataclass(frozen=True)
class _State:
    step: int
    x: float
    y: float
    heading: float
    speed: float | None


def read_commonroad(path: str | Path, source: str) -> Recording:
    """Read all scenarios of a folder: each XML file is one scene with its own map, named after the file.

    Lanelets become lanes, their middle the centre line. Sidewalks and crosswalks are no lanes. Those that an
    intersection names as successors of its incoming lanelets are in a junction. Static parked vehicles stand for the
    whole scene; a dynamic obstacle without a trajectory is there at its one step. Road users are put on lanes by
    `place_road_users`.

    Args:
        path: folder of scenarios.
        source: name of the source, which becomes a column and the prefix of scenes.

    Raises:
        SourceError: there is no scenario, or one has a fault.
    """
    files = sorted(file for file in Path(path).rglob("*.xml*") if file.is_file())
    if not files:
        raise SourceError(f"{path} has no *.xml: give a folder of CommonRoad scenarios")
    named = zip(files, name_scenes(files, path), strict=True)
    return join([_scenario(file, f"{source}/{name}", source) for file, name in named])


def _scenario(file: Path, name: str, source: str) -> Recording:
    root = parse_tree(file)
    if root.tag != "commonRoad":
        raise SourceError(f"{file} is {root.tag[:40]!r}, not a commonRoad file: remove it from the folder")
    step = read_number(root.get("timeStepSize"), "timeStepSize", file)
    if step <= 0.0:
        raise SourceError(f"{file}: timeStepSize is {step:g}: give seconds above 0")
    lanes = _lanes(root, file)
    return Recording(_tracks(root, lanes, name, step, file).assign(source=source), _lane_table(root, lanes, name))


def _lanes(root: Element, file: Path) -> list[_Lane]:
    lanes: dict[str, _Lane] = {}
    for element in root.findall("lanelet"):
        name = element.get("id", "")
        kinds = {(kind.text or "").strip() for kind in element.findall("laneletType")}
        if not is_name(name) or name in lanes:
            raise SourceError(f"{file}: the lanelet id {name[:40]!r} is missing or there twice: correct it")
        if element.find("leftBound") is None or kinds & _DRIVABLE:
            continue
        left, right = (_points(element.find(side), f"lanelet {name}", file) for side in ("leftBound", "rightBound"))
        lanes[name] = _Lane(name, middle_line(left, right, len(left)), element, kinds)
        if lanes[name].length <= 0.0:
            raise SourceError(f"{file}: lanelet {name} has the length 0: correct its bounds")
    if not lanes:
        raise SourceError(f"{file} has no lanelet to drive on: it must have the road network, too")
    return list(lanes.values())


def _points(bound: Element | None, what: str, file: Path) -> np.ndarray:
    points = [] if bound is None else [_point(point, what, file) for point in bound.findall("point")]
    if len(points) < 2:
        raise SourceError(f"{file}: {what} has a bound of fewer than two points: correct it")
    return np.array(points)


def _point(point: Element, what: str, file: Path) -> tuple[float, float]:
    return read_number(point.findtext("x"), f"x of {what}", file), read_number(
        point.findtext("y"), f"y of {what}", file
    )


def _tracks(root: Element, lanes: list[_Lane], name: str, step: float, file: Path) -> pd.DataFrame:
    tables = [(_obstacle(element, kind, file), _is_static(element)) for element, kind in _obstacles(root, file)]
    moving = [table for table, is_static in tables if not is_static]
    if not any(len(table) > 1 for table in moving):
        raise SourceError(f"{file} has no dynamic obstacle with a trajectory: there is nothing to read")
    steps = np.unique(np.concatenate([table["step"] for table in moving]))
    parked = [
        table.head(1).loc[[0] * len(steps)].assign(step=steps, speed_mps=0.0)
        for table, is_static in tables
        if is_static and len(table)
    ]
    frame = pd.concat([*moving, *parked], ignore_index=True)
    if frame.duplicated(["actor", "step"]).any():
        row = frame[frame.duplicated(["actor", "step"])].iloc[0]
        raise SourceError(f"{file}: obstacle {row['actor']} has two states at step {row['step']}: drop one")
    frame["time_s"] = frame.pop("step") * step
    frame["speed_mps"] = _speeds(frame)
    positions = Positions(
        actor=pd.factorize(frame["actor"])[0],
        type=frame["type"].to_numpy(object),
        time_s=frame["time_s"].to_numpy(np.float64),
        place=frame[["x_m", "y_m"]].to_numpy(np.float64),
        heading=frame["heading_rad"].to_numpy(np.float64),
    )
    placed = place_road_users(positions, _lines(lanes))
    return frame.assign(
        scene=name, map=name, lane=[lanes[i].name for i in placed.lane], s_m=placed.s, place=placed.place
    )


def _obstacles(root: Element, file: Path) -> Iterator[tuple[Element, str]]:
    """Yield the obstacles that are road users, and their types."""
    for element in root:
        if element.tag not in ("dynamicObstacle", "staticObstacle", "obstacle"):
            continue
        kind = (element.findtext("type") or "").strip()
        if kind not in _TYPES and kind not in _NOT_ROAD_USERS:
            raise SourceError(f"{file}: the obstacle type {kind[:40]!r} is unknown: known are {', '.join(_TYPES)}")
        if kind in _TYPES and (not _is_static(element) or kind == "parkedVehicle"):
            yield element, kind


def _is_static(element: Element) -> bool:
    return element.tag == "staticObstacle" or (element.findtext("role") or "").strip() == "static"


def _obstacle(element: Element, kind: str, file: Path) -> pd.DataFrame:
    """Return the states of an obstacle; the initial one is left out where the trajectory repeats it."""
    name = element.get("id", "")
    if not is_name(name):
        raise SourceError(f"{file}: an obstacle has no id: give it one")
    where = f"obstacle {name}"
    length, width = _size(element.find("shape"), where, file)
    found = [
        state for state in (element.find("initialState"), *element.findall("trajectory/state")) if state is not None
    ]
    states = [_state(state, where, file) for state in found]
    if len(states) > 1 and states[0] == states[1]:
        states = states[1:]
    return pd.DataFrame(
        {
            "step": [state.step for state in states],
            "actor": name,
            "type": _TYPES[kind],
            "x_m": [state.x for state in states],
            "y_m": [state.y for state in states],
            "speed_mps": [np.nan if state.speed is None else abs(state.speed) for state in states],
            "heading_rad": [state.heading for state in states],
            "length_m": length,
            "width_m": width,
        }
    )


def _state(state: Element, where: str, file: Path) -> _State:
    point = state.find("position/point")
    if point is None:
        raise SourceError(f"{file}: {where} has a state without position/point: only exact positions are read")
    step = _value(state, "time", where, file)
    if step is None or not 0 <= step <= _LARGEST_STEPS or step != int(step):
        raise SourceError(f"{file}: {where} has a state without a time step from 0 to {_LARGEST_STEPS:,}: correct it")
    heading = _value(state, "orientation", where, file)
    if heading is None:
        raise SourceError(f"{file}: {where} has a state without orientation: give it in radians")
    turned = float(np.arctan2(np.sin(heading), np.cos(heading)))
    return _State(int(step), *_point(point, where, file), turned, _value(state, "velocity", where, file))


def _value(state: Element, name: str, where: str, file: Path) -> float | None:
    """Return an exact value, or the middle of an interval; None if the state has none."""
    element = state.find(name)
    if element is None:
        return None
    exact = element.findtext("exact")
    ends = [exact] if exact is not None else [element.findtext("intervalStart"), element.findtext("intervalEnd")]
    return float(np.mean([read_number(end, f"{name} of {where}", file) for end in ends]))


def _size(shape: Element | None, where: str, file: Path) -> tuple[float, float]:
    """Return length and width in metres of a rectangle, circle or polygon."""
    rectangle, circle, polygon = (
        None if shape is None else shape.find(kind) for kind in ("rectangle", "circle", "polygon")
    )
    if rectangle is not None:
        length, width = (
            read_number(rectangle.findtext(side), f"{side} of {where}", file) for side in ("length", "width")
        )
        return length, width
    if circle is not None:
        radius = read_number(circle.findtext("radius"), f"radius of {where}", file)
        return 2 * radius, 2 * radius
    if polygon is not None:
        extent = np.ptp(_points(polygon, where, file), axis=0)
        return float(extent[0]), float(extent[1])
    raise SourceError(f"{file}: {where} has no shape: give a rectangle, circle or polygon")


def _speeds(frame: pd.DataFrame) -> pd.Series:
    """Return the speed over ground, from positions where states have none."""
    ordered = frame.sort_values(["actor", "time_s"])
    moved = ordered.groupby("actor")[["x_m", "y_m", "time_s"]].diff()
    derived = np.hypot(moved["x_m"], moved["y_m"]) / moved["time_s"]
    derived = derived.groupby(ordered["actor"]).bfill().fillna(0.0)
    return frame["speed_mps"].fillna(derived)


def _lines(lanes: list[_Lane]) -> LaneLines:
    row = {lane.name: i for i, lane in enumerate(lanes)}
    return LaneLines(
        lines=[lane.line for lane in lanes],
        following=[[row[name] for name in _following(lane) if name in row] for lane in lanes],
        is_bike=np.array([_BIKE_LANE in lane.kinds for lane in lanes]),
    )


def _following(lane: _Lane) -> list[str]:
    return sorted({link.get("ref", "") for link in lane.element.findall("successor")})


def _lane_table(root: Element, lanes: list[_Lane], name: str) -> pd.DataFrame:
    known = {lane.name for lane in lanes}
    inside = {
        link.get("ref") for incoming in root.iter("incoming") for link in incoming if link.tag.startswith("successors")
    }
    links = [_links(lane, known) for lane in lanes]
    return pd.DataFrame(
        {
            "map": name,
            "lane": [lane.name for lane in lanes],
            "length_m": [lane.length for lane in lanes],
            "is_intersection": [lane.name in inside or "intersection" in lane.kinds for lane in lanes],
            **{link: [found[link] for found in links] for link in LINKS},
            "x_m": [lane.line[:, 0].tolist() for lane in lanes],
            "y_m": [lane.line[:, 1].tolist() for lane in lanes],
        }
    )


def _links(lane: _Lane, known: set[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {link: [] for link in LINKS}
    found["following"] = [name for name in _following(lane) if name in known]
    for side in _SIDES:
        link = lane.element.find(side)
        if link is not None and link.get("ref") in known:
            found["neighbour" if link.get("drivingDir") == "same" else "opposite"].append(str(link.get("ref")))
    return found
