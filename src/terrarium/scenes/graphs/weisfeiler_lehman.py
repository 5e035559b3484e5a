"""Weisfeiler-Lehman labels of road users, exact: equal labels are equal neighbourhoods, nothing is hashed.

A label starts at type and flags; a round makes a new one of each node's own and the multiset of (relation, label)
around it (Shervashidze et al. 2011). A relation has a slot for each direction, so directions are told apart.
"""

from __future__ import annotations

import numpy as np

from terrarium.scenes.graphs.columns import Graphs

SEEN = 2
"""Training graphs that a label must occur in to be in the vocabulary."""


def node_labels(graphs: Graphs, rounds: int) -> list[np.ndarray]:
    """Labels of all road users after 0, 1, ... rounds, numbered as they first occur, (n) each."""
    shift = np.repeat(graphs.node_offset[:-1], graphs.edges)
    source, target = (graphs.edge[:, end] + shift for end in (0, 1))
    start = graphs.kind.astype(np.int64) * 4 + graphs.lane_change * 2 + graphs.intersection
    labels = [start]
    for _ in range(rounds):
        labels.append(refined(labels[-1], source, target, graphs.relation))
    return labels


def graph_of_nodes(graphs: Graphs) -> np.ndarray:
    """The graph of each road user (n)."""
    return np.repeat(np.arange(len(graphs)), graphs.nodes)


def vocabulary(labels: np.ndarray, graph: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Labels that at least `SEEN` training graphs hold, ascending.

    Args:
        labels: of nodes (n).
        graph: of each node (n).
        train: rows of the training graphs.
    """
    inside = np.isin(graph, train)
    pairs = np.unique(np.stack([labels[inside], graph[inside]]), axis=1)
    found, count = np.unique(pairs[0], return_counts=True)
    return np.asarray(found[count >= SEEN])


def contexts(graphs: Graphs, train: np.ndarray) -> tuple[np.ndarray, int]:
    """The class of each road user's surroundings, and how many classes there are.

    A class is a label after one round that the vocabulary of the training graphs holds; -1 for others (n).
    """
    labels = node_labels(graphs, 1)[1]
    known = vocabulary(labels, graph_of_nodes(graphs), train)
    place = np.searchsorted(known, labels)
    inside = place < len(known)
    inside[inside] = known[place[inside]] == labels[inside]
    return np.where(inside, place, -1), len(known)


def refined(label: np.ndarray, source: np.ndarray, target: np.ndarray, relation: np.ndarray) -> np.ndarray:
    """A number for each node's own label with the multiset of (relation, label) around it."""
    around: list[list[tuple[int, int]]] = [[] for _ in range(len(label))]
    for one, kind, other in zip(source.tolist(), relation.tolist(), label[target].tolist(), strict=True):
        around[one].append((kind, other))
    numbers: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}
    whole = ((own, tuple(sorted(others))) for own, others in zip(label.tolist(), around, strict=True))
    return np.array([numbers.setdefault(key, len(numbers)) for key in whole], np.int64)
