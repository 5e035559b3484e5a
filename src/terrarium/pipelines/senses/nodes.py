"""Nodes of the senses pipeline: each reads its inputs' columns, calls the library, and names its outputs."""

from __future__ import annotations

import logging
from typing import Any

import pandas as pd

from terrarium.common.vectors import coordinate_names
from terrarium.senses.data import ingestion, taxonomy
from terrarium.senses.data.relations import RELATIONS, Lexicon
from terrarium.senses.data.splitting import Fractions, require_no_leak, split_pairs
from terrarium.senses.evaluation.evaluate import evaluate_vectors
from terrarium.senses.evaluation.export import operator_table, sense_table, synset_table
from terrarium.senses.evaluation.ranking import sample_distant_ancestors
from terrarium.senses.models.vectors import SenseVectors, build_vectors
from terrarium.senses.options import (
    EvaluationOptions,
    FeatureOptions,
    ModelOptions,
    SourceOptions,
    TrainingOptions,
    largest_dim,
)
from terrarium.senses.spectral.components import spectral_components
from terrarium.senses.training.messages import log_settings
from terrarium.senses.training.problem import build_problem, lexicon_fingerprint, training_data_fingerprint
from terrarium.senses.training.trainer import SenseTrainer
from terrarium.training.checkpointing.fingerprints import require_fingerprint, training_fingerprint
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import FitResult, fit
from terrarium.training.torch.seeding import generator

logger = logging.getLogger(__name__)


def read_source(source: SourceOptions) -> dict[str, pd.DataFrame]:
    """Read WordNet, additional relations and word pairs with human scores."""
    lexicon = ingestion.read_lexicon(source)
    return {
        "synsets": lexicon.synsets,
        "senses": lexicon.senses,
        "relations": lexicon.relations,
        "relation_counts": lexicon.counts,
        "word_pairs": ingestion.read_word_pairs(source),
    }


def split_relations(relations: pd.DataFrame, synsets: pd.DataFrame, features: FeatureOptions) -> pd.DataFrame:
    """Return the relation pairs in use with their split."""
    excluded = [RELATIONS.index(name) for name in features.excluded_relations]
    pairs = relations[~relations["relation"].isin(excluded)].reset_index(drop=True)
    split = split_pairs(
        pairs,
        fractions=Fractions(features.val_fraction, features.test_fraction),
        antonym_fractions=Fractions(features.antonym_val_fraction, features.antonym_test_fraction),
        synsets=len(synsets),
        seed=features.seed,
    )
    pairs = pairs.assign(split=split)
    require_no_leak(pairs, len(synsets))
    return pairs


