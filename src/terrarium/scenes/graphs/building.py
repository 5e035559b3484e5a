"""From tracks and lanes to graphs: snapshots, relations, components, and which component comes a second later."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from terrarium.scenes.graphs.columns import Graphs, from_parts
from terrarium.scenes.graphs.lane_graph import LEAD, LaneGraph, lane_graph
from terrarium.scenes.graphs.scene_graph import components, relations
from terrarium.scenes.options import LATER_S, LATER_TOLERANCE_S, GraphOptions
from terrarium.sources.traffic.tables import ACTOR_TYPES

logger = logging.getLogger(__name__)
INDEX = ["graph_id", "scene", "source", "map", "time_s", "nodes", "edges", "next_row"]
SHARED = 0.5
"""A component is the same a second later when both share half of the road users of the two together."""
NAMED = 5
"""Scenes without graphs that a warning names."""


class EmptyScenesError(ValueError):
    """Scenes without a single graph."""


Columns = dict[str, np.ndarray]


def build_graphs(tracks: pd.DataFrame, lanes: pd.DataFrame, options: GraphOptions) -> tuple[Graphs, pd.DataFrame]:
    """All graphs, and a row each: id, scene, source, map, time, size, and the row of the same one a second later."""
    maps = {str(name): lane_graph(part.reset_index(drop=True)) for name, part in lanes.groupby("map", sort=True)}
    parts: list[Columns] = []
    index: list[tuple] = []
    empty: list[str] = []
    for (source, scene), part in tracks.groupby(["source", "scene"], sort=True):
        name, before = str(part["map"].iloc[0]), len(parts)
        own = str(scene).removeprefix(f"{source}/")
        for time, snapshot in _snapshots(_columns(part, maps[name]), maps[name], options):
            for number, graph in enumerate(_graphs(snapshot, maps[name], options)):
                graph_id = f"{source}/{own}/{time:.2f}/{number}"
                index.append((graph_id, scene, source, name, time, len(graph["speed"]), len(graph["path"])))
                parts.append(graph)
        if len(parts) == before:
            empty.append(str(scene))
    if not parts:
        raise EmptyScenesError(
            "no scene gave a graph: scenes need two snapshots and road users near each other, or set "
            "scenes.features.graphs.smallest to 1"
        )
    if empty:
        logger.warning(
            "%d of %d scenes gave no graph, so nothing is learned or measured of them: %s%s",
            *(len(empty), len(empty) + len({row[1:3] for row in index}), ", ".join(empty[:NAMED])),
            *(" and others" if len(empty) > NAMED else "",),
        )
    table = pd.DataFrame(index, columns=INDEX[:-1])
    return from_parts(parts), table.assign(next_row=_later(table, parts))


def _columns(scene: pd.DataFrame, graph: LaneGraph) -> Columns:
    """A scene as arrays; lanes and types by number."""
    lane = np.array([graph.row[name] for name in scene["lane"]], np.int64)
    return {
        "time": scene["time_s"].to_numpy(np.float64),
        "row": lane,
        "s": scene["s_m"].to_numpy(np.float64),
        "speed": scene["speed_mps"].to_numpy(np.float64),
        "kind": np.array([ACTOR_TYPES.index(kind) for kind in scene["type"]]),
        "intersection": graph.intersection[lane],
        "place": scene[["x_m", "y_m"]].to_numpy(np.float64),
        "heading": scene["heading_rad"].to_numpy(np.float64),
        "length": scene["length_m"].to_numpy(np.float64),
        "width": scene["width_m"].to_numpy(np.float64),
        "actor": pd.factorize(scene["actor"])[0],
    }


def _snapshots(scene: Columns, graph: LaneGraph, options: GraphOptions) -> list[tuple[float, Columns]]:
    """Instants an interval apart, from the first on; one without an instant before it cannot show lane changes.

    So the first is left out, and so is the first after a hole in the recording.
    """
    times = np.unique(scene["time"])
    before: dict[int, int] | None = None
    found = []
    for time in _instants(times, options.interval_s):
        if time is None:
            before = None
            continue
        rows = np.flatnonzero(scene["time"] == time)
        snapshot = {name: column[rows] for name, column in scene.items()}
        here = dict(zip(snapshot["actor"].tolist(), snapshot["row"].tolist(), strict=True))
        if before is not None:
            lanes = [(before.get(actor), lane) for actor, lane in here.items()]
            changed = [_changed(lane_before, lane, graph, options.max_lanes_passed) for lane_before, lane in lanes]
            found.append((float(time - times[0]), snapshot | {"lane_change": np.array(changed, bool)}))
        before = here
    return found


def _instants(times: np.ndarray, interval_s: float) -> list[float | None]:
    """The recorded time nearest to each multiple of the interval, each once; None where a recording has a hole.

    Nearest is within half of the recording's own interval, the median between its times.
    """
    wanted = np.arange(times[0], times[-1] + 1e-6, interval_s)
    nearest = times[np.abs(times[:, None] - wanted).argmin(axis=0)]
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    here = np.abs(nearest - wanted) <= step / 2 + 1e-6
    found: list[float | None] = []
    for time, there in zip(nearest.tolist(), here.tolist(), strict=True):
        value = time if there else None
        if not found or value != found[-1]:
            found.append(value)
    return found


def _changed(before: int | None, lane: int, graph: LaneGraph, passed: int) -> bool:
    """Whether the lane is none of those that follow the one before within so many lanes."""
    if before is None:
        return False
    return bool(graph.kind[before, lane] != LEAD or graph.hops[before, lane] > passed)


def _graphs(snapshot: Columns, graph: LaneGraph, options: GraphOptions) -> list[Columns]:
    """The components of a snapshot that are large enough."""
    edges, lengths = relations(snapshot["row"], snapshot["s"], snapshot["place"], graph, options)
    count = len(snapshot["row"])
    component = components(count, edges)
    found = []
    for number in range(component.max(initial=-1) + 1):
        members = np.flatnonzero(component == number)
        if len(members) < options.min_nodes:
            continue
        inside = component[edges[:, 0]] == number
        place_of = np.full(count, -1)
        place_of[members] = np.arange(len(members))
        part = {name: column[members] for name, column in snapshot.items() if name not in {"time", "row", "s"}}
        part["edge"], part["relation"] = place_of[edges[inside, :2]], edges[inside, 2]
        found.append(part | {"path": lengths[inside]})
    return found


def _later(table: pd.DataFrame, parts: list[Columns]) -> np.ndarray:
    """The row of the same component a second later, -1 where there is none."""
    later = np.full(len(table), -1, np.int64)
    for _, scene in table.groupby(["source", "scene"], sort=False):
        times = scene["time_s"].to_numpy()
        rows = scene.index.to_numpy()
        for row, time in zip(rows, times, strict=True):
            others = rows[np.abs(times - time - LATER_S) < LATER_TOLERANCE_S]
            actors = set(parts[row]["actor"].tolist())
            shared = [_jaccard(actors, set(parts[other]["actor"].tolist())) for other in others]
            if shared and max(shared) >= SHARED:
                later[row] = others[int(np.argmax(shared))]
    return later


def _jaccard(one: set[int], other: set[int]) -> float:
    return len(one & other) / len(one | other)
