"""Options that are null by default and follow from the graph."""

from __future__ import annotations

from terrarium.kge.data.graph import TRAIN, Graph
from terrarium.kge.options import TrainingOptions

LARGEST_N3_WEIGHT = 0.1
"""Weight for graphs of low degree; good for WN18RR (mean degree 4)."""
SMALL_GRAPH = 1e8
"""Training triples x entities up to which a graph is small: an epoch of 1vsAll takes seconds."""


def default_n3_weight(graph: Graph) -> float:
    """Return min(0.1, 1 / mean degree); the degree of an entity is the number of its training triples.

    In a dense graph an embedding occurs in more rows of an epoch, and is penalized in each.
    """
    return min(LARGEST_N3_WEIGHT, graph.num_entities / (2 * max(len(graph.splits[TRAIN]), 1)))


def fill_train_type(graph: Graph, training: TrainingOptions) -> TrainingOptions:
    """Return the options with `train_type` filled in: 1vsAll on a small graph, KvsAll elsewhere."""
    if training.train_type is not None:
        return training
    is_small = len(graph.splits[TRAIN]) * graph.num_entities <= SMALL_GRAPH
    return training.model_copy(update={"train_type": "1vsAll" if is_small else "KvsAll"})
