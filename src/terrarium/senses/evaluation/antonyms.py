"""Antonyms: how well they differ from synonyms and from random adjectives, and on which dimensions they oppose."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from terrarium.common.arrays import Float32Array, Float64Array
from terrarium.senses.data.relations import Lexicon
from terrarium.senses.data.splitting import select_pairs
from terrarium.senses.models.vectors import SenseVectors


class VectorPairs(NamedTuple):
    """Vectors (n, D) of the first and the second end of pairs."""

    first: Float32Array
    second: Float32Array

    @property
    def size(self) -> int:
        """Number of pairs."""
        return len(self.first)


Scorer: TypeAlias = Callable[[VectorPairs], np.ndarray]
"""Returns a score (n,) per pair, larger for antonyms."""


def antonym_metrics(vectors: SenseVectors, lexicon: Lexicon, rng: np.random.Generator) -> dict[str, float]:
    """Return the AUCs of held-out antonyms against other pairs, and how antonyms oppose.

    Args:
        vectors: to evaluate.
        lexicon: senses, and pairs with the column split as its relations.
        rng: samples synonyms and random adjectives.

    Returns:
        antonym_auc_X by a classifier fitted on validation pairs, antonym_relation_auc_X by the antonym relation,
        antonym_distance_auc_X by the negative cosine, with X: synonym (lemmas of one synset), near_synonym (held-out
        pairs of similar_to), all_synonyms (both), random (adjectives); for held_out and trained antonyms
        antonym_opposed_dimensions, antonym_cosine and antonym_polar_energy; antonym_test_pairs, polar_dimensions.
    """
    antonyms = _relation_vectors(vectors, lexicon.relations, "antonym", "test")
    synonyms = _sample_synonyms(vectors, lexicon.senses, antonyms.size, rng)
    near_synonyms = _relation_vectors(vectors, lexicon.relations, "similar_to", "test")
    others = {
        "synonym": synonyms,
        "near_synonym": near_synonyms,
        "random": _sample_adjectives(vectors, lexicon.senses, antonyms.size, rng),
        "all_synonyms": _concatenate(synonyms, near_synonyms),
    }
    scorers: dict[str, Scorer] = {
        "antonym_auc": fit_antonym_classifier(vectors, lexicon, rng),
        "antonym_relation_auc": lambda pairs: _score_antonymy(vectors, pairs),
        "antonym_distance_auc": lambda pairs: -_cosine(pairs),
    }
    metrics: dict[str, float] = {"antonym_test_pairs": float(antonyms.size)}
    for name, pairs in others.items():
        metrics |= {f"{scorer}_{name}": auc(score(antonyms), score(pairs)) for scorer, score in scorers.items()}
    trained = _relation_vectors(vectors, lexicon.relations, "antonym", "train")
    for name, pairs in (("held_out", antonyms), ("trained", trained)):
        product = pairs.first * pairs.second
        metrics[f"antonym_opposed_dimensions_{name}"] = float((product < 0).mean()) if pairs.size else float("nan")
        metrics[f"antonym_cosine_{name}"] = float(_cosine(pairs).mean()) if pairs.size else float("nan")
        opposition = np.minimum(product, 0)
        energy, total = opposition[:, vectors.polar].sum(), opposition.sum()
        metrics[f"antonym_polar_energy_{name}"] = float(energy / total) if total < 0 else float("nan")
    metrics["polar_dimensions"] = float(vectors.polar.mean())
    return metrics


def fit_antonym_classifier(vectors: SenseVectors, lexicon: Lexicon, rng: np.random.Generator) -> Scorer:
    """Return the decision function of a logistic regression that separates antonyms from synonyms.

    It is fitted on validation pairs. Its features are the product over polar dimensions, the product over the others
    and its square, and the opposition on polar dimensions. Without validation pairs: the score of the antonym relation.
    """
    antonyms = _relation_vectors(vectors, lexicon.relations, "antonym", "validation")
    synonyms = _concatenate(
        _sample_synonyms(vectors, lexicon.senses, max(antonyms.size, 1), rng),
        _relation_vectors(vectors, lexicon.relations, "similar_to", "validation"),
    )
    if not antonyms.size or not synonyms.size:
        return lambda pairs: _score_antonymy(vectors, pairs)
    features = np.concatenate([_antonym_features(vectors, pairs) for pairs in (antonyms, synonyms)])
    labels = np.repeat([1, 0], [antonyms.size, synonyms.size])
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced")).fit(features, labels)
    return lambda pairs: model.decision_function(_antonym_features(vectors, pairs)) if pairs.size else np.zeros(0)


def auc(positives: np.ndarray, negatives: np.ndarray) -> float:
    """Return the area under the ROC curve of two samples of scores; NaN if one is empty."""
    if not len(positives) or not len(negatives):
        return float("nan")
    labels = np.repeat([1, 0], [len(positives), len(negatives)])
    return float(roc_auc_score(labels, np.concatenate([positives, negatives])))


def _antonym_features(vectors: SenseVectors, pairs: VectorPairs) -> Float64Array:
    product = pairs.first * pairs.second
    polar, rest = product[:, vectors.polar], product[:, ~vectors.polar].sum(1)
    return np.column_stack([polar.sum(1), rest, rest**2, np.minimum(polar, 0).sum(1)])


def _concatenate(first: VectorPairs, second: VectorPairs) -> VectorPairs:
    return VectorPairs(*(np.concatenate(ends) for ends in zip(first, second, strict=True)))


def _score_antonymy(vectors: SenseVectors, pairs: VectorPairs) -> np.ndarray:
    """Return the score of the antonym relation, or the negative cosine without relations."""
    if vectors.scale is None:
        return -_cosine(pairs)
    score: np.ndarray = (vectors.queries(pairs.first, "antonym") * pairs.second).sum(1)
    return score


def _cosine(pairs: VectorPairs) -> Float32Array:
    cosine: Float32Array = (pairs.first * pairs.second).sum(1)
    return cosine


def _relation_vectors(vectors: SenseVectors, pairs: pd.DataFrame, relation: str, split: str) -> VectorPairs:
    chosen = select_pairs(pairs, relation, split)
    return VectorPairs(*(_end_vectors(vectors, chosen, end) for end in ("head", "tail")))


def _end_vectors(vectors: SenseVectors, pairs: pd.DataFrame, end: str) -> Float32Array:
    """Return the vectors of senses where a pair names them, else of synsets."""
    sense = pairs[f"{end}_sense"].to_numpy()
    rows = vectors.synsets[pairs[end].to_numpy()]
    rows[sense >= 0] = vectors.senses[sense[sense >= 0]]
    return rows


def _sample_synonyms(vectors: SenseVectors, senses: pd.DataFrame, count: int, rng: np.random.Generator) -> VectorPairs:
    """Draw adjacent lemmas of one synset."""
    row = senses["synset_row"].to_numpy()
    positions = np.flatnonzero(row[:-1] == row[1:])
    if len(positions):
        positions = rng.choice(positions, min(count, len(positions)), replace=False)
    return VectorPairs(vectors.senses[positions], vectors.senses[positions + 1])


def _sample_adjectives(
    vectors: SenseVectors, senses: pd.DataFrame, count: int, rng: np.random.Generator
) -> VectorPairs:
    positions = np.flatnonzero(senses["pos"].to_numpy() == "a")
    first, second = rng.choice(positions, (2, count)) if len(positions) else np.zeros((2, 0), int)
    return VectorPairs(vectors.senses[first], vectors.senses[second])
