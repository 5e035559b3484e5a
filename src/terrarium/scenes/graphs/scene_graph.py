"""Relations between the road users of one instant: discovery, then construction.

Discovery finds for each pair the best relation that the lanes and the limits allow. Construction adds relations in the
order leading, neighbour, opposite, each shortest first, and omits one if few edges already join its ends.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from terrarium.scenes.graphs.lane_graph import LEAD, NEIGHBOR, NONE, OPPOSITE, LaneGraph
from terrarium.scenes.options import GraphOptions

RELATIONS = ("following_lead", "leading_vehicle", "neighbor_vehicle", "opposite_vehicle")
"""Follower to leader, leader to follower, adjacent, opposite. The last two are written in both directions."""
FOLLOWING_LEAD, LEADING_VEHICLE, NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE = range(4)
DIRECTED = {
    LEAD: (FOLLOWING_LEAD, LEADING_VEHICLE),
    NEIGHBOR: (NEIGHBOR_VEHICLE, NEIGHBOR_VEHICLE),
    OPPOSITE: (OPPOSITE_VEHICLE, OPPOSITE_VEHICLE),
}
"""Relation of lanes -> relations of the edges from the first to the second road user, and back."""


class Placement(NamedTuple):
    """Where the road users of one instant are.

    Attributes:
        lane: rows of the lane graph, int (n,).
        s: metres along the lane (n,).
        position: x and y in metres (n, 2).
    """

    lane: np.ndarray
    s: np.ndarray
    position: np.ndarray


class Candidate(NamedTuple):
    """A relation between two road users that lanes and limits allow."""

    relation: int
    first: int
    second: int
    path_length: float


class RelationEdges(NamedTuple):
    """Directed edges.

    Attributes:
        edge: source, target and relation, int64 (e, 3).
        path_length: metres along the lanes, float64 (e,).
    """

    edge: np.ndarray
    path_length: np.ndarray


def build_relations(placement: Placement, graph: LaneGraph, options: GraphOptions) -> RelationEdges:
    """Build the relations between the road users of one instant, both directions of each."""
    joined: list[list[int]] = [[] for _ in range(len(placement.lane))]
    redundant_hops = {
        LEAD: options.redundant_lead_hops,
        NEIGHBOR: options.redundant_neighbor_hops,
        OPPOSITE: options.redundant_opposite_hops,
    }
    edges, lengths = [], []
    for relation, first, second, path_length in candidates(placement, graph, options):
        if _are_joined(joined, first, second, redundant_hops[relation]):
            continue
        joined[first].append(second)
        joined[second].append(first)
        forward, backward = DIRECTED[relation]
        edges += [(first, second, forward), (second, first, backward)]
        lengths += [path_length, path_length]
    return RelationEdges(np.array(edges, np.int64).reshape(-1, 3), np.array(lengths, np.float64))


def candidates(placement: Placement, graph: LaneGraph, options: GraphOptions) -> list[Candidate]:
    """Return the better direction of each pair, in the order of construction."""
    lane, s, position = placement
    relation = graph.relation[lane[:, None], lane[None, :]].astype(np.int64)
    start = graph.offset[lane[:, None], lane[None, :]] - s[:, None]
    length = np.where(relation == OPPOSITE, start - s[None, :], start + s[None, :])
    straight = np.linalg.norm(position[:, None] - position[None, :], axis=-1)
    is_same_lane = lane[:, None] == lane[None, :]
    is_allowed = _allowed(relation, length, np.where(is_same_lane, 0.0, straight), straight, options)
    np.fill_diagonal(is_allowed, val=False)
    first, second = np.nonzero(is_allowed)
    pair = np.stack([np.minimum(first, second), np.maximum(first, second)])
    relations, lengths = relation[first, second], length[first, second]
    order = np.lexsort((first, np.abs(lengths), relations))
    _, chosen = np.unique(pair[:, order], axis=1, return_index=True)
    best = order[np.sort(chosen)]
    columns = (relations[best], first[best], second[best], lengths[best])
    return [Candidate(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _allowed(
    relation: np.ndarray, length: np.ndarray, off_lane: np.ndarray, straight: np.ndarray, options: GraphOptions
) -> np.ndarray:
    """Return which pairs are within the limits along the lanes and straight; vehicles on one lane only along it."""
    lead = (relation == LEAD) & (length > 0.0) & (length < options.max_lead_m) & (off_lane < options.max_lead_m)
    near = (np.abs(length) < options.max_neighbor_m) & (straight < options.max_neighbor_m)
    limit = np.where(length >= 0.0, options.max_opposite_ahead_m, options.max_opposite_behind_m)
    facing = (np.abs(length) < limit) & (straight < limit)
    is_allowed = lead | ((relation == NEIGHBOR) & near) | ((relation == OPPOSITE) & facing)
    return np.asarray((relation != NONE) & is_allowed)


def _are_joined(joined: list[list[int]], source: int, target: int, max_hops: int) -> bool:
    """Return whether a path of at most `max_hops` edges joins two road users; all edges go both ways."""
    if max_hops == 0:
        return False
    distance, queue = {source: 0}, deque([source])
    while queue:
        node = queue.popleft()
        if distance[node] == max_hops:
            return False
        for neighbor in joined[node]:
            if neighbor == target:
                return True
            if neighbor not in distance:
                distance[neighbor] = distance[node] + 1
                queue.append(neighbor)
    return False


def component_numbers(count: int, edge: np.ndarray) -> np.ndarray:
    """Return the weakly connected component of each of `count` nodes, numbered by first member.

    Args:
        count: number of nodes, at least 1.
        edge: source and target in the first two columns, int (e, ·).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    adjacency = coo_array((np.ones(len(edge)), (edge[:, 0], edge[:, 1])), shape=(count, count))
    return np.asarray(connected_components(adjacency, directed=False)[1])
