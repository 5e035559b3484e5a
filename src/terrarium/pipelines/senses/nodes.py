"""What the senses pipeline does, step by step."""

from __future__ import annotations

import logging
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from terrarium.senses.data import ingestion
from terrarium.senses.data.relations import RELATIONS, Lexicon
from terrarium.senses.data.splitting import PARTS, assert_no_leak, split_pairs
from terrarium.senses.data.taxonomy import ancestor_table, build_taxonomy, held_out_ancestors, information_content
from terrarium.senses.evaluation.evaluate import measure
from terrarium.senses.evaluation.export import sense_vectors
from terrarium.senses.evaluation.ranking import far_ancestors
from terrarium.senses.legacy.data import documented_edges, documented_vocabulary
from terrarium.senses.legacy.trainer import DocumentedTrainer
from terrarium.senses.models.vectors import vectors_of
from terrarium.senses.options import EvaluationOptions, FeatureOptions, ModelOptions, SourceOptions, TrainingOptions
from terrarium.senses.training.messages import announce
from terrarium.senses.training.problem import Problem, axes_of, links_of
from terrarium.senses.training.trainer import SenseTrainer
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import Trainable, fit
from terrarium.training.torch.seeding import generator

logger = logging.getLogger(__name__)


class WrongLexiconError(ValueError):
    """Weights of another lexicon or split than those at hand."""


def read_source(source: SourceOptions) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Synsets, senses, relations with inverses merged, counts by relation, and word pairs scored by people."""
    lexicon = ingestion.read_lexicon(source)
    return lexicon.synsets, lexicon.senses, lexicon.relations, lexicon.counts, ingestion.read_word_pairs(source)


def split_relations(relations: pd.DataFrame, synsets: pd.DataFrame, features: FeatureOptions) -> pd.DataFrame:
    """Pairs with the part that they belong to; no pair of ends stands in two parts."""
    kept = ~relations["relation"].isin([RELATIONS.index(name) for name in features.leave_out])
    pairs = relations[kept].reset_index(drop=True)
    part = split_pairs(
        pairs,
        shares=(features.validation_share, features.test_share),
        antonyms=(features.antonym_validation_share, features.antonym_test_share),
        synsets=len(synsets),
        seed=features.seed,
    )
    pairs = pairs.assign(part=part)
    assert_no_leak(pairs, len(synsets))
    return pairs


def build_ancestors(pairs: pd.DataFrame, synsets: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Ancestors by the training pairs alone, those that only a held-out pair gives, and each synset's information."""
    ancestors = ancestor_table(pairs[pairs["part"] == PARTS.index("train")], len(synsets))
    information = information_content(ancestors, synsets["pos"])
    unseen = held_out_ancestors(pairs, ancestors, len(synsets))
    return ancestors, unseen, pd.DataFrame({"synset": synsets["synset"], "information": information})


