"""Nodes of the pipeline `senses_reference`: NAOMI-II's items, edges and training."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pandas as pd

from terrarium.pipelines.senses.nodes import evaluation_outputs, training_outputs
from terrarium.senses.evaluation.export import sense_table
from terrarium.senses.legacy import data
from terrarium.senses.legacy.options import ReferenceModelOptions, ReferenceTrainingOptions
from terrarium.senses.legacy.trainer import ReferenceTrainer, items_fingerprint
from terrarium.senses.legacy.vectors import item_vectors
from terrarium.senses.models.vectors import SenseVectors
from terrarium.senses.options import EvaluationOptions
from terrarium.training.checkpointing.fingerprints import require_fingerprint, training_fingerprint
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit


def build_edges(synsets: pd.DataFrame, senses: pd.DataFrame, relations: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return NAOMI-II's items and edges."""
    items = data.build_items(synsets, senses)
    return {"items": items, "edges": data.build_edges(items, senses, relations)}


def train(
    items: pd.DataFrame,
    edges: pd.DataFrame,
    training_state: TrainingStore,
    model: ReferenceModelOptions,
    training: ReferenceTrainingOptions,
) -> dict[str, Any]:
    """Train the item vectors and return the weights of the last epoch, with checkpoints, history and summary."""
    trainer = ReferenceTrainer(items, edges, model, training)
    initial = trainer.weights()
    result = fit(
        trainer,
        options=training,
        store=training_state,
        fingerprint=training_fingerprint(
            data=sha256(edges.to_numpy().tobytes()).hexdigest(),
            model=model,
            training=training,
            exclude={"memory_limit_gb"},
        ),
        title="senses reference",
    )
    return training_outputs(result, result.final, initial)


def export_vectors(items: pd.DataFrame, synsets: pd.DataFrame, senses: pd.DataFrame, weights: State) -> pd.DataFrame:
    """Return the table of sense vectors: each sense has the vector of its item."""
    return sense_table(_load_vectors(weights, items, synsets, senses), senses)


def evaluate(
    items: pd.DataFrame,
    synsets: pd.DataFrame,
    senses: pd.DataFrame,
    pairs: pd.DataFrame,
    unseen_ancestors: pd.DataFrame,
    word_pairs: pd.DataFrame,
    weights: State,
    initial_weights: State,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """Evaluate the vectors as in the senses pipeline. NAOMI-II's edges include the test pairs."""
    vectors, initial = (_load_vectors(state, items, synsets, senses) for state in (weights, initial_weights))
    return evaluation_outputs(vectors, initial, synsets, senses, pairs, unseen_ancestors, word_pairs, evaluation)


def _load_vectors(weights: State, items: pd.DataFrame, synsets: pd.DataFrame, senses: pd.DataFrame) -> SenseVectors:
    require_fingerprint(
        weights.metadata.get("items"),
        items_fingerprint(items),
        what="the weights belong to other items",
        datasets=["senses.reference.weights", "senses.reference.items"],
    )
    return item_vectors(weights, items, synsets, senses)
