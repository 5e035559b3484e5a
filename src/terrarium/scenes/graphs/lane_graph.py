"""Which relation two lanes allow, and how far apart their starts are along the road."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import pandas as pd

NONE, LEAD, NEIGHBOUR, OPPOSITE = -1, 0, 1, 2


@dataclass(frozen=True, eq=False)
class LaneGraph:
    """Relations of lanes (n, n) by their shortest path in hops.

    Attributes:
        row: of each lane, by name.
        kind: LEAD when the path only follows, NEIGHBOUR or OPPOSITE with one such hop, else NONE.
        offset: metres; the way from s on the first lane to s' on the second is offset - s + s', or offset - s - s'
            with an opposite hop, since s' then runs the other way.
        hops: of that path.
        intersection: whether the lane lies in a junction.
    """

    row: dict[str, int]
    kind: np.ndarray
    offset: np.ndarray
    hops: np.ndarray
    intersection: np.ndarray


def lane_graph(lanes: pd.DataFrame) -> LaneGraph:
    """The graph of one map; among paths of equally many hops, following goes before neighbour before opposite."""
    row = {name: i for i, name in enumerate(lanes["lane"])}
    links = [
        [
            (kind, row[other])
            for kind, column in enumerate(("following", "neighbour", "opposite"))
            for other in lanes[column].iloc[i]
        ]
        for i in range(len(lanes))
    ]
    length = lanes["length_m"].to_numpy(np.float64)
    shape = (len(lanes), len(lanes))
    kind, offset, hops = np.full(shape, NONE, np.int8), np.zeros(shape), np.zeros(shape, np.int64)
    for start in range(len(lanes)):
        _search(start, links, length, (kind[start], offset[start], hops[start]))
    return LaneGraph(row, kind, offset, hops, lanes["is_intersection"].to_numpy(bool))


def _search(
    start: int,
    links: list[list[tuple[int, int]]],
    length: np.ndarray,
    found: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Breadth first from one lane; fills its row of kinds, offsets and hops."""
    kind, offset, hops = found
    kind[start] = LEAD
    seen, queue = {start}, deque([start])
    while queue:
        lane = queue.popleft()
        for link, other in links[lane]:
            if other in seen:
                continue
            seen.add(other)
            queue.append(other)
            hops[other] = hops[lane] + 1
            kind[other], offset[other] = _extend(
                int(kind[lane]), float(offset[lane]), link, length[lane], length[other]
            )


def _extend(kind: int, offset: float, link: int, length: float, other: float) -> tuple[int, float]:
    """Kind and offset after one more hop; a second hop to the side gives NONE, also further on."""
    if kind == NONE or LEAD not in (link, kind):
        return NONE, 0.0
    if link == LEAD:
        return kind, offset - length if kind == OPPOSITE else offset + length
    return link, offset + other if link == OPPOSITE else offset
