"""Graph classification data sets of TU Dortmund, read from their text files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.sources.columns import NUMBER
from terrarium.sources.errors import SourceError
from terrarium.sources.files import fault, text_lines

LARGEST_DEGREE = 64
"""Nodes without labels and attributes get one-hot degrees; larger degrees share a column."""
MOST_LABELS = 10_000
"""One-hot columns of one label; more come from a damaged file."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?")
"""An integer, also as 3.0, which some exports write."""


@dataclass(frozen=True, eq=False)
class LabelledGraphs:
    """Graphs, each with a class.

    Attributes:
        node_offset, edge_offset: (G + 1,) first node and first edge of each graph, and the end.
        x: (N, F) float32, one-hot node labels followed by standardized attributes; one-hot degrees without both.
        edge: (E, 2) source and target, numbered within the graph.
        edge_x: (E, D) float32, edge attributes followed by one-hot edge labels, or one column of ones.
        label: (G,) class of each graph, from 0.
        label_columns: (2,) number of columns that are one-hot labels or degrees, the first of x and the last of edge_x.
    """

    node_offset: np.ndarray
    edge_offset: np.ndarray
    x: np.ndarray
    edge: np.ndarray
    edge_x: np.ndarray
    label: np.ndarray
    label_columns: np.ndarray

    def fingerprint(self) -> str:
        """Return the SHA-256 of all arrays as hex."""
        arrays = (self.node_offset, self.edge_offset, self.x, self.edge, self.edge_x, self.label)
        return sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def read_tu(path: str | Path, name: str) -> LabelledGraphs:
    """Read the data set `name` from `path/name/raw`.

    As in PyTorch Geometric's reader, loops are left out, and edges are sorted by source and target, each once, with the
    sum of the labels and attributes of its lines.

    Raises:
        SourceError: a file is missing, or a line has a fault: not a number, a node or graph that does not exist, an
            edge between two graphs, nodes that are not in the order of their graphs, or a class that is no integer.
    """
    folder = Path(path) / name / "raw"
    files = {part: folder / f"{name}_{part}.txt" for part in _PARTS}
    for part in ("A", "graph_indicator", "graph_labels"):
        if not files[part].is_file():
            raise SourceError(
                f"{folder} has no {files[part].name}: give scenes.tu.path a folder of TU data sets with raw/"
            )
    label = _integers(files["graph_labels"], 1)[:, 0]
    owner = _owners(files["graph_indicator"], len(label))
    edges = _edges(files["A"], owner, files["graph_indicator"])
    node_label = _optional(files["node_labels"], _integers, len(owner), "nodes")
    node_x = _optional(files["node_attributes"], _floats, len(owner), "nodes")
    edge_label = _optional(files["edge_labels"], _integers, len(edges), "edges")
    edge_x = _optional(files["edge_attributes"], _floats, len(edges), "edges")
    node_offset = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(label)))])
    own = [] if edge_x is None else [edge_x]
    one_hot = [] if edge_label is None else [_one_hot(edge_label, files["edge_labels"])]
    features = np.concatenate([*own, *one_hot], axis=1) if own or one_hot else None
    edges, features = _distinct(edges, features)
    edge_offset = np.concatenate([[0], np.cumsum(np.bincount(owner[edges[:, 0]], minlength=len(label)))])
    if node_label is None and node_x is None:
        x = _degrees(edges[:, 0], len(owner))
    else:
        labels = [] if node_label is None else [_one_hot(node_label, files["node_labels"])]
        x = np.concatenate([*labels, *([] if node_x is None else [_standardized(node_x)])], axis=1)
    return LabelledGraphs(
        node_offset,
        edge_offset,
        x.astype(np.float32),
        edges - node_offset[owner[edges[:, 0]]][:, None],
        np.ones((len(edges), 1), np.float32) if features is None else features.astype(np.float32),
        np.unique(label, return_inverse=True)[1],
        np.array([x.shape[1] - (0 if node_x is None else node_x.shape[1]), sum(part.shape[1] for part in one_hot)]),
    )


def require_folds(graphs: LabelledGraphs, n_splits: int, name: str) -> None:
    """Check that a data set can be cross-validated.

    Args:
        graphs: the data set.
        n_splits: number of folds.
        name: of the data set, for the message.

    Raises:
        SourceError: there is one class, or one has fewer graphs than there are folds.
    """
    counts = np.bincount(graphs.label)
    if len(counts) < 2:
        raise SourceError(f"data set {name} has one class: classification needs two or more")
    if counts.min() < n_splits:
        raise SourceError(
            f"data set {name} has a class of {counts.min()} graphs, fewer than the {n_splits} folds: set "
            f"scenes.tu.n_splits to {counts.min()} or less, or leave the class out"
        )


_PARTS = ("A", "graph_indicator", "graph_labels", "node_labels", "node_attributes", "edge_labels", "edge_attributes")


