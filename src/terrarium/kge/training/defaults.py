"""Options that are null by default and follow from the graph."""

from __future__ import annotations

import logging

import numpy as np

from terrarium.kge.data.ancestors import uses_ancestors
from terrarium.kge.data.graph import HEAD, RELATION, TRAIN, VALIDATION, Graph
from terrarium.kge.options import PLAIN_DIM, ModelOptions, TrainingOptions

logger = logging.getLogger(__name__)

LARGEST_N3_WEIGHT = 0.1
"""Weight for graphs of low degree; good for WN18RR (mean degree 4)."""
SMALL_GRAPH = 1e8
"""Training triples x entities up to which a graph is small: an epoch of 1vsAll takes seconds."""
LARGE_BATCH, NUM_NEGATIVES = 512, 2048
"""Rows of a batch, and entities drawn for it, where not all entities are scored."""

SUM_DIM = 64
"""Dimension of embeddings that are sums: good for the virus-host graph, at a third of the time."""
DIM_BY_SIZE = ((1_000, 100_000, 800), (100_000, 500_000, 512))
"""Entities and training triples up to which plain embeddings have a larger dimension than 200, and that dimension.

Validation triples of UMLS and Kinship are ranked better by 800 than by 200, those of CoDEx-S and WN18RR by 400 and 512,
in the same time."""


def fill_dim(graph: Graph, model: ModelOptions) -> ModelOptions:
    """Return the options with `dim` filled in: 64 for sums, else 200, and more where scores cost little."""
    if model.dim is not None:
        return model
    return model.model_copy(update={"dim": _dim_by_size(graph, model)})


def _dim_by_size(graph: Graph, model: ModelOptions) -> int:
    if uses_ancestors(graph, model):
        return SUM_DIM
    if model.name == "conve":
        return PLAIN_DIM
    sizes = (
        dim
        for entities, triples, dim in DIM_BY_SIZE
        if graph.num_entities <= entities and len(graph.splits[TRAIN]) <= triples
    )
    return next(sizes, PLAIN_DIM)


def is_small(graph: Graph) -> bool:
    """Return whether an epoch of 1vsAll takes seconds."""
    return len(graph.splits[TRAIN]) * graph.num_entities <= SMALL_GRAPH


def default_n3_weight(graph: Graph) -> float:
    """Return min(0.1, 1 / mean degree); the degree of an entity is the number of its training triples.

    In a dense graph an embedding occurs in more rows of an epoch, and is penalized in each.
    """
    return min(LARGEST_N3_WEIGHT, graph.num_entities / (2 * max(len(graph.splits[TRAIN]), 1)))


def fill_training(graph: Graph, training: TrainingOptions) -> TrainingOptions:
    """Return the options with train_type, batch_size, num_negatives and the watched metric filled in.

    A small graph takes small batches of 1vsAll and scores all entities; elsewhere it is KvsAll with sampled entities.
    """
    chosen = {"train_type": "1vsAll", "batch_size": 128, "num_negatives": 0}
    if not is_small(graph):
        chosen = {"train_type": "KvsAll", "batch_size": LARGE_BATCH, "num_negatives": NUM_NEGATIVES}
    filled: dict[str, object] = {name: value for name, value in chosen.items() if getattr(training, name) is None}
    if training.stopping.metric == "auto":
        metric = "validation_tail_mrr" if holds_out_heads(graph) else "validation_mrr"
        filled["stopping"] = training.stopping.model_copy(update={"metric": metric})
    return training.model_copy(update=filled) if filled else training


def holds_out_heads(graph: Graph) -> bool:
    """Return whether no head of a validation triple has a training triple of the same relation."""
    train, validation = (graph.splits[name][:, [HEAD, RELATION]] for name in (TRAIN, VALIDATION))
    keys = [pairs[:, 0] * graph.num_relations + pairs[:, 1] for pairs in (train, validation)]
    return len(validation) > 0 and not np.isin(keys[1], keys[0]).any()


def limit_epochs(graph: Graph, training: TrainingOptions, rows: int) -> TrainingOptions:
    """Return the options with no more epochs than `max_scores` allows, and that limit settled (null).

    Args:
        graph: what is trained on.
        training: options.
        rows: rows of an epoch.
    """
    if training.max_scores is None:
        return training
    allowed = max(int(training.max_scores // scores_per_epoch(graph, training, rows)), 1)
    if allowed < training.max_epochs:
        logger.info("training.max_scores allows %d epochs of %d; null sets no limit", allowed, training.max_epochs)
    return training.model_copy(update={"max_epochs": min(allowed, training.max_epochs), "max_scores": None})


def scores_per_epoch(graph: Graph, training: TrainingOptions, rows: int) -> int:
    """Return how many scores an epoch computes: rows x entities, or sampled ones, and those of validation.

    Args:
        graph: what is trained on.
        training: options, with `num_negatives` filled in.
        rows: rows of an epoch.
    """
    scored = min(training.num_negatives or graph.num_entities, graph.num_entities)
    validation = min(training.validation.max_triples or np.inf, len(graph.splits[VALIDATION]))
    measured = 2 * int(validation) * graph.num_entities // training.validation.interval
    return rows * scored + measured
