"""Options that are null by default and follow from the graph."""

from __future__ import annotations

import logging

from terrarium.kge.data.ancestors import uses_ancestors
from terrarium.kge.data.graph import TRAIN, Graph
from terrarium.kge.options import PLAIN_DIM, ModelOptions, TrainingOptions

logger = logging.getLogger(__name__)

LARGEST_N3_WEIGHT = 0.1
"""Weight for graphs of low degree; good for WN18RR (mean degree 4)."""
SMALL_GRAPH = 1e8
"""Training triples x entities up to which a graph is small: an epoch of 1vsAll takes seconds."""

SUM_DIM = 64
"""Dimension of embeddings that are sums over ancestors: good for the virus-host graph, at a third of the time."""


def fill_dim(graph: Graph, model: ModelOptions) -> ModelOptions:
    """Return the options with `dim` filled in: 64 for sums over ancestors, 200 for plain embeddings."""
    if model.dim is not None:
        return model
    return model.model_copy(update={"dim": SUM_DIM if uses_ancestors(graph, model) else PLAIN_DIM})


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


def limit_epochs(graph: Graph, training: TrainingOptions, rows: int) -> TrainingOptions:
    """Return the options with no more epochs than `max_scores` allows, and that limit settled (null).

    Args:
        graph: what is trained on.
        training: options.
        rows: rows of an epoch; each scores all entities.
    """
    if training.max_scores is None:
        return training
    allowed = max(int(training.max_scores // (rows * graph.num_entities)), 1)
    if allowed < training.max_epochs:
        logger.info("training.max_scores allows %d epochs of %d; null sets no limit", allowed, training.max_epochs)
    return training.model_copy(update={"max_epochs": min(allowed, training.max_epochs), "max_scores": None})
