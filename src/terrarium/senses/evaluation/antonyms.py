"""Antonyms: how well a score separates them from near synonyms and other adjectives, and where they oppose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from terrarium.common.arrays import Float32Array, Float64Array
from terrarium.senses.data.relations import Lexicon
from terrarium.senses.evaluation.antonym_pairs import (
    SensePairs,
    cluster_mates,
    concatenate_pairs,
    direct_antonyms,
    indirect_antonyms,
    near_synonyms,
    random_adjectives,
    split_in_half,
)
from terrarium.senses.evaluation.antonym_text import text_features
from terrarium.senses.models.vectors import SenseVectors, unit_rows

_C = 0.3
"""Inverse strength of the regression's penalty."""
_CLOSEST = 3
"""Trained antonyms whose differences a pair's difference is compared with."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Antonyms and other pairs, with their text features (n, 4)."""

    antonyms: SensePairs
    others: SensePairs
    antonym_text: Float64Array
    other_text: Float64Array


@dataclass(frozen=True, eq=False)
class AntonymTask:
    """What the scores are fitted on and tested on.

    Attributes:
        fitted: validation antonyms, and near synonyms, random adjectives and satellites of one head.
        weights: (n,) weights of the other pairs; each of the three kinds has the same sum.
        tested: name -> test pairs. near_synonym and random have held-out antonyms; indirect has satellites of trained
            antonyms, indirect_held_out those of held-out ones, both against satellites of one head.
        trained: antonyms of the training split, which the feature `opposition` compares with.
        held_out: antonyms of the test split.
    """

    fitted: Examples
    weights: Float64Array
    tested: dict[str, Examples]
    trained: SensePairs
    held_out: SensePairs


def build_antonym_task(lexicon: Lexicon, rng: np.random.Generator) -> AntonymTask:
    """Return the pairs of the antonym metrics.

    Args:
        lexicon: its relations have the column split.
        rng: of the sampled pairs.
    """

    def examples(antonyms: SensePairs, others: SensePairs) -> Examples:
        return Examples(antonyms, others, text_features(lexicon, antonyms), text_features(lexicon, others))

    held_out, validation = direct_antonyms(lexicon, "test"), direct_antonyms(lexicon, "validation")
    fitted_mates, tested_mates = split_in_half(cluster_mates(lexicon, rng), rng)
    kinds = near_synonyms(lexicon, "validation"), random_adjectives(lexicon, validation.size, rng), fitted_mates
    weights = np.concatenate([np.full(kind.size, 1 / max(kind.size, 1)) for kind in kinds])
    tested = {
        "near_synonym": examples(held_out, near_synonyms(lexicon, "test")),
        "random": examples(held_out, random_adjectives(lexicon, held_out.size, rng)),
        "indirect": examples(indirect_antonyms(lexicon, "train", rng), tested_mates),
        "indirect_held_out": examples(indirect_antonyms(lexicon, "test", rng), tested_mates),
    }
    fitted = examples(validation, concatenate_pairs(*kinds))
    return AntonymTask(fitted, weights, tested, direct_antonyms(lexicon, "train"), held_out)


def antonym_metrics(vectors: SenseVectors, task: AntonymTask) -> dict[str, float]:
    """Return the AUCs of antonyms against other pairs, and how antonyms oppose.

    Args:
        vectors: to evaluate.
        task: from `build_antonym_task`.

    Returns:
        For each tested set X: antonym_auc_X by `fit_antonym_score`, antonym_vector_auc_X and antonym_text_auc_X by the
        same with features of vectors or of text alone, antonym_cosine_auc_X by the cosine or its negative, whichever is
        larger, antonym_opposition_auc_X by `opposition_score`, antonym_pairs_X and other_pairs_X. For held_out and
        trained antonyms: antonym_opposed_dimensions, antonym_cosine and antonym_polar_energy. polar_dimensions.
    """
    metrics: dict[str, float] = {}
    features = {"antonym_auc": (True, True), "antonym_vector_auc": (True, False), "antonym_text_auc": (False, True)}
    for name, (vector, text) in features.items():
        score = fit_antonym_score(vectors, task, vector=vector, text=text)
        for test, examples in task.tested.items():
            metrics[f"{name}_{test}"] = auc(
                score(examples.antonyms, examples.antonym_text), score(examples.others, examples.other_text)
            )
    for test, examples in task.tested.items():
        by_cosine = auc(_cosine(vectors, examples.antonyms), _cosine(vectors, examples.others))
        metrics[f"antonym_cosine_auc_{test}"] = max(by_cosine, 1 - by_cosine)
        opposed = (opposition_score(vectors, pairs, task.trained) for pairs in (examples.antonyms, examples.others))
        metrics[f"antonym_opposition_auc_{test}"] = auc(*opposed)
        metrics[f"antonym_pairs_{test}"] = float(examples.antonyms.size)
        metrics[f"other_pairs_{test}"] = float(examples.others.size)
    for name, pairs in (("held_out", task.held_out), ("trained", task.trained)):
        metrics |= {f"{key}_{name}": value for key, value in _opposition_metrics(vectors, pairs).items()}
    metrics["polar_dimensions"] = float(vectors.polar.mean())
    return metrics


