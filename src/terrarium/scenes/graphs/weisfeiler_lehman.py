"""Exact Weisfeiler-Lehman labels: equal labels mean equal neighbourhoods, nothing is hashed.

An iteration gives each node a new label made of its own and the multiset of (edge label, neighbour's label) around it
(Shervashidze et al. 2011). PyTorch Geometric's `WLConv` has no edge labels, without which relations are not told apart.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from terrarium.scenes.graphs.columns import Graphs

MIN_GRAPHS = 2
"""Training graphs that must hold a label for it to be in the vocabulary."""


class ContextClasses(NamedTuple):
    """The context class of each node, int64 (n,), -1 without one, and the number of classes."""

    labels: np.ndarray
    num_classes: int


def refine(label: np.ndarray, source: np.ndarray, target: np.ndarray, edge_label: np.ndarray) -> np.ndarray:
    """Run one iteration of the refinement.

    Args:
        label: of each node, int (n,).
        source, target: nodes of each directed edge, int (e,).
        edge_label: int (e,).

    Returns:
        New labels, int64 (n,), numbered by first occurrence.
    """
    around: list[list[tuple[int, int]]] = [[] for _ in range(len(label))]
    for node, edge, neighbor in zip(source.tolist(), edge_label.tolist(), label[target].tolist(), strict=True):
        around[node].append((edge, neighbor))
    numbers: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}
    keys = ((own, tuple(sorted(neighbors))) for own, neighbors in zip(label.tolist(), around, strict=True))
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def initial_labels(graphs: Graphs) -> np.ndarray:
    """Return the type and the flags of all nodes as one number, 0 to 4 x types - 1, int64 (n,)."""
    return np.asarray(graphs.actor_type.astype(np.int64) * 4 + graphs.lane_change * 2 + graphs.intersection)


def node_labels(graphs: Graphs, iterations: int) -> list[np.ndarray]:
    """Return the labels of all nodes after 0, 1, ... iterations, int64 (n,) each.

    Initial labels are the type and the flags. Each direction of a relation has its own edge label.
    """
    source, target = graphs.edge_index
    labels = [initial_labels(graphs)]
    for _ in range(iterations):
        labels.append(refine(labels[-1], source, target, graphs.relation))
    return labels


def vocabulary(labels: np.ndarray, graph: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the labels that at least `MIN_GRAPHS` training graphs hold, ascending.

    Args:
        labels: of nodes, int (n,).
        graph: of each node (n,).
        train: rows of the training graphs.
    """
    in_train = np.isin(graph, train)
    pairs = np.unique(np.stack([labels[in_train], graph[in_train]]), axis=1)
    known, count = np.unique(pairs[0], return_counts=True)
    return np.asarray(known[count >= MIN_GRAPHS])


def label_counts(labels: np.ndarray, graph: np.ndarray, num_graphs: int, train: np.ndarray) -> sparse.csr_array:
    """Count the labels of the vocabulary in each graph, float64, sparse (graphs, labels); see `vocabulary`.

    Args:
        labels, graph: label and graph of each node, shape (n,).
        num_graphs: number of graphs.
        train: rows of the training graphs, which decide the vocabulary.
    """
    known = vocabulary(labels, graph, train)
    is_known = np.isin(labels, known)
    place = (graph[is_known], np.searchsorted(known, labels[is_known]))
    return sparse.coo_array((np.ones(int(is_known.sum())), place), shape=(num_graphs, len(known))).tocsr()


def context_classes(graphs: Graphs, train: np.ndarray) -> ContextClasses:
    """Number the context of each node: its label after one iteration, if the training graphs know it."""
    labels = node_labels(graphs, 1)[1]
    known = vocabulary(labels, graphs.graph_of_nodes, train)
    place = np.searchsorted(known, labels)
    is_known = place < len(known)
    is_known[is_known] = known[place[is_known]] == labels[is_known]
    return ContextClasses(np.where(is_known, place, -1), len(known))
