"""Many small graphs in columns: arrays of all nodes and edges, and offsets that say where each graph's begin."""

from __future__ import annotations

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
    """Graphs in columns.

    Attributes:
        node_offset, edge_offset: where each graph's nodes and edges begin, and the end (g + 1).
        speed: m/s (n).
        kind: place in ACTOR_TYPES (n).
        lane_change, intersection: flags (n).
        place: x and y in m (n, 2).
        heading, length, width: for drawing (n).
        actor: number of the road user within its scene (n).
        edge: from and to, numbered within the graph (e, 2).
        relation: place in RELATIONS (e).
        path: metres along the lanes (e).
    """

    node_offset: np.ndarray
    edge_offset: np.ndarray
    speed: np.ndarray
    kind: np.ndarray
    lane_change: np.ndarray
    intersection: np.ndarray
    place: np.ndarray
    heading: np.ndarray
    length: np.ndarray
    width: np.ndarray
    actor: np.ndarray
    edge: np.ndarray
    relation: np.ndarray
    path: np.ndarray

    def __len__(self) -> int:
        return len(self.node_offset) - 1

    @property
    def nodes(self) -> np.ndarray:
        """Road users of each graph (g)."""
        return np.diff(self.node_offset)

    @property
    def edges(self) -> np.ndarray:
        """Directed edges of each graph (g)."""
        return np.diff(self.edge_offset)

    def rows(self, chosen: np.ndarray, *, of: str = "node") -> np.ndarray:
        """Rows of the nodes (or edges) of some graphs, one graph after the other."""
        offset = self.node_offset if of == "node" else self.edge_offset
        count = offset[chosen + 1] - offset[chosen]
        start = np.repeat(offset[chosen] - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
        return start + np.arange(count.sum())

    def one(self, index: int) -> dict[str, np.ndarray]:
        """The columns of a single graph, by name."""
        nodes = slice(self.node_offset[index], self.node_offset[index + 1])
        edges = slice(self.edge_offset[index], self.edge_offset[index + 1])
        per_edge = {"edge", "relation", "path"}
        names = [field.name for field in fields(self) if not field.name.endswith("offset")]
        return {name: getattr(self, name)[edges if name in per_edge else nodes] for name in names}

    def state(self) -> State:
        """As arrays with the vocabulary that they are written in."""
        arrays = {field.name: np.ascontiguousarray(getattr(self, field.name)) for field in fields(self)}
        return State(arrays, _VOCABULARY)


_VOCABULARY: dict[str, Any] = {"types": list(ACTOR_TYPES), "relations": list(RELATIONS)}
_DTYPES = {
    **{"node_offset": np.int64, "edge_offset": np.int64, "kind": np.int8, "relation": np.int8, "edge": np.int32},
    **{"lane_change": np.bool_, "intersection": np.bool_, "actor": np.int32},
}


def from_state(state: State) -> Graphs:
    """The graphs of a state. Raises `WrongVocabularyError` for other types or relations."""
    for name, known in _VOCABULARY.items():
        if state.metadata.get(name) != known:
            raise WrongVocabularyError(
                f"the graphs' {name} are {state.metadata.get(name)}, not {known}: build them again with --tags=features"
            )
    return Graphs(**{field.name: state.tensors[field.name] for field in fields(Graphs)})


def from_parts(parts: list[dict[str, np.ndarray]]) -> Graphs:
    """Graphs from the columns of each; edges are numbered within their graph."""
    names = [field.name for field in fields(Graphs) if not field.name.endswith("offset")]
    shapes = {"place": (0, 2), "edge": (0, 2)}
    columns: dict[str, Any] = {
        name: np.concatenate([np.zeros(shapes.get(name, (0,))), *(part[name] for part in parts)]).astype(
            _DTYPES.get(name, np.float32)
        )
        for name in names
    }
    nodes = np.array([len(part["speed"]) for part in parts], np.int64)
    edges = np.array([len(part["path"]) for part in parts], np.int64)
    offsets = {
        "node_offset": np.concatenate([[0], np.cumsum(nodes)]).astype(np.int64),
        "edge_offset": np.concatenate([[0], np.cumsum(edges)]).astype(np.int64),
    }
    return Graphs(**offsets, **columns)


def fingerprint(state: State, index: pd.DataFrame) -> str:
    """What weights belong to: the graphs, and the part of each."""
    digest = sha256()
    for name in sorted(state.tensors):
        digest.update(state.tensors[name].tobytes())
    digest.update("\n".join(index["graph_id"] + " " + index["split"]).encode())
    return digest.hexdigest()
