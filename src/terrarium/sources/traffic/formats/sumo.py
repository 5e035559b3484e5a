"""SUMO simulations: a folder with one network (*.net.xml) and the floating car data of runs (*fcd*.xml).

The formats are those of the SUMO user documentation, "FCD output" and "SUMO road networks". Files may be packed (.gz).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError
from terrarium.sources.files import is_name
from terrarium.sources.traffic.formats.markup import name_scenes, parse_starts, read_number
from terrarium.sources.traffic.placement import LaneLines, Positions, place_road_users
from terrarium.sources.traffic.tables import LINKS, Recording

_SIZES = {"vehicle": (5.0, 1.8), "pedestrian": (0.215, 0.478), "cyclist": (1.6, 0.65), "motorcycle": (2.2, 0.9)}
"""Length and width in metres of SUMO's default types."""
_CLASSES = {"bicycle": "cyclist", "motorcycle": "motorcycle", "moped": "motorcycle", "pedestrian": "pedestrian"}
_HINTS = {
    "bike": "cyclist",
    "bicycle": "cyclist",
    "motorcycle": "motorcycle",
    "moped": "motorcycle",
    "ped": "pedestrian",
}
"""Parts of the names of vehicle types that the folder does not define."""
_NOT_DRIVEN = {"crossing", "walkingarea", "connector"}
_NUMBERS = ("x", "y", "angle", "speed")


@dataclass(frozen=True, eq=False)
class _Lane:
    name: str
    line: np.ndarray
    edge: str
    index: int
    is_inside: bool
    is_bike: bool

    @property
    def length(self) -> float:
        return float(np.linalg.norm(np.diff(self.line, axis=0), axis=1).sum())


@dataclass(frozen=True, eq=False)
class _Network:
    """Lanes by name, the ends of each edge, and the lanes that follow each lane."""

    lanes: dict[str, _Lane] = field(default_factory=dict)
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    following: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Kind:
    type: str
    length: float
    width: float


def read_sumo(path: str | Path, source: str) -> Recording:
    """Read all runs of a folder: each file of floating car data is one scene.

    Positions are moved from the front bumper, where SUMO has them, to the centre. Types and sizes are those of the
    vTypes in the folder's other *.xml files, otherwise guessed from the name of the type. `place_road_users` puts road
    users on lanes. Geographic coordinates are refused.

    Args:
        path: folder of a simulation.
        source: name of the source, which becomes a column, the map, and the prefix of scenes.

    Raises:
        SourceError: there is no or more than one network, no floating car data, or a file has a fault.
    """
    files = sorted(file for file in Path(path).rglob("*.xml*") if file.is_file())
    networks = [file for file in files if ".net.xml" in file.name]
    runs = [file for file in files if "fcd" in file.name.lower() and file not in networks]
    if len(networks) != 1:
        raise SourceError(f"{path} has {len(networks)} *.net.xml: give a folder with one network and its runs")
    if not runs:
        raise SourceError(f"{path} has no *fcd*.xml: run sumo with --fcd-output FOLDER/NAME.fcd.xml")
    network = _read_network(networks[0])
    kinds = _read_kinds([file for file in files if file not in networks and file not in runs])
    named = zip(runs, name_scenes(runs, path), strict=True)
    tracks = [_read_run(file, f"{source}/{name}", network, kinds) for file, name in named]
    return Recording(
        pd.concat(tracks, ignore_index=True).assign(source=source, map=source), _lane_table(network).assign(map=source)
    )


def _read_network(file: Path) -> _Network:
    network, edge = _Network(), {"id": "", "function": ""}

    def handle(tag: str, given: dict[str, str]) -> None:
        if tag == "edge":
            edge.update(id=given.get("id", ""), function=given.get("function", ""))
            if not edge["function"]:
                network.ends[edge["id"]] = given.get("from", ""), given.get("to", "")
        elif tag == "lane" and edge["function"] not in _NOT_DRIVEN and given.get("allow") != "pedestrian":
            lane = _lane(given, edge["id"], edge["function"] == "internal", file)
            if lane.length > 0.0 and network.lanes.setdefault(lane.name, lane) is not lane:
                raise SourceError(f"{file}: two lanes have the id {lane.name}: drop one")
        elif tag == "connection":
            first = f"{given.get('from')}_{given.get('fromLane')}"
            last = f"{given.get('to')}_{given.get('toLane')}"
            network.following.setdefault(first, set()).add(given.get("via", last))

    parse_starts(file, handle)
    if not network.lanes:
        raise SourceError(f"{file} has no lane: it is not a SUMO network")
    return network


def _lane(given: dict[str, str], edge: str, is_inside: bool, file: Path) -> _Lane:
    name, points = given.get("id", ""), [point.split(",") for point in given.get("shape", "").split()]
    if not is_name(name) or len(points) < 2 or any(len(point) not in (2, 3) for point in points):
        raise SourceError(f"{file}: lane {name[:40]!r} has no id or no shape of two or more points: correct it")
    line = np.array([[read_number(part, f"the shape of lane {name}", file) for part in point[:2]] for point in points])
    index = read_number(given.get("index"), f"the index of lane {name}", file)
    return _Lane(name, line, edge, int(index), is_inside, given.get("allow") == "bicycle")


