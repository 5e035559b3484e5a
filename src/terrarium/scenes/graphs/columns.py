"""Many small graphs in columns: arrays of all nodes and edges, and offsets to where each graph begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

from terrarium.scenes.graphs.scene_graph import RELATIONS
from terrarium.sources.traffic.tables import ACTOR_TYPES
from terrarium.training.checkpointing.state import State


class WrongVocabularyError(ValueError):
    """Graphs whose types or relations are not those of this version."""


@dataclass(frozen=True, eq=False)
class Graphs:
    """Graphs in columns: g graphs with n nodes and e directed edges in total.

    Attributes:
        node_offset, edge_offset: first node and edge of each graph, and the end, int64 (g + 1,).
        speed: m/s, float32 (n,).
        actor_type: index into ACTOR_TYPES, int8 (n,).
        lane_change, intersection: flags, bool (n,).
        position: x and y in metres, float32 (n, 2).
        heading, length, width: radians and metres, for drawing, float32 (n,).
        actor: number of the road user within its scene, int32 (n,).
        edge: source and target, numbered within the graph, int32 (e, 2).
        relation: index into RELATIONS, int8 (e,).
        path_length: metres along the lanes, float32 (e,).
    """

    node_offset: np.ndarray
    edge_offset: np.ndarray
    speed: np.ndarray
    actor_type: np.ndarray
    lane_change: np.ndarray
    intersection: np.ndarray
    position: np.ndarray
    heading: np.ndarray
    length: np.ndarray
    width: np.ndarray
    actor: np.ndarray
    edge: np.ndarray
    relation: np.ndarray
    path_length: np.ndarray

    def __len__(self) -> int:
        return len(self.node_offset) - 1

    @property
    def nodes(self) -> np.ndarray:
        """Number of nodes of each graph (g,)."""
        return np.diff(self.node_offset)

    @property
    def edges(self) -> np.ndarray:
        """Number of directed edges of each graph (g,)."""
        return np.diff(self.edge_offset)

    @property
    def graph_of_nodes(self) -> np.ndarray:
        """Graph of each node (n,)."""
        return np.repeat(np.arange(len(self)), self.nodes)

    @property
    def graph_of_edges(self) -> np.ndarray:
        """Graph of each edge (e,)."""
        return np.repeat(np.arange(len(self)), self.edges)

    @property
    def edge_index(self) -> np.ndarray:
        """Source and target of each edge, numbered through all graphs (2, e)."""
        return (self.edge + np.repeat(self.node_offset[:-1], self.edges)[:, None]).T

    def node_rows(self, chosen: np.ndarray) -> np.ndarray:
        """Return the rows of the nodes of some graphs, one graph after the other."""
        return range_rows(self.node_offset, chosen)

    def edge_rows(self, chosen: np.ndarray) -> np.ndarray:
        """Return the rows of the edges of some graphs, one graph after the other."""
        return range_rows(self.edge_offset, chosen)

    def graph(self, index: int) -> dict[str, np.ndarray]:
        """Return the columns of a single graph by name."""
        nodes = slice(self.node_offset[index], self.node_offset[index + 1])
        edges = slice(self.edge_offset[index], self.edge_offset[index + 1])
        return {name: getattr(self, name)[edges if name in _EDGE_COLUMNS else nodes] for name in _COLUMNS}

    def state(self) -> State:
        """Return the arrays with the vocabulary they are written in."""
        arrays = {field.name: np.ascontiguousarray(getattr(self, field.name)) for field in fields(self)}
        return State(arrays, _VOCABULARY)


_VOCABULARY: dict[str, Any] = {"types": list(ACTOR_TYPES), "relations": list(RELATIONS)}
_COLUMNS = tuple(field.name for field in fields(Graphs) if not field.name.endswith("offset"))
_EDGE_COLUMNS = {"edge", "relation", "path_length"}
_SHAPES = {"position": (0, 2), "edge": (0, 2)}
_DTYPES = {
    "actor_type": np.int8,
    "relation": np.int8,
    "edge": np.int32,
    "actor": np.int32,
    "lane_change": np.bool_,
    "intersection": np.bool_,
}


def from_state(state: State) -> Graphs:
    """Return the graphs of a state. Raises `WrongVocabularyError` for other types or relations."""
    for name, known in _VOCABULARY.items():
        if state.metadata.get(name) != known:
            raise WrongVocabularyError(
                f"the graphs' {name} are {state.metadata.get(name)}, not {known}: build them again with --tags=features"
            )
    return Graphs(**{field.name: state.tensors[field.name] for field in fields(Graphs)})


def from_parts(parts: Sequence[Mapping[str, np.ndarray]]) -> Graphs:
    """Return graphs from the columns of each, with edges numbered within their graph."""
    columns: dict[str, Any] = {
        name: np.concatenate([np.zeros(_SHAPES.get(name, (0,))), *(part[name] for part in parts)]).astype(
            _DTYPES.get(name, np.float32)
        )
        for name in _COLUMNS
    }
    return Graphs(
        node_offset=_offsets([len(part["speed"]) for part in parts]),
        edge_offset=_offsets([len(part["path_length"]) for part in parts]),
        **columns,
    )


def range_rows(offset: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return offset[i], ..., offset[i + 1] - 1 for each chosen i, one range after the other."""
    count = offset[chosen + 1] - offset[chosen]
    start = np.repeat(offset[chosen] - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
    return np.asarray(start + np.arange(count.sum()))


def scene_numbers(index: pd.DataFrame) -> np.ndarray:
    """Return a number for the scene of each row of a table with the columns source and scene."""
    return pd.factorize(index["source"] + "/" + index["scene"])[0]


def fingerprint(state: State, index: pd.DataFrame) -> str:
    """Return a digest of the graphs and of the split of each; weights belong to it.

    Args:
        state: all graphs in columns.
        index: columns graph_id and split.
    """
    digest = sha256()
    for name in sorted(state.tensors):
        digest.update(state.tensors[name].tobytes())
    digest.update("\n".join(index["graph_id"] + " " + index["split"]).encode())
    return digest.hexdigest()


def _offsets(sizes: list[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.array(sizes, np.int64))]).astype(np.int64)
