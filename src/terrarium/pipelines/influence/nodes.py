"""What the influence pipeline does, step by step."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from terrarium.influence.options import (
    AttributionOptions,
    CheckpointOptions,
    PathOptions,
    QueryOptions,
    ScoringOptions,
)
from terrarium.kge.options import EvaluationOptions
from terrarium.training.checkpointing.state import State

logger = logging.getLogger(__name__)


def select_queries(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    weights: State,
    checkpoints: Path,
    options: QueryOptions,
) -> pd.DataFrame:
    """Return the query triples with names, split, and the model's rank and probability."""
    from terrarium.influence.data.named_graph import NamedGraph
    from terrarium.influence.data.queries import select_queries as select

    queries = select(NamedGraph.of(triples, entities, relations), weights, checkpoints, options)
    logger.info("%d query triples", len(queries))
    return queries


def list_checkpoints(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    checkpoints: Path,
    options: CheckpointOptions,
) -> pd.DataFrame:
    """Return training, epoch and learning rate of the checkpoints that influence is summed over."""
    from terrarium.influence.data.checkpoints import last_learning_rate, read_checkpoints
    from terrarium.influence.data.named_graph import NamedGraph
    from terrarium.influence.scoring.messages import warn_about_late_checkpoints

    graph = NamedGraph.of(triples, entities, relations).graph
    rows = [(one.epoch, last_learning_rate(one)) for one, _ in read_checkpoints(checkpoints, graph, options)]
    if not options.epochs:
        warn_about_late_checkpoints([epoch for epoch, _ in rows])
    every = [(training, *row) for training in range(options.num_trainings) for row in rows]
    return pd.DataFrame(every, columns=["training", "epoch", "learning_rate"])


def score(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    checkpoints: Path,
    queries: pd.DataFrame,
    selection: CheckpointOptions,
    attribution: AttributionOptions,
    scoring: ScoringOptions,
    paths: PathOptions,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """Return proponents and opponents of each query triple, self-influences, paths and metrics, by name."""
    from terrarium.influence.data.named_graph import NamedGraph
    from terrarium.influence.scoring.context import load_context
    from terrarium.influence.scoring.scoring import score_queries

    named = NamedGraph.of(triples, entities, relations)
    context = load_context(named.graph, checkpoints, selection, attribution, scoring, evaluation)
    return score_queries(context, queries, named, paths)._asdict()


def write_reference_files(
    scores: pd.DataFrame, triples: pd.DataFrame, checkpoint_table: pd.DataFrame, attribution: AttributionOptions
) -> dict[str, Any]:
    """Return the scores in the JSON and CSV formats of the reference TracIn script."""
    from terrarium.influence.scoring.method import count_checkpoints, method_name
    from terrarium.influence.scoring.tables import to_reference_csv, to_reference_json
    from terrarium.kge.data.graph import TRAIN

    num_train = int((triples["split"] == TRAIN).sum())
    method = method_name(attribution, num_train, *count_checkpoints(checkpoint_table))
    return {
        "json": to_reference_json(scores, method),
        "csv": to_reference_csv(scores),
    }
