"""Criticality of all pairs of road users in graphs, and the worst of each graph and scene."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from terrarium.scenes.criticality.encroachment import SMALLEST_ANGLE, measure_encroachments
from terrarium.scenes.criticality.measures import (
    bumper_gap,
    closing_speed,
    required_deceleration,
    separation_speed,
    time_headway,
    time_to_collision,
    time_to_overlap,
)
from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.scene_graph import FOLLOWING_LEAD

FOLLOWING, CROSSING = "following", "crossing"
TTC, HEADWAY, CLOSING = "time_to_collision_s", "time_headway_s", "closing_speed_mps"
DECELERATION, PET = "required_deceleration_mps2", "post_encroachment_time_s"
WORST = {TTC: "min", HEADWAY: "min", CLOSING: "max", DECELERATION: "max", PET: "min"}
"""Measures, and whether the smallest or the largest of several pairs is the most critical."""
PAIR_COLUMNS = ("source", "scene", "time_s", "first", "second", "relation", "gap_m", *WORST)
PET_HORIZON_S = 3.0
"""A crossing counts for graphs from this long before the first road user leaves until the second enters."""
_PAIR_MEASURES = ("gap_m", TTC, HEADWAY, CLOSING, DECELERATION)
_ENCROACHMENT_NUMBERS = ("first_number", "second_number")


class Criticality(NamedTuple):
    """Measures in s, m/s and m/s², NaN where no pair has one.

    Attributes:
        pairs: one row per pair of road users at one instant, with the columns `PAIR_COLUMNS`; `relation` is following,
            crossing, or for a post-encroachment time crossed.
        graphs: the worst of each graph's pairs, columns of `WORST`, one row per graph.
        scenes: the worst of each scene's pairs, columns source, scene and those of `WORST`.
    """

    pairs: pd.DataFrame
    graphs: pd.DataFrame
    scenes: pd.DataFrame


def measure_criticality(tracks: pd.DataFrame, graphs: Graphs, index: pd.DataFrame) -> Criticality:
    """Measure all pairs of the graphs, and the paths of the tracks that cross.

    Args:
        tracks: see `sources.traffic`.
        graphs: built from them.
        index: columns source, scene and time_s, one row per graph.
    """
    numbers = _actor_numbers(tracks)
    encroachments = _numbered(measure_encroachments(tracks), numbers)
    pairs = pd.concat([measure_following(graphs), measure_crossing(graphs)], ignore_index=True)
    worst = pairs.groupby("graph")[[TTC, HEADWAY, CLOSING, DECELERATION]].agg(
        {name: WORST[name] for name in (TTC, HEADWAY, CLOSING, DECELERATION)}
    )
    by_graph = worst.reindex(range(len(graphs)))
    by_graph[PET] = graph_encroachments(graphs, index, encroachments)
    named = _named_pairs(pairs, graphs, index, numbers)
    crossed = encroachments.rename(columns={"entered_s": "time_s"}).assign(relation="crossed")
    every = pd.concat([named, crossed.reindex(columns=list(PAIR_COLUMNS))], ignore_index=True)
    every = every.astype(dict.fromkeys(_PAIR_MEASURES, np.float64))
    by_scene = every.groupby(["source", "scene"], as_index=False).agg(WORST)
    scenes = index[["source", "scene"]].drop_duplicates(ignore_index=True).merge(by_scene, how="left")
    return Criticality(every, by_graph.reset_index(drop=True)[list(WORST)], scenes[["source", "scene", *WORST]])


def measure_following(graphs: Graphs) -> pd.DataFrame:
    """Measure each follower and its leader along the lane: graph, first, second (node rows), relation and measures."""
    rows = np.flatnonzero(graphs.relation == FOLLOWING_LEAD)
    first, second = graphs.edge_index[:, rows]
    speed = graphs.speed.astype(np.float64)
    length = graphs.length.astype(np.float64)
    gap = bumper_gap(graphs.path_length[rows].astype(np.float64), length[first], length[second])
    closing = closing_speed(speed[first], speed[second])
    return _pair_table(
        graphs.graph_of_edges[rows],
        (first, second),
        FOLLOWING,
        {
            "gap_m": gap,
            TTC: time_to_collision(gap, closing),
            HEADWAY: time_headway(gap, speed[first]),
            CLOSING: closing,
            DECELERATION: required_deceleration(gap, closing),
        },
    )


def measure_crossing(graphs: Graphs) -> pd.DataFrame:
    """Measure pairs within a graph whose headings cross, at constant velocity; columns as for following."""
    first, second = _pairs_within(graphs.node_offset)
    heading = graphs.heading.astype(np.float64)
    turn = heading[second] - heading[first]
    crosses = np.abs(np.sin(turn)) >= np.sin(SMALLEST_ANGLE)
    first, second = first[crosses], second[crosses]
    position = (graphs.position[second] - graphs.position[first]).astype(np.float64)
    direction = np.stack([np.cos(heading), np.sin(heading)], axis=1) * graphs.speed.astype(np.float64)[:, None]
    velocity = direction[second] - direction[first]
    sizes = np.stack([graphs.length, graphs.width], axis=1).astype(np.float64)
    pair = np.stack([first, second], axis=1)
    unknown = np.full(len(first), np.nan)
    measures = {
        "gap_m": np.linalg.norm(position, axis=1),
        TTC: time_to_overlap(position, velocity, heading[pair], sizes[pair]),
        HEADWAY: unknown,
        CLOSING: separation_speed(position, velocity),
        DECELERATION: unknown,
    }
    table = _pair_table(graphs.graph_of_nodes[first], (first, second), CROSSING, measures)
    return table[table[TTC].notna()].reset_index(drop=True)


def graph_encroachments(graphs: Graphs, index: pd.DataFrame, encroachments: pd.DataFrame) -> np.ndarray:
    """Return the smallest post-encroachment time of two members of each graph around its instant, NaN without.

    Args:
        graphs: all graphs.
        index: columns source, scene and time_s, one row per graph.
        encroachments: see `measure_encroachments`, with first_number and second_number, the numbers of the road users.
    """
    worst = np.full(len(graphs), np.nan)
    known: dict[object, pd.DataFrame] = dict(list(encroachments.groupby(["source", "scene"])))
    for scene, rows in index.groupby(["source", "scene"]).indices.items():
        if scene not in known:
            continue
        crossed = known[scene]
        pairs = crossed[list(_ENCROACHMENT_NUMBERS)].to_numpy(np.int64)
        left, entered, value = (crossed[name].to_numpy(np.float64) for name in ("left_s", "entered_s", PET))
        for row in rows:
            time = float(index["time_s"].iloc[row])
            actors = graphs.actor[graphs.node_offset[row] : graphs.node_offset[row + 1]]
            counts = (time >= left - PET_HORIZON_S) & (time <= entered) & np.isin(pairs, actors).all(axis=1)
            worst[row] = value[counts].min(initial=np.inf) if counts.any() else np.nan
    return worst


def _pairs_within(offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both node rows of every pair within a graph; the first is the smaller row."""
    size = np.diff(offset)
    partners = np.repeat(offset[1:], size) - np.arange(offset[-1]) - 1
    first = np.repeat(np.arange(offset[-1]), partners)
    start = np.repeat(np.cumsum(partners) - partners, partners)
    return first, first + 1 + np.arange(partners.sum()) - start


