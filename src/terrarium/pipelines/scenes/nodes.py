"""What the scenes pipeline does, step by step."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.scenes.coverage import report
from terrarium.scenes.criticality.tables import measure_criticality
from terrarium.scenes.evaluation.evaluate import exported_name, measure_representations, summarize
from terrarium.scenes.graphs import building
from terrarium.scenes.graphs.archetypes import label_graphs
from terrarium.scenes.graphs.columns import fingerprint, from_state
from terrarium.scenes.graphs.ingestion import read_sources
from terrarium.scenes.graphs.splitting import split_scenes
from terrarium.scenes.labels.definitions import read_definitions, require_distinct
from terrarium.scenes.models.embedding import embed_graphs
from terrarium.scenes.options import EvaluationOptions, FeatureOptions, ModelOptions, TrainingOptions, compare_sources
from terrarium.scenes.source_options import SourceOptions
from terrarium.scenes.training.run_log import format_log
from terrarium.training.checkpointing.fingerprints import require_fingerprint, training_fingerprint
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit


def read_source(source: SourceOptions) -> dict[str, pd.DataFrame]:
    """Read or simulate all sources: their tracks and lanes."""
    recording = read_sources(source)
    return {"tracks": recording.tracks, "lanes": recording.lanes}


def build_graphs(tracks: pd.DataFrame, lanes: pd.DataFrame, features: FeatureOptions) -> dict[str, Any]:
    """Build graphs, split their scenes, measure their criticality, and find their archetypes and tags."""
    archetypes = read_definitions(features.archetypes_path, "archetypes")
    tags = read_definitions(features.tags_path, "tags")
    require_distinct(archetypes, tags)
    graphs, index = building.build_graphs(tracks, lanes, features.graphs)
    split = split_scenes(index, features)
    critical = measure_criticality(tracks, graphs, index)
    return {
        "graphs": graphs.state(),
        "graph_index": split,
        "archetypes": label_graphs(graphs, archetypes, critical.graphs),
        "tags": label_graphs(graphs, tags, critical.graphs),
        "criticality": pd.concat([index[["graph_id", "source", "scene", "time_s"]], critical.graphs], axis=1),
        "critical_pairs": critical.pairs,
        "scene_criticality": critical.scenes,
    }


def train(
    graphs: State,
    graph_index: pd.DataFrame,
    training_state: TrainingStore,
    model: ModelOptions,
    training: TrainingOptions,
    features: FeatureOptions,
) -> dict[str, Any]:
    """Train the encoder: its best weights, checkpoints, history, how it ended, and the log."""
    from terrarium.scenes.training.problem import scene_problem
    from terrarium.scenes.training.trainer import SceneTrainer
    from terrarium.training.torch.processes import build_trainer

    problem = scene_problem(graphs, graph_index, features)
    result = fit(
        build_trainer(SceneTrainer, problem, model, training),
        options=training,
        store=training_state,
        fingerprint=training_fingerprint(data=problem.metadata, model=model, training=training),
        title="scenes",
    )
    more = {
        "minutes": float(result.history["seconds"].sum()) / 60,
        "parameters": int(sum(array.size for array in result.best.tensors.values())),
    }
    return {
        "weights": result.best,
        "checkpoints": result.checkpoints,
        "history": result.history,
        "training_summary": result.summary() | more,
        "training_log": format_log(result.history, training),
    }


def export_embeddings(graphs: State, graph_index: pd.DataFrame, weights: State) -> pd.DataFrame:
    """Embed all graphs: graph_id, scene, time_s, source, split, x0, x1, ..."""
    require_own_graphs(weights, graphs, graph_index)
    vectors = embed_graphs(weights, from_state(graphs))
    columns = pd.DataFrame(vectors, columns=[f"x{i}" for i in range(vectors.shape[1])])
    return pd.concat([graph_index[["graph_id", "scene", "time_s", "source", "split"]], columns], axis=1)


def evaluate(
    graphs: State, graph_index: pd.DataFrame, archetypes: pd.DataFrame, weights: State, evaluation: EvaluationOptions
) -> dict[str, Any]:
    """Measure the embedding and the baselines on held-out scenes."""
    require_own_graphs(weights, graphs, graph_index)
    table, by_archetype = measure_representations(from_state(graphs), graph_index, archetypes, weights, evaluation)
    return {
        "metrics": summarize(table, exported_name(weights)),
        "representation_metrics": table,
        "archetype_metrics": by_archetype,
    }


def measure_coverage(
    graphs: State,
    graph_index: pd.DataFrame,
    weights: State,
    embeddings: pd.DataFrame,
    archetypes: pd.DataFrame,
    tags: pd.DataFrame,
    criticality: pd.DataFrame,
    evaluation: EvaluationOptions,
    source: SourceOptions,
) -> dict[str, Any]:
    """Measure what the simulated scenes lack of the recorded ones."""
    require_own_graphs(weights, graphs, graph_index)
    annotations = report.Annotations(archetypes, tags, criticality)
    options = compare_sources(evaluation, source)
    found = report.measure_coverage(from_state(graphs), embeddings, annotations, weights, options)
    return {
        "coverage": found.graphs,
        "situations": found.situations,
        "archetype_gaps": found.archetypes,
        "deletion_test": found.deletion_test,
        "coverage_metrics": found.metrics,
    }


def require_own_graphs(weights: State, graphs: State, graph_index: pd.DataFrame) -> None:
    """Refuse weights of other graphs or of another split, which would be measured on what they were trained on."""
    require_fingerprint(
        weights.metadata.get("graphs"),
        fingerprint(graphs, graph_index),
        what="the weights belong to other graphs or another split",
        datasets=["scenes.weights", "scenes.graphs", "scenes.graph_index"],
    )
