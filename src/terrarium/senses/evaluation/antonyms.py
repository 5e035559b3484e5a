"""Antonyms: told from synonyms and from any two words, and where they oppose."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from terrarium.senses.data.splitting import relation_rows
from terrarium.senses.models.vectors import Floats, Vectors, ask


def antonym_metrics(
    vectors: Vectors, senses: pd.DataFrame, pairs: pd.DataFrame, rng: np.random.Generator
) -> dict[str, float]:
    """How held-out antonyms are told from co-lemmas, from held-out near synonyms (similar to) and from any adjectives.

    By the readout of `opposition_readout`, by the score of the antonym relation, and by distance alone.
    """
    held = _ends(vectors, pairs, "antonym", "test")
    others = {
        "synonym": _synonyms(vectors, senses, len(held[0]), rng),
        "near_synonym": _ends(vectors, pairs, "similar_to", "test"),
        "random": _random(vectors, senses, len(held[0]), rng),
    }
    others["all_synonyms"] = _joined(others["synonym"], others["near_synonym"])
    readout = opposition_readout(vectors, senses, pairs, rng)
    numbers: dict[str, float] = {"antonym_test_pairs": float(len(held[0]))}
    for name, ends in others.items():
        numbers[f"antonym_auc_{name}"] = auc(readout(*held), readout(*ends))
        numbers[f"antonym_relation_auc_{name}"] = auc(_opposed(vectors, *held), _opposed(vectors, *ends))
        numbers[f"antonym_distance_auc_{name}"] = auc(-_cosine(*held), -_cosine(*ends))
    trained = _ends(vectors, pairs, "antonym", "train")
    for name, (a, b) in (("held_out", held), ("trained", trained)):
        numbers[f"antonym_opposed_dimensions_{name}"] = float((a * b < 0).mean()) if len(a) else float("nan")
        numbers[f"antonym_cosine_{name}"] = float(_cosine(a, b).mean()) if len(a) else float("nan")
        product = np.minimum(a * b, 0)
        energy, total = product[:, vectors.polar].sum(), product.sum()
        numbers[f"antonym_polar_energy_{name}"] = float(energy / total) if total < 0 else float("nan")
    numbers["polar_dimensions"] = float(vectors.polar.mean())
    return numbers


def opposition_readout(
    vectors: Vectors, senses: pd.DataFrame, pairs: pd.DataFrame, rng: np.random.Generator
) -> Callable[[Floats, Floats], np.ndarray]:
    """A logistic regression that tells antonyms from synonyms, fitted on the validation pairs alone.

    It sees four numbers of a pair: agreement on the polar dimensions and on the others, the square of the latter, and
    the opposition on polar dimensions.
    """
    opposed = _ends(vectors, pairs, "antonym", "validation")
    alike = _joined(
        _synonyms(vectors, senses, max(len(opposed[0]), 1), rng), _ends(vectors, pairs, "similar_to", "validation")
    )
    if not len(opposed[0]) or not len(alike[0]):
        return lambda a, b: _opposed(vectors, a, b)
    seen = np.concatenate([_pair_numbers(vectors, *opposed), _pair_numbers(vectors, *alike)])
    truth = np.repeat([1, 0], [len(opposed[0]), len(alike[0])])
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced")).fit(seen, truth)
    return lambda a, b: model.decision_function(_pair_numbers(vectors, a, b)) if len(a) else np.zeros(0)


def _pair_numbers(vectors: Vectors, a: Floats, b: Floats) -> np.ndarray:
    product = a * b
    polar, rest = product[:, vectors.polar], product[:, ~vectors.polar].sum(1)
    return np.column_stack([polar.sum(1), rest, rest**2, np.minimum(polar, 0).sum(1)])


def _joined(first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return np.concatenate([first[0], second[0]]), np.concatenate([first[1], second[1]])


def auc(higher: np.ndarray, lower: np.ndarray) -> float:
    """Probability that one of `higher` is above one of `lower`; ties count half (Mann and Whitney 1947)."""
    if not len(higher) or not len(lower):
        return float("nan")
    ranks = rankdata(np.concatenate([higher, lower]))[: len(higher)]
    return float((ranks.sum() - len(higher) * (len(higher) + 1) / 2) / (len(higher) * len(lower)))


def _opposed(vectors: Vectors, a: Floats, b: Floats) -> np.ndarray:
    """Score of the antonym relation; without one, minus the cosine."""
    if vectors.scale is None:
        return -_cosine(a, b)
    score: np.ndarray = (ask(vectors, a, "antonym") * b).sum(1)
    return score


def _cosine(a: Floats, b: Floats) -> np.ndarray:
    cosine: np.ndarray = (a * b).sum(1)
    return cosine


def _ends(vectors: Vectors, pairs: pd.DataFrame, relation: str, part: str) -> tuple[Floats, Floats]:
    chosen = relation_rows(pairs, relation, part)
    return _rows(vectors, chosen, "head"), _rows(vectors, chosen, "tail")


def _rows(vectors: Vectors, pairs: pd.DataFrame, end: str) -> Floats:
    """Vectors of senses where a pair names them, of synsets elsewhere."""
    sense = pairs[f"{end}_sense"].to_numpy()
    whole = vectors.synsets[pairs[end].to_numpy()]
    whole[sense >= 0] = vectors.senses[sense[sense >= 0]]
    return whole


def _synonyms(vectors: Vectors, senses: pd.DataFrame, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Neighbouring lemmas of one synset."""
    row = senses["synset_row"].to_numpy()
    places = np.flatnonzero(row[:-1] == row[1:])
    chosen = rng.choice(places, min(count, len(places)), replace=False) if len(places) else places
    return vectors.senses[chosen], vectors.senses[chosen + 1]


def _random(vectors: Vectors, senses: pd.DataFrame, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    places = np.flatnonzero(senses["pos"].to_numpy() == "a")
    drawn = rng.choice(places, (2, count)) if len(places) else np.zeros((2, 0), int)
    return vectors.senses[drawn[0]], vectors.senses[drawn[1]]
