"""Graphs as numbers: features of road users and relations, scaled by statistics of the training part."""

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
"""The original's slots: what its vocabulary lacks falls to its first, which is neighbour."""


@dataclass(frozen=True)
class Encoding:
    """How a graph becomes numbers: means and deviations, and the slots of relations."""

    speed_mean: float
    speed_std: float
    path_mean: float
    path_std: float
    relation_encoding: RelationEncoding

    @property
    def edge_width(self) -> int:
        """Features of a relation."""
        return 1 + (len(RELATIONS) if self.relation_encoding == "one_hot" else _COLLAPSED_WIDTH)

    def as_json(self) -> dict[str, float | str]:
        """As a JSON object; `Encoding(**content)` reads it back."""
        return asdict(self)


def fit_encoding(
    graphs: Graphs, train: np.ndarray, *, standardize: bool, relation_encoding: RelationEncoding
) -> Encoding:
    """Statistics of the training graphs (their rows), or 0 and 1 when nothing is scaled."""
    if not standardize:
        return Encoding(0.0, 1.0, 0.0, 1.0, relation_encoding)
    speed, path = graphs.speed[graphs.rows(train)], graphs.path[graphs.rows(train, of="edge")]
    return Encoding(*_moments(speed), *_moments(path), relation_encoding)


def _moments(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return 0.0, 1.0
    return float(values.mean(dtype=np.float64)), max(float(values.std(dtype=np.float64)), 1e-6)


def encode(graphs: Graphs, encoding: Encoding) -> tuple[np.ndarray, np.ndarray]:
    """Features of all road users (n, 7) and relations (e, 5 or 7), float32."""
    nodes = np.zeros((len(graphs.speed), NODE_WIDTH), np.float32)
    nodes[:, 0] = (graphs.speed - encoding.speed_mean) / encoding.speed_std
    nodes[np.arange(len(nodes)), 1 + graphs.kind.astype(np.int64)] = 1.0
    nodes[:, -2], nodes[:, -1] = graphs.lane_change, graphs.intersection
    edges = np.zeros((len(graphs.path), encoding.edge_width), np.float32)
    edges[:, 0] = (graphs.path - encoding.path_mean) / encoding.path_std
    slot = graphs.relation.astype(np.int64)
    if encoding.relation_encoding == "collapsed":
        slot = np.array([_COLLAPSED[i] for i in range(len(RELATIONS))])[slot]
    edges[np.arange(len(edges)), 1 + slot] = 1.0
    return nodes, edges
