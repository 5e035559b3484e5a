"""Road users as counts of what is around them; nothing is trained."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.scene_graph import RELATIONS
from terrarium.scenes.graphs.weisfeiler_lehman import node_labels
from terrarium.sources.traffic.tables import ACTOR_TYPES

FAR_M = 50.0
"""Path length to a neighbour of a relation that a road user does not have."""
FAST_MPS = 10.0
"""Unit of speeds."""


def count_surroundings(graphs: Graphs) -> np.ndarray:
    """Return features of all nodes, float32 (n, d), without those that are the same for all.

    They are: type and flags, one-hot; speed and its square; for each relation the number of neighbours with each type
    and flags, and the shortest path; and for each two relations in a row the same numbers of neighbours' neighbours.
    """
    labels = node_labels(graphs, 0)[0]
    own = np.zeros((len(labels), 4 * len(ACTOR_TYPES)))
    own[np.arange(len(labels)), labels] = 1.0
    source, target = graphs.edge_index
    speed = graphs.speed.astype(np.float64)[:, None] / FAST_MPS
    steps, shortest = [], []
    for relation in range(len(RELATIONS)):
        chosen = graphs.relation == relation
        ends = (source[chosen], target[chosen])
        steps.append(sparse.csr_array((np.ones(chosen.sum()), ends), shape=(len(labels), len(labels))))
        path = np.full(len(labels), FAR_M)
        np.minimum.at(path, ends[0], np.abs(graphs.path_length[chosen]))
        shortest.append(path[:, None] / FAR_M)
    near = [step @ own for step in steps]
    features = np.hstack(
        [own, speed, speed**2, *near, *shortest, *(step @ counts for step in steps for counts in near)]
    )
    return np.asarray(features[:, features.std(axis=0) > 0.0], np.float32)
