"""Graph classification sets of TU Dortmund in their text files, read without any cache of binary files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from terrarium.sources.errors import SourceError


@dataclass(frozen=True, eq=False)
class LabelledGraphs:
    """Graphs with a class each.

    Attributes:
        node_offset, edge_offset: where each graph's nodes and edges begin, and the end (g + 1).
        x: one-hot node labels, with standardised attributes behind if there are any, float32 (n, ·).
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
        SourceError: when the files are not there.
    """
    folder = Path(path) / name / "raw"
    if not (folder / f"{name}_A.txt").is_file():
        raise SourceError(f"{folder} has no {name}_A.txt: give scenes.tu.path a folder of TU data sets with raw/")
    from torch_geometric.io import read_tu_data

    data, slices, sizes = read_tu_data(str(folder), name)
    node_offset, edge_offset = slices["x"].numpy(), slices["edge_index"].numpy()
    x = data.x.numpy().astype(np.float32)
    attributes = sizes["num_node_attributes"]
    own = x[:, :attributes]
    own = (own - own.mean(axis=0)) / np.maximum(own.std(axis=0), 1e-6)
    edge = data.edge_index.numpy().T
    has_labels = data.edge_attr is not None
    edge_x = data.edge_attr.numpy().astype(np.float32) if has_labels else np.ones((len(edge), 1), np.float32)
    _, label = np.unique(data.y.numpy(), return_inverse=True)
    return LabelledGraphs(
        node_offset, edge_offset, np.concatenate([x[:, attributes:], own], axis=1), edge, edge_x, label
    )
