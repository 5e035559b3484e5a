"""Graphs as numbers: features of nodes and edges, standardized by the training graphs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.scene_graph import (
    FOLLOWING_LEAD,
    LEADING_VEHICLE,
    NEIGHBOR_VEHICLE,
    OPPOSITE_VEHICLE,
    RELATIONS,
)
from terrarium.sources.traffic.tables import ACTOR_TYPES

RelationEncoding = Literal["one_hot", "collapsed"]
NODE_WIDTH = 1 + len(ACTOR_TYPES) + 2
_COLLAPSED_WIDTH = 6
_COLLAPSED = {FOLLOWING_LEAD: 0, LEADING_VEHICLE: 0, NEIGHBOR_VEHICLE: 0, OPPOSITE_VEHICLE: 1}
"""Slots of the graph embedding recipes: six, of which the first is for all relations but opposite."""


@dataclass(frozen=True)
class Encoding:
    """How a graph becomes numbers: means and standard deviations of the training graphs, and the slots of relations."""

    speed_mean: float
    speed_std: float
    path_mean: float
    path_std: float
    relation_encoding: RelationEncoding

    @property
    def edge_width(self) -> int:
        """Number of features of an edge."""
        return 1 + (len(RELATIONS) if self.relation_encoding == "one_hot" else _COLLAPSED_WIDTH)

    def as_json(self) -> dict[str, float | str]:
        """Return a JSON object; `Encoding(**content)` reads it back."""
        return asdict(self)


def fit_encoding(
    graphs: Graphs, train: np.ndarray, *, standardize: bool, relation_encoding: RelationEncoding
) -> Encoding:
    """Fit the statistics of speeds and path lengths on the training graphs.

    Args:
        graphs: all graphs.
        train: rows of the training graphs.
        standardize: otherwise means of 0 and standard deviations of 1.
        relation_encoding: slots of the relations.
    """
    if not standardize:
        return Encoding(0.0, 1.0, 0.0, 1.0, relation_encoding)
    speed, path = graphs.speed[graphs.node_rows(train)], graphs.path_length[graphs.edge_rows(train)]
    return Encoding(*_moments(speed), *_moments(path), relation_encoding)


def encode(graphs: Graphs, encoding: Encoding) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of all nodes and edges.

    Returns:
        Nodes, float32 (n, 7): speed, one-hot type, lane change, intersection. Edges, float32 (e, 5 or 7): path length,
        one-hot relation.
    """
    nodes = np.zeros((len(graphs.speed), NODE_WIDTH), np.float32)
    nodes[:, 0] = (graphs.speed - encoding.speed_mean) / encoding.speed_std
    nodes[np.arange(len(nodes)), 1 + graphs.actor_type.astype(np.int64)] = 1.0
    nodes[:, -2], nodes[:, -1] = graphs.lane_change, graphs.intersection
    edges = np.zeros((len(graphs.path_length), encoding.edge_width), np.float32)
    edges[:, 0] = (graphs.path_length - encoding.path_mean) / encoding.path_std
    slot = graphs.relation.astype(np.int64)
    if encoding.relation_encoding == "collapsed":
        slot = np.array([_COLLAPSED[i] for i in range(len(RELATIONS))])[slot]
    edges[np.arange(len(edges)), 1 + slot] = 1.0
    return nodes, edges


def _moments(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return 0.0, 1.0
    return float(values.mean(dtype=np.float64)), max(float(values.std(dtype=np.float64)), 1e-6)
