"""Which relation two lanes allow, and how far apart their starts are along the road."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import pandas as pd

NONE, LEAD, NEIGHBOR, OPPOSITE = -1, 0, 1, 2
LINKS = ("following", "neighbour", "opposite")
"""Columns of the table of lanes, in the order of LEAD, NEIGHBOR and OPPOSITE."""


@dataclass(frozen=True, eq=False)
class LaneGraph:
    """Relations of all pairs of lanes by their shortest path in hops; arrays have the shape (lanes, lanes).

    Attributes:
        row: row of each lane by name.
        relation: LEAD if the path only follows, NEIGHBOR or OPPOSITE with one such hop, else NONE.
        offset: metres; the distance from s on the first lane to s' on the second is offset - s + s', or
            offset - s - s' with an opposite hop, since s' then runs the other way.
        hops: length of the path.
        intersection: whether each lane is inside a junction (lanes,).
    """

    row: dict[str, int]
    relation: np.ndarray
    offset: np.ndarray
    hops: np.ndarray
    intersection: np.ndarray


def lane_graph(lanes: pd.DataFrame) -> LaneGraph:
    """Search the paths between all lanes of one map.

    Among paths of equally many hops, following goes before neighbour before opposite.

    Args:
        lanes: columns lane, length_m, is_intersection, and the lists of names following, neighbour and opposite.
    """
    row = {name: i for i, name in enumerate(lanes["lane"])}
    links = [
        [(link, row[other]) for link, column in enumerate(LINKS) for other in lanes[column].iloc[i]]
        for i in range(len(lanes))
    ]
    length = lanes["length_m"].to_numpy(np.float64)
    shape = (len(lanes), len(lanes))
    graph = LaneGraph(
        row=row,
        relation=np.full(shape, NONE, np.int8),
        offset=np.zeros(shape),
        hops=np.zeros(shape, np.int64),
        intersection=lanes["is_intersection"].to_numpy(bool),
    )
    for start in range(len(lanes)):
        _search(start, links, length, graph)
    return graph


def _search(start: int, links: list[list[tuple[int, int]]], length: np.ndarray, graph: LaneGraph) -> None:
    """Fill the rows of one lane by a breadth-first search."""
    relation, offset, hops = graph.relation[start], graph.offset[start], graph.hops[start]
    relation[start] = LEAD
    visited, queue = {start}, deque([start])
    while queue:
        lane = queue.popleft()
        for link, other in links[lane]:
            if other in visited:
                continue
            visited.add(other)
            queue.append(other)
            hops[other] = hops[lane] + 1
            relation[other], offset[other] = _extend(
                int(relation[lane]), float(offset[lane]), link, length[lane], length[other]
            )


def _extend(relation: int, offset: float, link: int, length: float, other: float) -> tuple[int, float]:
    """Return relation and offset after one more hop; a second hop to the side gives NONE from there on."""
    if relation == NONE or LEAD not in (link, relation):
        return NONE, 0.0
    if link == LEAD:
        return relation, offset - length if relation == OPPOSITE else offset + length
    return link, offset + other if link == OPPOSITE else offset
