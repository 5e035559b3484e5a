"""Word similarity benchmarks: the largest cosine between senses of two words against human scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.common.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from terrarium.common.splits import undirected_keys
from terrarium.common.statistics import spearman
from terrarium.senses.data.relations import Lexicon


@dataclass(frozen=True, eq=False)
class WordPair:
    """Two words of a benchmark.

    Attributes:
        dataset: name of the benchmark.
        pos: part of speech of both words by the file; empty if it has none.
        first, second: sense rows of the words; empty for a word that the lexicon lacks.
        score: human similarity score.
        linked: whether the words share a synset or a training pair joins two of their synsets.
    """

    dataset: str
    pos: str
    first: Int64Array
    second: Int64Array
    score: float
    linked: bool


def find_senses(word_pairs: pd.DataFrame, lexicon: Lexicon) -> list[WordPair]:
    """Look up the senses of each word pair.

    Args:
        word_pairs: columns dataset, word1, word2, score and pos.
        lexicon: its relations have the column split.
    """
    senses, pairs, synsets = lexicon.senses, lexicon.relations, len(lexicon.synsets)
    trained = pairs[pairs["split"] == "train"]
    linked = np.unique(undirected_keys(trained["head"].to_numpy(), trained["tail"].to_numpy(), synsets))
    rows_of, letters, synset_row = group_by_lemma(senses), senses["pos"].to_numpy(str), senses["synset_row"].to_numpy()
    found = []
    for name, a, b, score, pos in word_pairs[["dataset", "word1", "word2", "score", "pos"]].itertuples(index=False):
        first, second = (_of_part(look_up_word(rows_of, word), letters, pos) for word in (a, b))
        joined = _are_joined(synset_row[first], synset_row[second], linked, synsets)
        found.append(WordPair(name, pos, first, second, float(score), joined))
    return found


def similarity_metrics(words: Sequence[WordPair], rows: Float32Array) -> dict[str, float]:
    """Return the rank correlations of each benchmark.

    Args:
        words: from `find_senses`.
        rows: (N, D) unit vectors of the senses.

    Returns:
        Per dataset: coverage (fraction of pairs with both words in the lexicon), spearman, unlinked_spearman and
        unlinked_pairs (pairs that no training pair joins), and spearman per part of speech. NaN below three pairs.
    """
    metrics: dict[str, float] = {}
    for name in dict.fromkeys(pair.dataset for pair in words):
        own = [pair for pair in words if pair.dataset == name]
        cosine, human = np.array([_largest_cosine(rows, pair) for pair in own]), np.array([pair.score for pair in own])
        linked, letters = np.array([pair.linked for pair in own]), np.array([pair.pos for pair in own])
        covered = ~np.isnan(cosine)
        metrics[f"{name}_coverage"] = float(covered.mean())
        metrics[f"{name}_spearman"] = _spearman(cosine, human, covered)
        metrics[f"{name}_unlinked_spearman"] = _spearman(cosine, human, covered & ~linked)
        metrics[f"{name}_unlinked_pairs"] = float((covered & ~linked).sum())
        for letter in sorted(set(letters) - {""}):
            metrics[f"{name}_{letter}_spearman"] = _spearman(cosine, human, covered & (letters == letter))
    return metrics


def group_by_lemma(senses: pd.DataFrame) -> dict[str, Int64Array]:
    """Return the sense rows of each lemma (column lemma, lower case)."""
    lemmas = senses["lemma"].to_numpy(str)
    order = np.argsort(lemmas, kind="stable")
    names, starts = np.unique(lemmas[order], return_index=True)
    return dict(zip(names.tolist(), np.split(order, starts[1:]), strict=True))


def look_up_word(rows_of: dict[str, Int64Array], word: str) -> Int64Array:
    """Return the sense rows of a word in any case, with spaces or underscores; empty if the lexicon lacks it."""
    lowered = word.lower()
    rows = rows_of.get(lowered)
    return rows if rows is not None else rows_of.get(lowered.replace(" ", "_"), np.zeros(0, np.int64))


def _largest_cosine(rows: Float32Array, pair: WordPair) -> float:
    if not len(pair.first) or not len(pair.second):
        return float("nan")
    return float((rows[pair.first] @ rows[pair.second].T).max())


def _are_joined(heads: Int64Array, tails: Int64Array, linked: Int64Array, synsets: int) -> bool:
    left, right = np.meshgrid(heads, tails)
    key = undirected_keys(left.ravel(), right.ravel(), synsets)
    position = np.minimum(np.searchsorted(linked, key), max(len(linked) - 1, 0))
    return bool(np.isin(heads, tails).any() or (len(linked) > 0 and (linked[position] == key).any()))


def _of_part(rows: Int64Array, letters: NDArray[np.str_], pos: str) -> Int64Array:
    """Return the senses of a part of speech, or all if there are none."""
    own = rows[letters[rows] == pos]
    return own if len(own) else rows


def _spearman(cosine: Float64Array, human: Float64Array, chosen: BoolArray) -> float:
    return spearman(cosine[chosen], human[chosen]) if chosen.sum() > 2 else float("nan")
