"""Ten hand-made statistics of a graph."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.scene_graph import FOLLOWING_LEAD, NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE

NO_GAP_M = 50.0
"""The smallest gap of a graph in which nobody follows anybody, in metres."""


def hand_statistics(graphs: Graphs) -> pd.DataFrame:
    """Return ten statistics of each graph, float64, one row per graph.

    Columns: road_users, leading, neighbours, opposite (relations), mean_speed, speed_deviation (m/s), smallest_gap,
    mean_path (m), lane_changes, on_intersection (road users).
    """
    count, node_graph, edge_graph = graphs.nodes, graphs.graph_of_nodes, graphs.graph_of_edges

    def total(values: np.ndarray, graph: np.ndarray) -> np.ndarray:
        return np.bincount(graph, weights=values, minlength=len(graphs))

    def relations(relation: int) -> np.ndarray:
        return total(graphs.relation == relation, edge_graph)

    mean = total(graphs.speed, node_graph) / count
    columns = {
        "road_users": count,
        "leading": relations(FOLLOWING_LEAD),
        "neighbours": relations(NEIGHBOR_VEHICLE) / 2,
        "opposite": relations(OPPOSITE_VEHICLE) / 2,
        "mean_speed": mean,
        "speed_deviation": np.sqrt(np.maximum(total(graphs.speed**2, node_graph) / count - mean**2, 0.0)),
        "smallest_gap": smallest_gap(graphs),
        "mean_path": total(np.abs(graphs.path_length), edge_graph) / np.maximum(graphs.edges, 1),
        "lane_changes": total(graphs.lane_change, node_graph),
        "on_intersection": total(graphs.intersection, node_graph),
    }
    return pd.DataFrame(columns).astype(np.float64)


def smallest_gap(graphs: Graphs) -> np.ndarray:
    """Return the smallest distance to a vehicle ahead in each graph, in metres, float64 (graphs,)."""
    gap = np.full(len(graphs), NO_GAP_M)
    leads = graphs.relation == FOLLOWING_LEAD
    np.minimum.at(gap, graphs.graph_of_edges[leads], graphs.path_length[leads])
    return gap