def _read_kinds(files: list[Path]) -> dict[str, _Kind]:
    """Return the vehicle types that files define, by name."""
    kinds: dict[str, _Kind] = {}

    def handle_in(file: Path, tag: str, given: dict[str, str]) -> None:
        if tag != "vType" or "id" not in given:
            return
        kind = _CLASSES.get(given.get("vClass", ""), "vehicle")
        size = [
            read_number(given[side], f"{side} of vType {given['id']}", file) if side in given else usual
            for side, usual in zip(("length", "width"), _SIZES[kind], strict=True)
        ]
        kinds[given["id"]] = _Kind(kind, *size)

    for file in files:
        parse_starts(file, lambda tag, given, file=file: handle_in(file, tag, given))  # type: ignore[misc]
    return kinds


def _kind(name: str, kinds: dict[str, _Kind], is_person: bool) -> _Kind:
    if name in kinds:
        return kinds[name]
    guess = next((kind for hint, kind in _HINTS.items() if hint in name.lower()), "vehicle")
    guess = "pedestrian" if is_person else guess
    return _Kind(guess, *_SIZES[guess])


def _read_run(file: Path, name: str, network: _Network, kinds: dict[str, _Kind]) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    now = [float("nan")]

    def handle(tag: str, given: dict[str, str]) -> None:
        if tag == "timestep":
            now[0] = read_number(given.get("time"), "the time of a timestep", file)
        elif tag in ("vehicle", "person"):
            actor = given.get("id", "")
            if not is_name(actor) or np.isnan(now[0]):
                raise SourceError(f"{file}: a {tag} has no id or is outside a timestep: correct it")
            numbers = [read_number(given.get(key), f"{key} of {actor}", file) for key in _NUMBERS]
            rows.append((now[0], actor, _kind(given.get("type", ""), kinds, tag == "person"), *numbers))

    parse_starts(file, handle)
    if not rows:
        raise SourceError(f"{file} has no vehicle and no person: there is nothing to read")
    frame = pd.DataFrame(rows, columns=["time_s", "actor", "kind", *_NUMBERS])
    heading = np.pi / 2 - np.radians(frame["angle"].to_numpy(np.float64))
    kind = frame["kind"].tolist()
    back = np.array([one.length / 2 if one.type != "pedestrian" else 0.0 for one in kind])
    place = (
        frame[["x", "y"]].to_numpy(np.float64) - np.stack([np.cos(heading), np.sin(heading)], axis=1) * back[:, None]
    )
    lanes = list(network.lanes.values())
    types = np.array([one.type for one in kind], dtype=object)
    actor = pd.factorize(frame["actor"])[0]
    placed = place_road_users(
        Positions(actor, types, frame["time_s"].to_numpy(np.float64), place, heading), _lines(network)
    )
    if np.abs(place).max() <= 180.0 and np.median(placed.place == "off_lane") == 1.0:
        raise SourceError(f"{file}: no road user is near a lane: run sumo without --fcd-output.geo")
    return pd.DataFrame(
        {
            "scene": name,
            "time_s": frame["time_s"],
            "actor": frame["actor"],
            "type": types,
            "lane": [lanes[i].name for i in placed.lane],
            "s_m": placed.s,
            "x_m": place[:, 0],
            "y_m": place[:, 1],
            "speed_mps": frame["speed"].abs(),
            "heading_rad": np.arctan2(np.sin(heading), np.cos(heading)),
            "length_m": [one.length for one in kind],
            "width_m": [one.width for one in kind],
            "place": placed.place,
        }
    )


def _lines(network: _Network) -> LaneLines:
    lanes = list(network.lanes.values())
    row = {lane.name: i for i, lane in enumerate(lanes)}
    return LaneLines(
        lines=[lane.line for lane in lanes],
        following=[
            [row[name] for name in sorted(network.following.get(lane.name, ())) if name in row] for lane in lanes
        ],
        is_bike=np.array([lane.is_bike for lane in lanes]),
    )


def _lane_table(network: _Network) -> pd.DataFrame:
    lanes = list(network.lanes.values())
    by_edge: dict[str, dict[int, str]] = {}
    for lane in lanes:
        by_edge.setdefault(lane.edge, {})[lane.index] = lane.name
    between: dict[tuple[str, str], list[str]] = {}
    for edge, ends in network.ends.items():
        if all(ends) and edge in by_edge:
            between.setdefault(ends, []).append(edge)
    links = [_links(lane, network, by_edge, between) for lane in lanes]
    return pd.DataFrame(
        {
            "lane": [lane.name for lane in lanes],
            "length_m": [lane.length for lane in lanes],
            "is_intersection": [lane.is_inside for lane in lanes],
            **{link: [found[link] for found in links] for link in LINKS},
            "x_m": [lane.line[:, 0].tolist() for lane in lanes],
            "y_m": [lane.line[:, 1].tolist() for lane in lanes],
        }
    )


def _links(
    lane: _Lane, network: _Network, by_edge: dict[str, dict[int, str]], between: dict[tuple[str, str], list[str]]
) -> dict[str, list[str]]:
    """Return connected lanes, those next to it on its edge, and the leftmost lane of each edge against it.

    Args:
        lane: of the network.
        network: of all lanes.
        by_edge: edge -> index of a lane -> its name.
        between: first and last junction -> edges with lanes.
    """
    same, ends = by_edge[lane.edge], network.ends.get(lane.edge, ("", ""))
    against = between.get(ends[::-1], []) if lane.index == max(same) else []
    return {
        "following": sorted(name for name in network.following.get(lane.name, ()) if name in network.lanes),
        "neighbour": [same[index] for index in (lane.index - 1, lane.index + 1) if index in same],
        "opposite": sorted(by_edge[edge][max(by_edge[edge])] for edge in against if edge != lane.edge),
    }
