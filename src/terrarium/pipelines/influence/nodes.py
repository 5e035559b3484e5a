"""What the influence pipeline does, step by step."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from terrarium.influence.data.provenance import graph_of
from terrarium.influence.options import EvaluationOptions, FeatureOptions, ModelOptions, SourceOptions
from terrarium.influence.scoring import tables
from terrarium.training.checkpointing.state import State

logger = logging.getLogger(__name__)


def choose_triples(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    weights: State,
    checkpoints: Path,
    source: SourceOptions,
) -> pd.DataFrame:
    """The triples that are asked about, with names, the split they stand in, and what the model says of them."""
    from terrarium.influence.data import queries as asking

    graph = graph_of(triples, entities, relations)
    chosen = asking.choose_triples(graph, entities, relations, weights, checkpoints, source)
    logger.info("%d triples are asked about", len(chosen))
    return chosen


def list_checkpoints(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    checkpoints: Path,
    model: ModelOptions,
) -> pd.DataFrame:
    """The checkpoints that are summed over: epoch and learning rate."""
    from terrarium.influence.data.checkpoints import rate_of, read_checkpoints
    from terrarium.influence.reporting.messages import warn_of_late

    graph = graph_of(triples, entities, relations)
    found = [(one.epoch, rate_of(one)) for one, _ in read_checkpoints(checkpoints, graph, model.checkpoints)]
    if not model.checkpoints.epochs:
        warn_of_late([epoch for epoch, _ in found])
    return pd.DataFrame(found, columns=["epoch", "learning_rate"])


def score(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    checkpoints: Path,
    asked: pd.DataFrame,
    model: ModelOptions,
    features: FeatureOptions,
    evaluation: EvaluationOptions,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """Proponents and opponents of each triple, self-influences, paths, and what it took."""
    from terrarium.influence.scoring.scoring import score_all

    graph = graph_of(triples, entities, relations)
    return score_all(graph, entities, relations, checkpoints, asked, model, features, evaluation)


def write_tables(scores: pd.DataFrame) -> tuple[list[dict[str, Any]], str]:
    """The scores as the original's JSON and CSV."""
    return tables.as_json(scores), tables.as_csv(scores)
