"""Relations between the road users of one instant: discovery, then construction.

Discovery finds for each pair the best relation that the lanes and the limits allow; construction adds relations in
the order leading, neighbour, opposite, each shortest first, and leaves one out when few edges join its ends already.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from terrarium.scenes.graphs.lane_graph import LEAD, NEIGHBOUR, NONE, OPPOSITE, LaneGraph
from terrarium.scenes.options import GraphOptions

RELATIONS = ("following_lead", "leading_vehicle", "neighbor_vehicle", "opposite_vehicle")
"""follower to leader; leader to follower; beside; opposite. The last two are written in both directions."""
FOLLOWING_LEAD, LEADING_VEHICLE, NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE = range(4)
_SLOT = {name: i for i, name in enumerate(RELATIONS)}


class UnknownRelationError(ValueError):
    """A relation that the vocabulary does not have."""


def relation_slot(name: str) -> int:
    """The slot of a relation. Raises `UnknownRelationError`; nothing falls back to another slot."""
    if name not in _SLOT:
        raise UnknownRelationError(f"relation {name!r} is unknown: known are {', '.join(RELATIONS)}")
    return _SLOT[name]


def relations(
    lane: np.ndarray, s: np.ndarray, place: np.ndarray, graph: LaneGraph, options: GraphOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Directed edges (e, 3: from, to, relation) and their path lengths (e) in metres.

    Args:
        lane: rows of the lane graph (n).
        s: metres along the lane (n).
        place: x and y in metres (n, 2).
        graph: of the map.
        options: limits.
    """
    pairs = candidates(lane, s, place, graph, options)
    joined: list[list[int]] = [[] for _ in range(len(lane))]
    limits = {
        LEAD: options.redundant_lead_hops,
        NEIGHBOUR: options.redundant_neighbor_hops,
        OPPOSITE: options.redundant_opposite_hops,
    }
    edges, lengths = [], []
    for kind, one, other, length in pairs:
        if _within(joined, one, other, limits[kind]):
            continue
        joined[one].append(other)
        joined[other].append(one)
        there, back = {
            LEAD: (FOLLOWING_LEAD, LEADING_VEHICLE),
            NEIGHBOUR: (NEIGHBOR_VEHICLE, NEIGHBOR_VEHICLE),
            OPPOSITE: (OPPOSITE_VEHICLE, OPPOSITE_VEHICLE),
        }[kind]
        edges += [(one, other, there), (other, one, back)]
        lengths += [length, length]
    return np.array(edges, np.int64).reshape(-1, 3), np.array(lengths, np.float64)


def candidates(
    lane: np.ndarray, s: np.ndarray, place: np.ndarray, graph: LaneGraph, options: GraphOptions
) -> list[tuple[int, int, int, float]]:
    """Kind, first, second and path length of each pair's better direction, in the order of construction."""
    kind = graph.kind[lane[:, None], lane[None, :]].astype(np.int64)
    there = graph.offset[lane[:, None], lane[None, :]] - s[:, None]
    length = np.where(kind == OPPOSITE, there - s[None, :], there + s[None, :])
    straight = np.linalg.norm(place[:, None] - place[None, :], axis=-1)
    same_lane = lane[:, None] == lane[None, :]
    allowed = _allowed(kind, length, straight, same_lane, options)
    np.fill_diagonal(allowed, val=False)
    first, second = np.nonzero(allowed)
    key = np.stack([np.minimum(first, second), np.maximum(first, second)])
    kinds, lengths = kind[first, second], length[first, second]
    order = np.lexsort((first, np.abs(lengths), kinds))
    _, chosen = np.unique(key[:, order], axis=1, return_index=True)
    best = order[np.sort(chosen)]
    columns = (kinds[best], first[best], second[best], lengths[best])
    return [(int(k), int(i), int(j), float(m)) for k, i, j, m in zip(*columns, strict=True)]


def _allowed(
    kind: np.ndarray, length: np.ndarray, straight: np.ndarray, same_lane: np.ndarray, options: GraphOptions
) -> np.ndarray:
    lead = (kind == LEAD) & (length > 0.0) & (length < options.max_lead_m)
    lead &= same_lane | (straight < options.max_lead_m)
    beside = (kind == NEIGHBOUR) & (np.abs(length) < options.max_neighbor_m) & (straight < options.max_neighbor_m)
    limit = np.where(length >= 0.0, options.max_opposite_ahead_m, options.max_opposite_behind_m)
    facing = (kind == OPPOSITE) & (np.abs(length) < limit) & (straight < limit)
    return (kind != NONE) & (lead | beside | facing)


def _within(joined: list[list[int]], one: int, other: int, most: int) -> bool:
    """Whether a path of at most so many edges joins two road users; every relation goes both ways."""
    if most == 0:
        return False
    distance, queue = {one: 0}, deque([one])
    while queue:
        here = queue.popleft()
        if distance[here] == most:
            return False
        for there in joined[here]:
            if there == other:
                return True
            if there not in distance:
                distance[there] = distance[here] + 1
                queue.append(there)
    return False


def components(count: int, edges: np.ndarray) -> np.ndarray:
    """The number of each road user's weakly connected component (count), by first member."""
    number = np.arange(count)
    while True:
        lowest = number.copy()
        np.minimum.at(lowest, edges[:, 0], number[edges[:, 1]])
        if np.array_equal(lowest, number):
            return np.unique(number, return_inverse=True)[1]
        number = lowest
