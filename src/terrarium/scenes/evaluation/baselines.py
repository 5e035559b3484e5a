"""What embeddings are held against: ten statistics made by hand, and the Weisfeiler-Lehman kernel."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from terrarium.scenes.evaluation.logistic import Matrix
from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.scene_graph import FOLLOWING_LEAD, NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE
from terrarium.scenes.graphs.weisfeiler_lehman import graph_of_nodes, node_labels, vocabulary

STATISTICS = (
    *("road_users", "leading", "neighbours", "opposite", "mean_speed", "speed_deviation"),
    *("smallest_gap", "mean_path", "lane_changes", "on_intersection"),
)
NO_GAP_M = 50.0
"""The smallest gap of a graph in which nobody follows anybody."""


def hand_statistics(graphs: Graphs) -> np.ndarray:
    """Ten numbers a graph, in the order of STATISTICS, float64 (g, 10)."""
    count, node_graph, edge_graph = graphs.nodes, graph_of_nodes(graphs), _graph_of(graphs.edges)

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


def wl_vectors(graphs: Graphs, rounds: int, train: np.ndarray) -> Matrix:
    """Square roots of how often each label of the refinement's rounds occurs in a graph, sparse (g, labels).

    The cosine of two rows is a Weisfeiler-Lehman subtree kernel (Shervashidze et al. 2011) on rooted counts. Labels are
    exact, and those that fewer than two training graphs hold are left out.
    """
    graph = graph_of_nodes(graphs)
    parts = [label_counts(labels, graph, len(graphs), train) for labels in node_labels(graphs, rounds)]
    return sparse.csr_array(sparse.hstack(parts)).sqrt()


def label_counts(labels: np.ndarray, graph: np.ndarray, graphs: int, train: np.ndarray) -> Matrix:
    """How often each label that the training graphs know occurs in each graph, sparse (g, labels)."""
    known = vocabulary(labels, graph, train)
    inside = np.isin(labels, known)
    place = (graph[inside], np.searchsorted(known, labels[inside]))
    return sparse.coo_array((np.ones(int(inside.sum())), place), shape=(graphs, len(known))).tocsr()


def _graph_of(sizes: np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)
