"""What the scenes pipeline does, step by step."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from terrarium.scenes.coverage import report as coverage
from terrarium.scenes.evaluation.evaluate import measure, summary
from terrarium.scenes.graphs import archetypes as patterns
from terrarium.scenes.graphs import building, ingestion
from terrarium.scenes.graphs.columns import fingerprint, from_state
from terrarium.scenes.graphs.splitting import split_scenes
from terrarium.scenes.models.embedding import embed_graphs
from terrarium.scenes.options import EvaluationOptions, FeatureOptions, ModelOptions, SourceOptions, TrainingOptions
from terrarium.scenes.training.run_log import write_log
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit

logger = logging.getLogger(__name__)


class WrongGraphsError(ValueError):
    """Weights of other graphs, or of another split, than those at hand."""


def read_source(source: SourceOptions) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tracks and lanes of all sources, simulated and recorded."""
    recording = ingestion.read_all(source)
    return recording.tracks, recording.lanes


def build_graphs(
    tracks: pd.DataFrame, lanes: pd.DataFrame, features: FeatureOptions
) -> tuple[State, pd.DataFrame, pd.DataFrame]:
    """Graphs in columns, a row each with the part that its scene belongs to, and which archetypes each has."""
    graphs, index = building.build_graphs(tracks, lanes, features.graphs)
    return graphs.state(), split_scenes(index, features), patterns.label_graphs(graphs)


def train(
    graphs: State,
    graph_index: pd.DataFrame,
    training_state: TrainingStore,
    model: ModelOptions,
    training: TrainingOptions,
    features: FeatureOptions,
) -> tuple[State, Path, pd.DataFrame, dict[str, Any], str]:
    """Train the encoder: best weights, checkpoints, history, how it ended, and the log."""
    from terrarium.scenes.training.problem import scene_problem
    from terrarium.scenes.training.trainer import SceneTrainer

    problem = scene_problem(graphs, graph_index, features)
    result = fit(
        SceneTrainer(problem, model, training),
        options=training,
        store=training_state,
        fingerprint={
            "data": problem.metadata,
            "model": model.model_dump(mode="json"),
            "training": training.model_dump(mode="json", exclude={"checkpoints"}),
        },
        title="scenes",
    )
    outcome = {
        "stop_reason": result.stop_reason,
        "epochs": result.epochs,
        "best_epoch": result.best_epoch,
        "minutes": float(result.history["seconds"].sum()) / 60,
        "parameters": int(sum(array.size for array in result.best.tensors.values())),
    }
    return result.best, result.checkpoints, result.history, outcome, write_log(result.history, training)


def export_embeddings(graphs: State, graph_index: pd.DataFrame, weights: State) -> pd.DataFrame:
    """A row a graph: id, scene, time, source, part, and its embedding."""
    check_weights(weights, graphs, graph_index)
    vectors = embed_graphs(weights, from_state(graphs))
    columns = pd.DataFrame(vectors, columns=[f"x{i}" for i in range(vectors.shape[1])])
    return pd.concat([graph_index[["graph_id", "scene", "time_s", "source", "split"]], columns], axis=1)


def evaluate(
    graphs: State, graph_index: pd.DataFrame, archetypes: pd.DataFrame, weights: State, evaluation: EvaluationOptions
) -> tuple[dict[str, float], pd.DataFrame, pd.DataFrame]:
    """Metrics, beside the baselines, and by archetype."""
    check_weights(weights, graphs, graph_index)
    table, by_archetype = measure(from_state(graphs), graph_index, archetypes, weights, evaluation)
    return summary(table), table, by_archetype


def measure_coverage(
    graphs: State,
    graph_index: pd.DataFrame,
    weights: State,
    embeddings: pd.DataFrame,
    archetypes: pd.DataFrame,
    evaluation: EvaluationOptions,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """What simulation lacks: graphs by their gap, archetypes by theirs, the known-hole test, and the numbers."""
    check_weights(weights, graphs, graph_index)
    return coverage.report(from_state(graphs), embeddings, archetypes, weights, evaluation)


def check_weights(weights: State, graphs: State, graph_index: pd.DataFrame) -> None:
    """Refuse weights of other graphs or another split, which would be measured on what they were trained on."""
    if weights.metadata.get("graphs") != fingerprint(graphs, graph_index):
        raise WrongGraphsError(
            "the weights belong to other graphs or another split than those at hand: choose versions of one run for "
            "weights, graphs and graph_index together with --load-versions=NAME:VERSION,...; the warning at the start "
            "of this run names the versions that belong together"
        )
