"""Steps of the pipeline knowledge_graph. The library behind them is `terrarium.kge`."""

from __future__ import annotations

import logging
from typing import Any

import pandas as pd

from terrarium.kge.data import ingestion, splitting
from terrarium.kge.data.graph import TEST, TEST_GROUPS, TRAIN, VALIDATION, Graph
from terrarium.kge.data.options import FeatureOptions, SourceOptions
from terrarium.kge.options import EvaluationOptions, ModelOptions, TrainingOptions
from terrarium.kge.training.run_config import run_config
from terrarium.training.checkpointing.fingerprints import training_fingerprint
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit

logger = logging.getLogger(__name__)

HELD_OUT = (VALIDATION, TEST, TEST_GROUPS)


def read_source(source: SourceOptions) -> dict[str, Any]:
    """Read triples, entities and relations, and count what was skipped."""
    graph = ingestion.read_graph(source)
    return {
        "source_triples": graph.triples,
        "entities": graph.entities,
        "relations": graph.relations,
        "source_counts": graph.counts,
    }


def split_triples(
    source_triples: pd.DataFrame, entities: pd.DataFrame, relations: pd.DataFrame, features: FeatureOptions
) -> dict[str, Any]:
    """Assign every triple to a split, unless the source has."""
    held_out = features.split_relations or relations.loc[relations["is_target"], "relation"].tolist()
    options = features.with_source_choice(relations, held_out)
    triples, counts = splitting.split_triples(source_triples, entities, held_out, options)
    if triples["given"].all():
        logger.info("The source gives the splits, so features are not used")
    elif features.group_fraction and not (entities["group"] != "").any():
        logger.info("No group is held out (features.group_fraction): the source's entities have no groups")
    sizes = {f"{name}_triples": int((triples["split"] == name).sum()) for name in (TRAIN, *HELD_OUT)}
    logger.info("Split: %s", ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sizes.items()))
    if counts.get("pairs_in_two_splits"):
        logger.warning(
            "%s pairs of entities are in two of the given splits, under some relation or direction: metrics are "
            "too good by what training gives away",
            f"{counts['pairs_in_two_splits']:,}",
        )
    if counts.get("held_out_triples_given_away"):
        logger.warning(
            "%s held-out triples follow from a training triple by an inverse or duplicate relation%s",
            f"{counts['held_out_triples_given_away']:,}",
            ": they are left out" if features.drop_leaks else "; features.drop_leaks leaves them out",
        )
    return {"triples": triples, "split_counts": {**counts, **sizes}}


def write_config(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    model: ModelOptions,
    training: TrainingOptions,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """Describe the training that follows, after checking that its result can be evaluated."""
    from terrarium.kge.training.defaults import fill_dim, fill_training
    from terrarium.kge.training.preflight import check_evaluation

    graph = Graph.from_tables(triples, entities, relations)
    check_evaluation(graph, entities, relations, training, evaluation)
    return run_config(graph, fill_dim(graph, model), fill_training(graph, training))


def choose_n3_weight(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    run_config: dict[str, Any],
    model: ModelOptions,
    training: TrainingOptions,
    evaluation: EvaluationOptions,
) -> pd.DataFrame:
    """Choose the weight of the N3 penalty by a rule or by trial trainings.

    `run_config` is an input so that options are checked before the first trial.
    """
    from terrarium.kge.training.search import search_n3_weight

    graph = Graph.from_tables(triples, entities, relations)
    return search_n3_weight(graph, model, training, evaluation)


def train(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    run_config: dict[str, Any],
    n3_search: pd.DataFrame,
    training_state: TrainingStore,
    model: ModelOptions,
    training: TrainingOptions,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """Train the model; return weights, checkpoints, history and summary by name.

    `run_config` is an input so that it is saved before the training, and a killed run has it.
    """
    from terrarium.kge.data.ancestors import find_parts
    from terrarium.kge.training.defaults import fill_dim, fill_training, limit_epochs
    from terrarium.kge.training.messages import log_savings, log_start, summarize_collapse
    from terrarium.kge.training.trainer import ScorerTrainer
    from terrarium.training.torch.processes import build_trainer

    graph = Graph.from_tables(triples, entities, relations)
    weight = float(n3_search.loc[n3_search["chosen"], "n3_weight"].iloc[0])
    model, training = fill_dim(graph, model), fill_training(graph, training).with_n3_weight(weight)
    trainer = build_trainer(ScorerTrainer, graph, model, training, evaluation)
    training = limit_epochs(graph, training, len(trainer.queries))
    log_start(graph, model, training, len(trainer.queries), run_config["optimizations"])
    savings = log_savings(trainer, training)
    result = fit(
        trainer,
        options=training,
        store=training_state,
        fingerprint=training_fingerprint(
            data=graph.fingerprint,
            hierarchy=graph.hierarchy,
            parts=None if (parts := find_parts(graph, model)) is None else parts.fingerprint,
            model=model,
            training=training,
            evaluation=evaluation.precision,
        ),
        title="knowledge graph",
    )
    minutes = float(result.history["seconds"].sum()) / 60
    return {
        "weights": result.best,
        "checkpoints": result.checkpoints,
        "history": result.history,
        "training_summary": {
            **result.summary(),
            "minutes": minutes,
            "n3_weight": training.loss.n3_weight,
            **summarize_collapse(result.history),
            **savings,
        },
    }


def evaluate(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    weights: State,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """Rank the held-out triples and compare the model with untrained baselines."""
    from terrarium.kge.evaluation.evaluate import evaluate_scorer

    graph = Graph.from_tables(triples, entities, relations)
    return evaluate_scorer(graph, entities, relations, weights, evaluation, HELD_OUT)._asdict()


def calibrate(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    weights: State,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """Fit probabilities of answers on validation triples, and measure them on test triples."""
    from terrarium.kge.evaluation.calibration import calibrate
    from terrarium.kge.evaluation.evaluate import prepare_scorer

    graph = Graph.from_tables(triples, entities, relations)
    calibration, reliability = calibrate(graph, prepare_scorer(weights, graph, evaluation), evaluation)
    return {"calibration": calibration, "reliability": reliability}


def predict(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    weights: State,
    calibration: dict[str, float],
    evaluation: EvaluationOptions,
) -> pd.DataFrame:
    """Predict the best answers of chosen queries, with calibrated probabilities."""
    from terrarium.kge.evaluation.calibration import Calibration
    from terrarium.kge.evaluation.evaluate import prepare_scorer
    from terrarium.kge.evaluation.predictions import predict_answers

    graph = Graph.from_tables(triples, entities, relations)
    scorer, fitted = prepare_scorer(weights, graph, evaluation), Calibration.from_metrics(calibration)
    return predict_answers(graph, entities, relations, scorer, evaluation, fitted)
