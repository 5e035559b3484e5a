"""Similarity of words as people give it: the best pair of senses, by cosine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

from terrarium.senses.data.splitting import PARTS, undirected
from terrarium.senses.models.vectors import Floats

SIMLEX_PARTS = {"a": slice(0, 111), "n": slice(111, 777), "v": slice(777, 999)}
"""SimLex-999 stands in the order adjectives, nouns, verbs."""


@dataclass(frozen=True, eq=False)
class WordPair:
    """Rows of the senses of two words, people's score, and whether any two of the senses are joined in training."""

    dataset: str
    letter: str
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    score: float
    linked: bool


def find_senses(word_pairs: pd.DataFrame, senses: pd.DataFrame, pairs: pd.DataFrame, synsets: int) -> list[WordPair]:
    """The senses of each word of the pairs, once for all vectors that are measured.

    Args:
        word_pairs: dataset, word1, word2, score.
        senses: lemma, pos, synset_row.
        pairs: relation, head, tail, part.
        synsets: number of synset rows.
    """
    trained = pairs[pairs["part"] == PARTS.index("train")]
    linked = np.unique(undirected(trained["head"].to_numpy(), trained["tail"].to_numpy(), synsets))
    places, letters, rows = lemma_places(senses), senses["pos"].to_numpy(str), senses["synset_row"].to_numpy()
    found = []
    for name, table in word_pairs.groupby("dataset", sort=False):
        parts = _parts_of_speech(str(name), len(table))
        for a, b, score, part in zip(table["word1"], table["word2"], table["score"], parts, strict=True):
            first, second = (_of_part(word_places(places, word), letters, part) for word in (a, b))
            joined = _are_joined(rows[first], rows[second], linked, synsets)
            found.append(WordPair(str(name), part, first, second, float(score), joined))
    return found


def similarity_metrics(words: list[WordPair], rows: Floats) -> dict[str, float]:
    """Spearman's correlation of each dataset: all, coverage, and pairs with no direct training link.

    Args:
        words: from `find_senses`.
        rows: (N, D) vectors of the senses, at length 1.
    """
    numbers: dict[str, float] = {}
    for name in dict.fromkeys(pair.dataset for pair in words):
        mine = [pair for pair in words if pair.dataset == name]
        score = np.array([_largest_cosine(rows, pair) for pair in mine])
        people, direct = np.array([pair.score for pair in mine]), np.array([pair.linked for pair in mine])
        letters, covered = np.array([pair.letter for pair in mine]), ~np.isnan(score)
        numbers[f"{name}_coverage"] = float(covered.mean())
        numbers[f"{name}_spearman"] = _spearman(score, people, covered)
        numbers[f"{name}_unlinked_spearman"] = _spearman(score, people, covered & ~direct)
        numbers[f"{name}_unlinked_pairs"] = float((covered & ~direct).sum())
        for letter in sorted(set(letters) - {""}):
            numbers[f"{name}_{letter}_spearman"] = _spearman(score, people, covered & (letters == letter))
    return numbers


def lemma_places(senses: pd.DataFrame) -> dict[str, np.ndarray]:
    """Rows of senses by lemma, in lower case."""
    lemmas = senses["lemma"].to_numpy(str)
    order = np.argsort(lemmas, kind="stable")
    names, starts = np.unique(lemmas[order], return_index=True)
    return dict(zip(names.tolist(), np.split(order, starts[1:]), strict=True))


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


def _largest_cosine(rows: Floats, pair: WordPair) -> float:
    if not len(pair.first) or not len(pair.second):
        return float("nan")
    return float((rows[pair.first] @ rows[pair.second].T).max())


def _are_joined(heads: NDArray[np.int64], tails: NDArray[np.int64], linked: NDArray[np.int64], synsets: int) -> bool:
    """Whether two words share a synset or are linked by any two of theirs."""
    left, right = np.meshgrid(heads, tails)
    key = undirected(left.ravel(), right.ravel(), synsets)
    place = np.minimum(np.searchsorted(linked, key), max(len(linked) - 1, 0))
    return bool(np.isin(heads, tails).any() or (len(linked) > 0 and (linked[place] == key).any()))


def _of_part(found: NDArray[np.int64], letters: NDArray[np.str_], letter: str) -> NDArray[np.int64]:
    """The senses of a part of speech, all where there is none of it."""
    own = found[letters[found] == letter]
    return own if len(own) else found


def _spearman(score: np.ndarray, people: np.ndarray, chosen: np.ndarray) -> float:
    return float(spearmanr(score[chosen], people[chosen])[0]) if chosen.sum() > 2 else float("nan")