def fit_antonym_score(
    vectors: SenseVectors, task: AntonymTask, *, vector: bool = True, text: bool = True
) -> Callable[[SensePairs, Float64Array], np.ndarray]:
    """Return a function that scores pairs (n,), given their text features (n, 4); larger for antonyms.

    It is a logistic regression on the features and their products, fitted on validation pairs.

    Args:
        vectors: of the senses.
        task: has the pairs to fit on.
        vector: whether features of vectors are used.
        text: whether features of text are used.
    """

    def features(pairs: SensePairs, by_text: Float64Array) -> Float64Array:
        used = [vector_features(vectors, pairs, task.trained)] if vector else []
        return np.concatenate([*used, *([by_text] if text else [])], axis=1)

    fitted = task.fitted
    if not fitted.antonyms.size or not fitted.others.size:
        return lambda pairs, by_text: -_cosine(vectors, pairs)
    labels = np.repeat([1, 0], [fitted.antonyms.size, fitted.others.size])
    given = features(fitted.antonyms, fitted.antonym_text), features(fitted.others, fitted.other_text)
    regression = LogisticRegression(C=_C, class_weight="balanced", max_iter=2000)
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2), StandardScaler(), regression)
    weights = np.append(np.ones(fitted.antonyms.size), task.weights * fitted.others.size / task.weights.sum())
    model.fit(np.concatenate(given), labels, logisticregression__sample_weight=weights)

    def score(pairs: SensePairs, by_text: Float64Array) -> np.ndarray:
        return model.decision_function(features(pairs, by_text)) if pairs.size else np.zeros(0)

    return score


def opposition_score(vectors: SenseVectors, pairs: SensePairs, trained: SensePairs) -> np.ndarray:
    """Return opposition minus agreement (n,) of pairs, as `vector_features` defines them; no fitting is involved."""
    opposition, agreement = _compare(vectors, pairs, trained)
    score: np.ndarray = opposition - agreement
    return score


def vector_features(vectors: SenseVectors, pairs: SensePairs, trained: SensePairs) -> Float64Array:
    """Return features (n, 7) of pairs.

    They are the cosine and its square, the score of the antonym relation, the product on polar dimensions, opposition,
    agreement and analogy. The opposition of (a, b) is the largest min(cos(a, p), cos(b, q)) over trained antonyms
    (p, q) and (q, p), without the pair itself. The agreement is the largest min(cos(a, p), cos(b, p)) over their ends.
    The analogy is the mean of the three largest |cos(a - b, p - q)|.

    Args:
        vectors: of the senses.
        pairs: sense rows.
        trained: antonyms to compare with.
    """
    first, second = vectors.senses[pairs.first], vectors.senses[pairs.second]
    product = first * second
    cosine = product.sum(1)
    relation = (vectors.queries(first, "antonym") * second).sum(1)
    opposition, agreement = _compare(vectors, pairs, trained)
    polar, analogy = product[:, vectors.polar].sum(1), _analogy(vectors, pairs, trained)
    return np.column_stack([cosine, cosine**2, relation, polar, opposition, agreement, analogy]).astype(np.float64)


def auc(positives: np.ndarray, negatives: np.ndarray) -> float:
    """Return the area under the ROC curve of two samples of scores; NaN if one is empty."""
    if not len(positives) or not len(negatives):
        return float("nan")
    labels = np.repeat([1, 0], [len(positives), len(negatives)])
    return float(roc_auc_score(labels, np.concatenate([positives, negatives])))


def _analogy(vectors: SenseVectors, pairs: SensePairs, trained: SensePairs) -> np.ndarray:
    if trained.size < _CLOSEST:
        return np.zeros(pairs.size)
    own, known = (unit_rows(vectors.senses[x.first] - vectors.senses[x.second]) for x in (pairs, trained))
    itself = (pairs.first[:, None] == trained.first) & (pairs.second[:, None] == trained.second)
    cosine = np.where(itself, 0, np.abs(own @ known.T))
    closest: np.ndarray = np.partition(cosine, -_CLOSEST, axis=1)[:, -_CLOSEST:].mean(axis=1)
    return closest


def _compare(vectors: SenseVectors, pairs: SensePairs, trained: SensePairs) -> tuple[np.ndarray, np.ndarray]:
    if not trained.size:
        return np.zeros(pairs.size), np.zeros(pairs.size)
    ends = np.concatenate([trained.first, trained.second])
    opposite = np.concatenate([trained.second, trained.first])
    poles = vectors.senses[ends].T
    by_first, by_second = vectors.senses[pairs.first] @ poles, vectors.senses[pairs.second] @ poles
    itself = (pairs.first[:, None] == ends) & (pairs.second[:, None] == opposite)
    agreement = np.minimum(by_first, by_second).max(axis=1)
    swapped = np.roll(by_second, trained.size, axis=1)
    return np.where(itself, -1, np.minimum(by_first, swapped)).max(axis=1), agreement


def _opposition_metrics(vectors: SenseVectors, pairs: SensePairs) -> dict[str, float]:
    if not pairs.size:
        return dict.fromkeys(("antonym_opposed_dimensions", "antonym_cosine", "antonym_polar_energy"), float("nan"))
    product = vectors.senses[pairs.first] * vectors.senses[pairs.second]
    opposition = np.minimum(product, 0)
    energy, total = opposition[:, vectors.polar].sum(), opposition.sum()
    return {
        "antonym_opposed_dimensions": float((product < 0).mean()),
        "antonym_cosine": float(product.sum(1).mean()),
        "antonym_polar_energy": float(energy / total) if total < 0 else float("nan"),
    }


def _cosine(vectors: SenseVectors, pairs: SensePairs) -> Float32Array:
    cosine: Float32Array = (vectors.senses[pairs.first] * vectors.senses[pairs.second]).sum(1)
    return cosine