def _rows(file: Path, pattern: re.Pattern[str], what: str) -> list[list[str]]:
    """Return the fields of each line, all lines with equally many."""
    rows: list[list[str]] = []
    for number, line in text_lines(file):
        fields = [cell.strip() for cell in line.split(",")]
        wrong = next((cell for cell in fields if not pattern.fullmatch(cell)), None)
        if wrong is not None:
            raise fault(file, number, f"{wrong[:40]!r} is not {what}", "correct the line")
        if rows and len(fields) != len(rows[0]):
            raise fault(file, number, f"{len(fields)} values, and line 1 has {len(rows[0])}", "correct the line")
        rows.append(fields)
    if not rows:
        raise SourceError(f"{file} is empty: get the data set again")
    return rows


def _integers(file: Path, width: int | None = None) -> Int64Array:
    """Return the lines of integers, (L, width)."""
    rows = _rows(file, _INTEGER, "an integer")
    if width is not None and len(rows[0]) != width:
        raise fault(file, 1, f"{len(rows[0])} values instead of {width}", "correct the file")
    return np.array([[int(cell.partition(".")[0]) for cell in row] for row in rows], np.int64)


def _floats(file: Path) -> Float64Array:
    """Return the lines of numbers, (L, D)."""
    found = np.array([[float(cell) for cell in row] for row in _rows(file, NUMBER, "a number")], np.float64)
    wrong = ~(np.abs(found) <= np.finfo(np.float32).max).all(axis=1)
    if wrong.any():
        raise fault(file, int(np.argmax(wrong)) + 1, "a number is too large", "correct the line")
    return found


def _owners(file: Path, graphs: int) -> Int64Array:
    """Return the graph of each node, from 0, (N,)."""
    owner = _integers(file, 1)[:, 0]
    outside = (owner < 1) | (owner > graphs)
    if outside.any():
        line = int(np.argmax(outside))
        raise fault(file, line + 1, f"graph {owner[line]} does not exist, there are 1 to {graphs}", "count from 1")
    steps = np.diff(owner)
    if (steps < 0).any():
        line = int(np.argmax(steps < 0)) + 2
        raise fault(file, line, "the node is not in the order of graphs", "sort the lines, with nodes and edges")
    missing = np.setdiff1d(np.arange(1, graphs + 1), owner)
    if len(missing):
        raise SourceError(f"{file} has no node of graph {missing[0]}, which has a class: drop the class or add nodes")
    return owner - 1


def _edges(file: Path, owner: Int64Array, owners: Path) -> Int64Array:
    """Return source and target of each line, from 0, (L, 2)."""
    edges = _integers(file, 2)
    outside = ((edges < 1) | (edges > len(owner))).any(axis=1)
    if outside.any():
        line = int(np.argmax(outside))
        what = f"the edge {edges[line, 0]}, {edges[line, 1]} has no such node, there are 1 to {len(owner)}"
        raise fault(file, line + 1, what, f"count from 1, as in {owners.name}")
    crossing = owner[edges[:, 0] - 1] != owner[edges[:, 1] - 1]
    if crossing.any():
        line = int(np.argmax(crossing))
        what = f"the edge {edges[line, 0]}, {edges[line, 1]} leads from one graph to another"
        raise fault(file, line + 1, what, f"correct it, or {owners.name}")
    return edges - 1


def _optional(file: Path, read: Callable[[Path], np.ndarray], count: int, what: str) -> np.ndarray | None:
    """Return the lines of a file that a data set may lack."""
    if not file.is_file():
        return None
    found = read(file)
    if len(found) != count:
        raise SourceError(f"{file} has {len(found):,} lines for {count:,} {what}: get the data set again")
    return found


def _distinct(edges: Int64Array, features: np.ndarray | None) -> tuple[Int64Array, np.ndarray | None]:
    """Return the edges without loops, sorted, each once, and the sums of their features."""
    kept = edges[:, 0] != edges[:, 1]
    edges = edges[kept]
    distinct, place = np.unique(edges, axis=0, return_inverse=True)
    if features is None:
        return distinct, None
    sums = np.zeros((len(distinct), features.shape[1]))
    np.add.at(sums, place.reshape(-1), features[kept])
    return distinct, sums


def _one_hot(labels: Int64Array, file: Path) -> np.ndarray:
    """Return one column per label from the smallest to the largest, for each column of labels."""
    shifted = labels - labels.min(axis=0)
    if shifted.max() >= MOST_LABELS:
        line = int(np.argmax(shifted.max(axis=1))) + 1
        what = f"the label is {shifted.max():,} above the smallest"
        raise fault(file, line, what, "number labels without gaps, or write them as attributes")
    return np.concatenate([np.eye(int(column.max()) + 1, dtype=np.float32)[column] for column in shifted.T], axis=1)


def _standardized(x: np.ndarray) -> np.ndarray:
    """Return attributes with mean 0 and deviation 1, (N, D)."""
    own = x.astype(np.float32)
    return (own - own.mean(axis=0)) / np.maximum(own.std(axis=0), 1e-6)


def _degrees(start: np.ndarray, count: int) -> np.ndarray:
    """Return one-hot degrees capped at LARGEST_DEGREE, (N, largest degree + 1)."""
    degree = np.minimum(np.bincount(start, minlength=count), LARGEST_DEGREE)
    return np.eye(int(degree.max(initial=0)) + 1, dtype=np.float32)[degree]