def build_edges(
    synsets: pd.DataFrame, senses: pd.DataFrame, relations: pd.DataFrame, features: FeatureOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items and edges by the original's rules; empty tables for the vocabulary of senses."""
    if features.vocabulary == "senses":
        return pd.DataFrame({"item": pd.Series([], dtype="str")}), pd.DataFrame(
            {"relation": [], "head": [], "tail": []}
        )
    items = documented_vocabulary(synsets, senses)
    return items, documented_edges(items, synsets, senses, relations)


def train(
    synsets: pd.DataFrame,
    senses: pd.DataFrame,
    pairs: pd.DataFrame,
    ancestors: pd.DataFrame,
    information: pd.DataFrame,
    documented_items: pd.DataFrame,
    documented_edges: pd.DataFrame,
    training_state: TrainingStore,
    model: ModelOptions,
    training: TrainingOptions,
    features: FeatureOptions,
) -> tuple[State, Path, pd.DataFrame, dict[str, Any]]:
    """Train the vectors: best weights, checkpoints, history, and how it ended."""
    announce(logger, model, training)
    trainer: Trainable
    if training.objective == "documented":
        trainer = DocumentedTrainer(documented_items, documented_edges, model, training)
        data = sha256(documented_edges.to_numpy().tobytes()).hexdigest()
    else:
        problem = problem_of(synsets, senses, pairs, ancestors, information, features, training)
        trainer, data = SenseTrainer(problem, model, training), problem.fingerprint
    result = fit(
        trainer,
        options=training,
        store=training_state,
        fingerprint={
            "data": data,
            "model": model.model_dump(mode="json"),
            "training": training.model_dump(mode="json", exclude={"checkpoints", "memory_limit_gb"}),
            "axes": None if training.unsupervised else features.model_dump(mode="json")["axes"],
        },
        title="senses",
        restarts="columns_added_next",
    )
    minutes = float(result.history["seconds"].sum()) / 60
    logger.info("Training completed in %.1f minutes", minutes)
    summary = {
        "stop_reason": result.stop_reason,
        "epochs": result.epochs,
        "best_epoch": result.best_epoch,
        "minutes": minutes,
    }
    exported = result.final if training.objective == "documented" else result.best
    return exported, result.checkpoints, result.history, summary


def export_vectors(
    synsets: pd.DataFrame, senses: pd.DataFrame, pairs: pd.DataFrame, documented_items: pd.DataFrame, weights: State
) -> pd.DataFrame:
    """A row a sense: key, lemma, part of speech, synset, and its vector of length 1."""
    check_weights(weights, lexicon_fingerprint(synsets, pairs))
    return sense_vectors(vectors_of(weights, synsets, senses, documented_items), senses)


def evaluate(
    synsets: pd.DataFrame,
    senses: pd.DataFrame,
    pairs: pd.DataFrame,
    unseen_ancestors: pd.DataFrame,
    word_pairs: pd.DataFrame,
    documented_items: pd.DataFrame,
    weights: State,
    evaluation: EvaluationOptions,
) -> tuple[dict[str, float], pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Metrics, beside random vectors and cuts by PCA, by relation, and the named axes."""
    check_weights(weights, lexicon_fingerprint(synsets, pairs))
    lexicon = Lexicon(synsets, senses, pairs, pd.DataFrame())
    far = far_ancestors(unseen_ancestors, evaluation.transitive_pairs, generator(evaluation.seed, "far"))
    trained = vectors_of(weights, synsets, senses, documented_items)
    return measure(lexicon, far, word_pairs, trained, evaluation)


def problem_of(
    synsets: pd.DataFrame,
    senses: pd.DataFrame,
    pairs: pd.DataFrame,
    ancestors: pd.DataFrame,
    information: pd.DataFrame,
    features: FeatureOptions,
    training: TrainingOptions,
) -> Problem:
    """The data of a training as arrays."""
    content = information["information"].to_numpy(np.float32)
    offsets = int((senses["offset_row"] >= 0).sum())
    return Problem(
        synsets=len(synsets),
        offsets=offsets,
        train=links_of(pairs, "train", senses, len(synsets) + offsets),
        validation=links_of(pairs, "validation", senses, len(synsets) + offsets),
        taxonomy=build_taxonomy(ancestors, content, synsets["pos"]),
        axes=None if training.unsupervised else axes_of(features.axes, senses),
        fingerprint=lexicon_fingerprint(synsets, pairs),
    )


def lexicon_fingerprint(synsets: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """What weights belong to: the synsets and the parts of the pairs."""
    names = "\n".join(synsets["synset"]).encode()
    return sha256(names + pairs[["relation", "head", "tail", "part"]].to_numpy(np.int64).tobytes()).hexdigest()


def check_weights(weights: State, lexicon: str) -> None:
    """Refuse weights of another lexicon or another split, which would be measured on what they were trained on."""
    if weights.metadata.get("lexicon") not in {lexicon, None}:
        raise WrongLexiconError(
            "the weights belong to another WordNet or another split than the pairs at hand: choose versions of one run "
            "for weights, synsets and pairs together with --load-versions=NAME:VERSION,...; the warning at the start "
            "of this run names the versions that belong together"
        )