def build_ancestors(pairs: pd.DataFrame, synsets: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return ancestors and information content by the training pairs, and ancestors that only other pairs give."""
    ancestors = taxonomy.ancestor_table(pairs[pairs["split"] == "train"], len(synsets))
    content = taxonomy.information_content(ancestors, synsets["pos"])
    return {
        "ancestors": ancestors,
        "unseen_ancestors": taxonomy.held_out_ancestors(pairs, ancestors, len(synsets)),
        "information_content": pd.DataFrame({"synset": synsets["synset"], "information_content": content}),
    }


def build_spectral(
    synsets: pd.DataFrame,
    senses: pd.DataFrame,
    pairs: pd.DataFrame,
    features: FeatureOptions,
    model: ModelOptions,
    training: TrainingOptions,
) -> pd.DataFrame:
    """Return the spectral components of the synsets (columns synset, x0, x1, ...), none for other initial vectors."""
    table = synsets[["synset"]].reset_index(drop=True)
    if model.init != "spectral":
        return table
    components = spectral_components(synsets, senses, pairs, largest_dim(model, training.growth), features)
    return pd.concat([table, pd.DataFrame(components, columns=coordinate_names(components.shape[1]))], axis=1)


def train(
    synsets: pd.DataFrame,
    senses: pd.DataFrame,
    pairs: pd.DataFrame,
    ancestors: pd.DataFrame,
    information_content: pd.DataFrame,
    spectral: pd.DataFrame,
    training_state: TrainingStore,
    model: ModelOptions,
    training: TrainingOptions,
) -> dict[str, Any]:
    """Train the vectors and return the weights of the best epoch, with checkpoints, history and summary."""
    log_settings(logger, model, training)
    problem = build_problem(synsets, senses, pairs, ancestors, information_content, spectral, training.named_axes)
    trainer = SenseTrainer(problem, model, training)
    initial = trainer.weights()
    result = fit(
        trainer,
        options=training,
        store=training_state,
        fingerprint=training_fingerprint(
            data=training_data_fingerprint(problem), model=model, training=training, exclude={"memory_limit_gb"}
        ),
        title="senses",
        restarts="columns_added_next",
    )
    return training_outputs(result, result.best, initial)


def export_vectors(
    synsets: pd.DataFrame, senses: pd.DataFrame, pairs: pd.DataFrame, weights: State
) -> dict[str, pd.DataFrame]:
    """Return the tables that users load: vectors of senses and of synsets, and the operators of the relations."""
    vectors = _load_vectors(weights, synsets, senses, pairs)
    return {
        "vectors": sense_table(vectors, senses),
        "synset_vectors": synset_table(vectors, synsets),
        "operators": operator_table(vectors),
    }


def evaluate(
    synsets: pd.DataFrame,
    senses: pd.DataFrame,
    pairs: pd.DataFrame,
    unseen_ancestors: pd.DataFrame,
    word_pairs: pd.DataFrame,
    weights: State,
    initial_weights: State,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """Evaluate the vectors, variants of them, relations and axes."""
    vectors, initial = (_load_vectors(state, synsets, senses, pairs) for state in (weights, initial_weights))
    return evaluation_outputs(vectors, initial, synsets, senses, pairs, unseen_ancestors, word_pairs, evaluation)


def training_outputs(result: FitResult, exported: State, initial: State) -> dict[str, Any]:
    """Return the outputs of a training by name."""
    minutes = float(result.history["seconds"].sum()) / 60
    logger.info("Training completed in %.1f minutes", minutes)
    return {
        "weights": exported,
        "initial_weights": initial,
        "checkpoints": result.checkpoints,
        "history": result.history,
        "training_summary": {**result.summary(), "minutes": minutes},
    }


def evaluation_outputs(
    vectors: SenseVectors,
    initial: SenseVectors,
    synsets: pd.DataFrame,
    senses: pd.DataFrame,
    pairs: pd.DataFrame,
    unseen_ancestors: pd.DataFrame,
    word_pairs: pd.DataFrame,
    evaluation: EvaluationOptions,
) -> dict[str, Any]:
    """Return the outputs of an evaluation by name."""
    rng = generator(evaluation.seed, "far")
    distant = sample_distant_ancestors(unseen_ancestors, evaluation.max_transitive_pairs, rng)
    lexicon = Lexicon(synsets, senses, pairs, pd.DataFrame())
    results = evaluate_vectors(vectors, initial, lexicon, distant, word_pairs, evaluation)
    return {
        "metrics": results.metrics,
        "variant_metrics": results.variants,
        "relation_metrics": results.relations,
        "axes": results.axes,
    }


def _load_vectors(weights: State, synsets: pd.DataFrame, senses: pd.DataFrame, pairs: pd.DataFrame) -> SenseVectors:
    """Return the vectors of weights that belong to this lexicon and split: others saw the test pairs in training."""
    require_fingerprint(
        weights.metadata.get("lexicon"),
        lexicon_fingerprint(synsets, pairs),
        what="the weights belong to another WordNet or another split",
        datasets=["senses.weights", "senses.synsets", "senses.pairs"],
    )
    return build_vectors(weights, senses)
