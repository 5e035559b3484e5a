"""What embeddings are held against: ten statistics made by hand, and the Weisfeiler-Lehman kernel."""

from __future__ import annotations

import zlib

import numpy as np

from terrarium.pipelines.scenes.graphs import Graphs
from terrarium.pipelines.scenes.scene_graph import FOLLOWING_LEAD, NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE

STATISTICS = (
    *("road_users", "leading", "neighbours", "opposite", "mean_speed", "speed_deviation"),
    *("smallest_gap", "mean_path", "lane_changes", "on_intersection"),
)
NO_GAP_M = 50.0
"""The smallest gap of a graph in which nobody follows anybody."""


def hand_statistics(graphs: Graphs) -> np.ndarray:
    """Ten numbers a graph, in the order of STATISTICS, float64 (g, 10)."""
    count, node_graph, edge_graph = graphs.nodes, _graph_of(graphs.nodes), _graph_of(graphs.edges)

    def total(values: np.ndarray, graph: np.ndarray) -> np.ndarray:
        return np.bincount(graph, weights=values, minlength=len(graphs))

    mean = total(graphs.speed, node_graph) / count
    spread = np.sqrt(np.maximum(total(graphs.speed**2, node_graph) / count - mean**2, 0.0))
    relation = graphs.relation
    kinds = [total(relation == kind, edge_graph) for kind in (FOLLOWING_LEAD, NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE)]
    path = total(np.abs(graphs.path), edge_graph) / np.maximum(graphs.edges, 1)
    columns = [
        *(count, kinds[0], kinds[1] / 2, kinds[2] / 2, mean, spread, smallest_gap(graphs), path),
        *(total(graphs.lane_change, node_graph), total(graphs.intersection, node_graph)),
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def smallest_gap(graphs: Graphs) -> np.ndarray:
    """Metres along the lane to the nearest vehicle in front, over each graph; NO_GAP_M where nobody follows (g)."""
    gap = np.full(len(graphs), NO_GAP_M)
    leads = graphs.relation == FOLLOWING_LEAD
    np.minimum.at(gap, _graph_of(graphs.edges)[leads], graphs.path[leads])
    return gap


def wl_vectors(graphs: Graphs, rounds: int, width: int) -> np.ndarray:
    """Square roots of how often each label of the Weisfeiler-Lehman refinement occurs, hashed to a width, length 1.

    Labels start at type and flags; a round adds the sorted labels and relations of the neighbours (Shervashidze et
    al. 2011). The inner product is a WL subtree kernel on normalised counts.
    """
    start = graphs.kind.astype(np.int64) * 4 + graphs.lane_change * 2 + graphs.intersection
    node_graph = _graph_of(graphs.nodes)
    shift = np.repeat(graphs.node_offset[:-1], graphs.edges)
    source, target = graphs.edge[:, 0] + shift, graphs.edge[:, 1] + shift
    label, counts = start, np.zeros((len(graphs), width))
    for round_number in range(rounds + 1):
        if round_number:
            label = _refined(label, source, target, graphs.relation)
        np.add.at(counts, (node_graph, (label * 2654435761 + round_number) % (2**32) % width), 1.0)
    rooted = np.sqrt(counts)
    return rooted / np.maximum(np.linalg.norm(rooted, axis=1, keepdims=True), 1e-12)


def _refined(label: np.ndarray, source: np.ndarray, target: np.ndarray, relation: np.ndarray) -> np.ndarray:
    """A label from each node's own and the multiset of (relation, label) around it."""
    around: list[list[tuple[int, int]]] = [[] for _ in range(len(label))]
    for one, other, kind in zip(source.tolist(), target.tolist(), relation.tolist(), strict=True):
        around[one].append((kind, int(label[other])))
    return np.array(
        [zlib.crc32(repr((int(own), sorted(others))).encode()) for own, others in zip(label, around, strict=True)],
        np.int64,
    )


def _graph_of(sizes: np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)
