"""From tracks and lanes to graphs: snapshots, relations, components, and the same component one second later."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from terrarium.scenes.graphs.columns import Graphs, from_parts
from terrarium.scenes.graphs.lane_graph import LEAD, LaneGraph, lane_graph
from terrarium.scenes.graphs.scene_graph import Placement, build_relations, component_numbers
from terrarium.scenes.options import LATER_S, LATER_TOLERANCE_S, GraphOptions
from terrarium.sources.traffic.tables import ACTOR_TYPES

logger = logging.getLogger(__name__)
MIN_OVERLAP = 0.5
"""Jaccard index of the road users of two components that makes them the same one at different times."""
MAX_LISTED = 5
"""Scenes without graphs that a warning lists."""
_NODE_COLUMNS = ("speed", "actor_type", "lane_change", "intersection", "position", "heading", "length", "width")

Columns = dict[str, np.ndarray]


class EmptyScenesError(ValueError):
    """A source without a single graph."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The road users of one instant.

    Attributes:
        time_s: seconds since the start of the scene.
        placement: lanes and positions.
        nodes: the node columns of `Graphs`, by name, and `actor`.
    """

    time_s: float
    placement: Placement
    nodes: Columns


def build_graphs(tracks: pd.DataFrame, lanes: pd.DataFrame, options: GraphOptions) -> tuple[Graphs, pd.DataFrame]:
    """Build all graphs of all scenes.

    Args:
        tracks, lanes: tables of `sources.traffic`.
        options: interval and limits.

    Returns:
        The graphs, and a table with one row per graph: graph_id, scene, source, map, time_s, nodes, edges, and
        next_row, the row of the same component one second later or -1.

    Raises:
        EmptyScenesError: no scene of a source has a graph.
    """
    maps = {str(name): lane_graph(rows.reset_index(drop=True)) for name, rows in lanes.groupby("map", sort=True)}
    parts: list[Columns] = []
    index: list[dict[str, object]] = []
    empty: list[str] = []
    scenes = tracks.groupby(["source", "scene"], sort=True)
    for (source, scene), rows in scenes:
        name, before = str(rows["map"].iloc[0]), len(parts)
        own_name = str(scene).removeprefix(f"{source}/")
        for snapshot in _snapshots(_scene_columns(rows, maps[name], options), maps[name], options):
            for number, graph in enumerate(_components(snapshot, maps[name], options)):
                parts.append(graph)
                index.append(
                    {
                        "graph_id": f"{source}/{own_name}/{snapshot.time_s:.2f}/{number}",
                        "scene": scene,
                        "source": source,
                        "map": name,
                        "time_s": snapshot.time_s,
                        "nodes": len(graph["speed"]),
                        "edges": len(graph["path_length"]),
                    }
                )
        if len(parts) == before:
            empty.append(str(scene))
    if not parts:
        raise EmptyScenesError(
            "no scene gave a graph: scenes need two snapshots and road users near each other, or set "
            "scenes.features.graphs.min_nodes to 1"
        )
    table = pd.DataFrame(index)
    without = sorted(set(tracks["source"].astype(str)) - set(table["source"]))
    if without:
        raise EmptyScenesError(
            f"no scene of the source {without[0]!r} gave a graph: its scenes need two snapshots and road users near "
            "each other; leave the source out, or set scenes.features.graphs.min_nodes to 1"
        )
    if empty:
        listed = ", ".join(empty[:MAX_LISTED]) + (" and others" if len(empty) > MAX_LISTED else "")
        logger.warning("%d of %d scenes gave no graph and are left out: %s", len(empty), len(scenes), listed)
    return from_parts(parts), table.assign(next_row=_next_rows(table, parts))


def _scene_columns(scene: pd.DataFrame, graph: LaneGraph, options: GraphOptions) -> Columns:
    """Return the road users at the chosen places as arrays, with lanes, types and actors as numbers."""
    is_chosen = scene["place"].isin(options.places).to_numpy() if "place" in scene else np.ones(len(scene), bool)
    actor = pd.factorize(scene["actor"])[0][is_chosen]
    scene = scene[is_chosen]
    lane = np.array([graph.row[name] for name in scene["lane"]], np.int64)
    return {
        "time": scene["time_s"].to_numpy(np.float64),
        "lane": lane,
        "s": scene["s_m"].to_numpy(np.float64),
        "speed": scene["speed_mps"].to_numpy(np.float64),
        "actor_type": np.array([ACTOR_TYPES.index(kind) for kind in scene["type"]]),
        "intersection": graph.intersection[lane],
        "position": scene[["x_m", "y_m"]].to_numpy(np.float64),
        "heading": scene["heading_rad"].to_numpy(np.float64),
        "length": scene["length_m"].to_numpy(np.float64),
        "width": scene["width_m"].to_numpy(np.float64),
        "actor": actor,
    }


def _snapshots(scene: Columns, graph: LaneGraph, options: GraphOptions) -> Iterator[Snapshot]:
    """Yield the snapshots of a scene, one per interval.

    Lane changes need the snapshot before, so the first one is left out, and the first after a gap in the recording.
    """
    times = np.unique(scene["time"])
    if not len(times):
        return
    lane_before: dict[int, int] | None = None
    for time in _instants(times, options.interval_s):
        if time is None:
            lane_before = None
            continue
        rows = np.flatnonzero(scene["time"] == time)
        nodes = {name: column[rows] for name, column in scene.items()}
        lane_now = dict(zip(nodes["actor"].tolist(), nodes["lane"].tolist(), strict=True))
        if lane_before is not None:
            changed = [
                _has_changed_lane(lane_before.get(actor), lane, graph, options) for actor, lane in lane_now.items()
            ]
            nodes["lane_change"] = np.array(changed, bool)
            placement = Placement(nodes["lane"], nodes["s"], nodes["position"])
            yield Snapshot(float(time - times[0]), placement, {name: nodes[name] for name in (*_NODE_COLUMNS, "actor")})
        lane_before = lane_now


def _instants(times: np.ndarray, interval_s: float) -> list[float | None]:
    """Return the recorded time nearest to each multiple of the interval, each once; None where there is none.

    The tolerance is half of the recording's own interval, the median between its times.
    """
    wanted = np.arange(times[0], times[-1] + 1e-6, interval_s)
    nearest = times[np.abs(times[:, None] - wanted).argmin(axis=0)]
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    is_recorded = np.abs(nearest - wanted) <= step / 2 + 1e-6
    instants: list[float | None] = []
    for time, recorded in zip(nearest.tolist(), is_recorded.tolist(), strict=True):
        instant = time if recorded else None
        if not instants or instant != instants[-1]:
            instants.append(instant)
    return instants


def _has_changed_lane(before: int | None, lane: int, graph: LaneGraph, options: GraphOptions) -> bool:
    """Return whether the lane does not follow the one before within `max_lanes_passed` lanes."""
    if before is None:
        return False
    return bool(graph.relation[before, lane] != LEAD or graph.hops[before, lane] > options.max_lanes_passed)


def _components(snapshot: Snapshot, graph: LaneGraph, options: GraphOptions) -> Iterator[Columns]:
    """Yield the columns of the components of a snapshot that have enough nodes."""
    edges, path_length = build_relations(snapshot.placement, graph, options)
    count = len(snapshot.placement.lane)
    component = component_numbers(count, edges)
    for number in range(component.max(initial=-1) + 1):
        members = np.flatnonzero(component == number)
        if len(members) < options.min_nodes:
            continue
        is_inside = component[edges[:, 0]] == number
        own_number = np.full(count, -1)
        own_number[members] = np.arange(len(members))
        yield {name: column[members] for name, column in snapshot.nodes.items()} | {
            "edge": own_number[edges[is_inside, :2]],
            "relation": edges[is_inside, 2],
            "path_length": path_length[is_inside],
        }


def _next_rows(table: pd.DataFrame, parts: list[Columns]) -> np.ndarray:
    """Return the row of the same component one second later, -1 where there is none."""
    next_row = np.full(len(table), -1, np.int64)
    for _, scene in table.groupby(["source", "scene"], sort=False):
        times = scene["time_s"].to_numpy()
        rows = scene.index.to_numpy()
        for row, time in zip(rows, times, strict=True):
            later = rows[np.abs(times - time - LATER_S) < LATER_TOLERANCE_S]
            actors = set(parts[row]["actor"].tolist())
            overlap = [_jaccard(actors, set(parts[other]["actor"].tolist())) for other in later]
            if overlap and max(overlap) >= MIN_OVERLAP:
                next_row[row] = later[int(np.argmax(overlap))]
    return next_row


def _jaccard(a: set[int], b: set[int]) -> float:
    return len(a & b) / len(a | b)
