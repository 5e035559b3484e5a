"""Graph classification data sets of TU Dortmund, read from their text files."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from terrarium.sources.errors import SourceError

LARGEST_DEGREE = 64
"""Nodes without labels and attributes get one-hot degrees; larger degrees share a column."""


@dataclass(frozen=True, eq=False)
class LabelledGraphs:
    """Graphs, each with a class.

    Attributes:
        node_offset, edge_offset: (G + 1,) first node and first edge of each graph, and the end.
        x: (N, F) float32, one-hot node labels followed by standardized attributes; one-hot degrees without both.
        edge: (E, 2) source and target, numbered within the graph.
        edge_x: (E, D) float32, one-hot edge labels, or one column of ones.
        label: (G,) class of each graph, from 0.
    """

    node_offset: np.ndarray
    edge_offset: np.ndarray
    x: np.ndarray
    edge: np.ndarray
    edge_x: np.ndarray
    label: np.ndarray

    def fingerprint(self) -> str:
        """Return the SHA-256 of all arrays as hex."""
        arrays = (self.node_offset, self.edge_offset, self.x, self.edge, self.edge_x, self.label)
        return sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def read_tu(path: str | Path, name: str) -> LabelledGraphs:
    """Read the data set `name` from `path/name/raw` with PyTorch Geometric's parser.

    Raises:
        SourceError: a file is missing, or nodes are not in the order of their graphs.
    """
    folder = Path(path) / name / "raw"
    for file in (f"{name}_{part}.txt" for part in ("A", "graph_indicator", "graph_labels")):
        if not (folder / file).is_file():
            raise SourceError(f"{folder} has no {file}: give scenes.tu.path a folder of TU data sets with raw/")
    from torch_geometric.io import read_tu_data

    nodes = _nodes(folder / f"{name}_graph_indicator.txt")
    data, slices, sizes = read_tu_data(str(folder), name)
    _, label = np.unique(data.y.numpy(), return_inverse=True)
    if len(nodes) != len(label):
        raise SourceError(
            f"{folder} has {len(nodes):,} graphs with nodes and {len(label):,} with a class: correct the files"
        )
    edge = data.edge_index.numpy().T
    edge_offset = slices["edge_index"].numpy()
    missing = len(nodes) + 1 - len(edge_offset)
    edge_offset = np.append(edge_offset, np.repeat(edge_offset[-1], missing))
    node_offset = np.concatenate([[0], np.cumsum(nodes)])
    if data.x is None:
        x = _degrees(edge[:, 0] + np.repeat(node_offset[:-1], np.diff(edge_offset)), int(nodes.sum()))
    else:
        x = _features(data.x.numpy().astype(np.float32), sizes["num_node_attributes"])
    has_labels = data.edge_attr is not None
    edge_x = data.edge_attr.numpy().astype(np.float32) if has_labels else np.ones((len(edge), 1), np.float32)
    return LabelledGraphs(node_offset, edge_offset, x, edge, edge_x, label)


def _nodes(file: Path) -> np.ndarray:
    """Return the number of nodes of each graph, (G,)."""
    owner = np.loadtxt(file, dtype=np.int64, ndmin=1)
    if (np.diff(owner) < 0).any():
        raise SourceError(f"{file} is not in the order of graphs: sort its lines, with nodes and edges")
    return np.bincount(owner - 1)


def _features(x: np.ndarray, attributes: int) -> np.ndarray:
    """Return labels followed by attributes with mean 0 and deviation 1, (N, F)."""
    own = x[:, :attributes]
    own = (own - own.mean(axis=0)) / np.maximum(own.std(axis=0), 1e-6)
    return np.concatenate([x[:, attributes:], own], axis=1)


def _degrees(start: np.ndarray, count: int) -> np.ndarray:
    """Return one-hot degrees capped at LARGEST_DEGREE, (N, largest degree + 1)."""
    degree = np.minimum(np.bincount(start, minlength=count), LARGEST_DEGREE)
    return np.eye(int(degree.max(initial=0)) + 1, dtype=np.float32)[degree]
