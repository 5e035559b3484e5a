"""Graph classification sets of TU Dortmund in their text files, read without any cache of binary files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from terrarium.sources.errors import SourceError

LARGEST_DEGREE = 64
"""Nodes without labels and attributes are told by their degree; those above share a column."""


@dataclass(frozen=True, eq=False)
class LabelledGraphs:
    """Graphs with a class each.

    Attributes:
        node_offset, edge_offset: where each graph's nodes and edges begin, and the end (g + 1).
        x: one-hot node labels, with standardised attributes behind if there are any, or one-hot degrees where a set
            has neither, float32 (n, ·).
        edge: from and to, numbered within the graph (e, 2).
        edge_x: one-hot edge labels, or a column of ones, float32 (e, ·).
        label: class of each graph, from 0 (g).
    """

    node_offset: np.ndarray
    edge_offset: np.ndarray
    x: np.ndarray
    edge: np.ndarray
    edge_x: np.ndarray
    label: np.ndarray


def read_tu(path: str | Path, name: str) -> LabelledGraphs:
    """Read the set `name` from `path/name/raw` with torch-geometric's parser of the text files.

    Raises:
        SourceError: when the files are not there, or nodes are not in the order of their graphs.
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
        raise SourceError(f"{folder} has {len(nodes):,} graphs with nodes and {len(label):,} with a class: mend them")
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
    """How many nodes each graph has (g)."""
    owner = np.loadtxt(file, dtype=np.int64, ndmin=1)
    if (np.diff(owner) < 0).any():
        raise SourceError(f"{file} is not in the order of graphs: sort its lines, and nodes and edges with them")
    return np.bincount(owner - 1)


def _features(x: np.ndarray, attributes: int) -> np.ndarray:
    """Labels first, then the attributes with mean 0 and deviation 1 (n, ·)."""
    own = x[:, :attributes]
    own = (own - own.mean(axis=0)) / np.maximum(own.std(axis=0), 1e-6)
    return np.concatenate([x[:, attributes:], own], axis=1)


def _degrees(start: np.ndarray, count: int) -> np.ndarray:
    """One-hot degrees, at most LARGEST_DEGREE, no wider than there is need (n, ·)."""
    degree = np.minimum(np.bincount(start, minlength=count), LARGEST_DEGREE)
    return np.eye(int(degree.max(initial=0)) + 1, dtype=np.float32)[degree]