def _pair_table(
    graph: np.ndarray, users: tuple[np.ndarray, np.ndarray], relation: str, measures: dict[str, np.ndarray]
) -> pd.DataFrame:
    """Return a table of pairs; infinite times mean that nothing happens and become NaN."""
    table = pd.DataFrame({"graph": graph, "first": users[0], "second": users[1], "relation": relation, **measures})
    return table.assign(**{name: table[name].where(np.isfinite(table[name])) for name in (TTC, HEADWAY)})


def _actor_numbers(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return source, scene, actor and its number within the scene, as graphs have it."""
    keys = tracks[["source", "scene", "actor"]].astype("str").drop_duplicates(ignore_index=True)
    return keys.assign(number=keys.groupby(["source", "scene"]).cumcount())


def _numbered(encroachments: pd.DataFrame, numbers: pd.DataFrame) -> pd.DataFrame:
    """Add the numbers of both road users."""
    for user, column in zip(("first", "second"), _ENCROACHMENT_NUMBERS, strict=True):
        known = numbers.rename(columns={"actor": user, "number": column})
        encroachments = encroachments.merge(known, on=["source", "scene", user], how="left", validate="m:1")
    return encroachments


def _named_pairs(pairs: pd.DataFrame, graphs: Graphs, index: pd.DataFrame, numbers: pd.DataFrame) -> pd.DataFrame:
    """Return pairs with the source, scene, instant and names of their road users instead of rows."""
    place = index[["source", "scene", "time_s"]].iloc[pairs["graph"].to_numpy()].reset_index(drop=True)
    table = pd.concat([place, pairs.drop(columns="graph")], axis=1)
    for user in ("first", "second"):
        table["number"] = graphs.actor[pairs[user].to_numpy()]
        found = table[["source", "scene", "number"]].merge(numbers, on=["source", "scene", "number"], how="left")
        table[user] = found["actor"].astype("str")
    return table.reindex(columns=list(PAIR_COLUMNS))
