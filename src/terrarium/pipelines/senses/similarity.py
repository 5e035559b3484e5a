"""Similarity of words as people give it: the best pair of senses, by cosine."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from terrarium.pipelines.senses.splitting import PARTS, undirected
from terrarium.pipelines.senses.vectors import Floats

SIMLEX_PARTS = {"a": slice(0, 111), "n": slice(111, 777), "v": slice(777, 999)}
"""SimLex-999 stands in the order adjectives, nouns, verbs."""


def similarity_metrics(
    word_pairs: pd.DataFrame, senses: pd.DataFrame, rows: Floats, pairs: pd.DataFrame, synsets: int
) -> dict[str, float]:
    """Spearman's correlation of each dataset: all, coverage, and pairs with no direct training link.

    Args:
        word_pairs: dataset, word1, word2, score.
        senses: lemma, pos, synset_row.
        rows: (N, D) vectors of the senses, at length 1.
        pairs: relation, head, tail, part.
        synsets: number of synset rows.
    """
    numbers: dict[str, float] = {}
    trained = pairs[pairs["part"] == PARTS.index("train")]
    linked = np.unique(undirected(trained["head"].to_numpy(), trained["tail"].to_numpy(), synsets))
    places = lemma_places(senses)
    for name, table in word_pairs.groupby("dataset", sort=False):
        letters = _parts_of_speech(str(name), len(table))
        found = [
            _best(rows, senses, places, a, b, letter, linked, synsets)
            for a, b, letter in zip(table["word1"], table["word2"], letters, strict=True)
        ]
        score, direct = np.array([f[0] for f in found]), np.array([f[1] for f in found])
        covered, people = ~np.isnan(score), table["score"].to_numpy()
        numbers[f"{name}_coverage"] = float(covered.mean())
        numbers[f"{name}_spearman"] = _spearman(score, people, covered)
        numbers[f"{name}_unlinked_spearman"] = _spearman(score, people, covered & ~direct)
        numbers[f"{name}_unlinked_pairs"] = float((covered & ~direct).sum())
        for letter in sorted(set(letters) - {""}):
            numbers[f"{name}_{letter}_spearman"] = _spearman(score, people, covered & (np.array(letters) == letter))
    return numbers


def lemma_places(senses: pd.DataFrame) -> dict[str, np.ndarray]:
    """Rows of senses by lemma, in lower case."""
    return {str(lemma): np.asarray(places) for lemma, places in senses.groupby("lemma").indices.items()}


def word_places(places: dict[str, np.ndarray], word: str) -> np.ndarray:
    """Rows of a word's senses; spaces are underscores in WordNet."""
    lowered = word.lower()
    found = places.get(lowered)
    return found if found is not None else places.get(lowered.replace(" ", "_"), np.zeros(0, np.int64))


def _parts_of_speech(dataset: str, count: int) -> list[str]:
    letters = [""] * count
    if dataset == "simlex999" and count == 999:
        for letter, place in SIMLEX_PARTS.items():
            letters[place] = [letter] * (place.stop - place.start)
    return letters


def _best(
    rows: Floats,
    senses: pd.DataFrame,
    places: dict[str, np.ndarray],
    a: str,
    b: str,
    letter: str,
    linked: np.ndarray,
    synsets: int,
) -> tuple[float, bool]:
    """Largest cosine of the words' senses, and whether any two of them are linked or one synset."""
    first, second = (_of_part(word_places(places, word), senses, letter) for word in (a, b))
    if not len(first) or not len(second):
        return float("nan"), False
    heads, tails = (senses["synset_row"].to_numpy()[found] for found in (first, second))
    left, right = np.meshgrid(heads, tails)
    key = undirected(left.ravel(), right.ravel(), synsets)
    place = np.minimum(np.searchsorted(linked, key), max(len(linked) - 1, 0))
    direct = bool(np.isin(heads, tails).any() or (len(linked) and (linked[place] == key).any()))
    return float((rows[first] @ rows[second].T).max()), direct


def _of_part(found: np.ndarray, senses: pd.DataFrame, letter: str) -> np.ndarray:
    """The senses of a part of speech, all where there is none of it."""
    if not letter:
        return found
    own = found[senses["pos"].to_numpy()[found] == letter]
    return own if len(own) else found


def _spearman(score: np.ndarray, people: np.ndarray, chosen: np.ndarray) -> float:
    return float(spearmanr(score[chosen], people[chosen])[0]) if chosen.sum() > 2 else float("nan")
