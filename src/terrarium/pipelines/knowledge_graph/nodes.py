"""What the knowledge graph pipeline does, step by step."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from terrarium.kge.data import ingestion
from terrarium.kge.data.graph import TEST, TEST_GROUPS, VALIDATION, Graph
from terrarium.kge.data.splitting import split_triples as divide
from terrarium.kge.options import EvaluationOptions, FeatureOptions, ModelOptions, SourceOptions, TrainingOptions
from terrarium.kge.training.run_config import run_config
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit

logger = logging.getLogger(__name__)

MEASURED = (VALIDATION, TEST, TEST_GROUPS)


def read_source(source: SourceOptions) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Triples as the source gives them, entities and relations with names, and counts of what was read."""
    graph = ingestion.read_graph(source)
    return graph.triples, graph.entities, graph.relations, graph.counts


def split_triples(
    source_triples: pd.DataFrame, entities: pd.DataFrame, relations: pd.DataFrame, features: FeatureOptions
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The triples with the split that they belong to; no pair of ends stands in two of the splits made here."""
    asked = features.split_relations or relations.loc[relations["asked"], "relation"].tolist()
    triples, counts = divide(source_triples, entities, asked, features.with_source_choice(relations, asked))
    if triples["given"].all():
        logger.info("The source gives the splits, so features are not used")
    elif features.group_fraction and not (entities["group"] != "").any():
        logger.info("No group is held out (features.group_fraction): the source's entities have no groups")
    sizes = {f"{name}_triples": int((triples["split"] == name).sum()) for name in ("train", *MEASURED)}
    logger.info("Split: %s", ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sizes.items()))
    if counts.get("pairs_in_two_splits"):
        logger.warning(
            "%s pairs of ends stand in two of the given splits, in some direction or relation: read the measures so",
            f"{counts['pairs_in_two_splits']:,}",
        )
    return triples, {**counts, **sizes}


def write_config(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    model: ModelOptions,
    training: TrainingOptions,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """What is about to be trained, in the document's groups; refuses what could not be evaluated after it."""
    from terrarium.kge.training.preflight import check_evaluation

    graph = Graph.from_tables(triples, entities, relations)
    check_evaluation(graph, entities, relations, training, evaluation)
    return run_config(graph, model, training)


def train(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    config: dict[str, Any],
    training_state: TrainingStore,
    model: ModelOptions,
    training: TrainingOptions,
    evaluation: EvaluationOptions,
) -> tuple[State, Path, pd.DataFrame, dict[str, Any]]:
    """Train the scorer: best weights, checkpoints, history, and how it ended.

    `config` is written before, so that a killed run has it.
    """
    from terrarium.kge.training.messages import announce, savings
    from terrarium.kge.training.trainer import ScorerTrainer

    graph = Graph.from_tables(triples, entities, relations)
    trainer = ScorerTrainer(graph, model, training, evaluation)
    announce(graph, model, training, len(trainer.queries), config["optimizations"])
    saved = savings(trainer, training)
    result = fit(
        trainer,
        options=training,
        store=training_state,
        fingerprint={
            "data": graph.fingerprint,
            "model": model.model_dump(mode="json"),
            "training": training.model_dump(mode="json", exclude={"checkpoints"}),
            "evaluation": evaluation.precision,
        },
        title="knowledge graph",
    )
    summary = {
        "stop_reason": result.stop_reason,
        "epochs": result.epochs,
        "best_epoch": result.best_epoch,
        "minutes": float(result.history["seconds"].sum()) / 60,
        **saved,
    }
    return result.best, result.checkpoints, result.history, summary


def evaluate(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    weights: State,
    evaluation: EvaluationOptions,
) -> tuple[dict[str, float], pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Filtered measures of both sides, by relation, beside guesses without training, and every triple's ranks."""
    from terrarium.kge.evaluation.evaluate import measure

    return measure(Graph.from_tables(triples, entities, relations), entities, relations, weights, evaluation, MEASURED)


def predict(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    weights: State,
    evaluation: EvaluationOptions,
) -> pd.DataFrame:
    """The best answers of chosen questions, with names."""
    from terrarium.kge.evaluation.evaluate import ready
    from terrarium.kge.evaluation.predictions import predict as best_answers

    graph = Graph.from_tables(triples, entities, relations)
    return best_answers(graph, entities, relations, ready(weights, graph, evaluation), evaluation)
