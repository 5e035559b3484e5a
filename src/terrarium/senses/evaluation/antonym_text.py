"""What lemmas, glosses and derivations say about whether two senses are antonyms, without any vectors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.senses.data.relations import ANTONYM, RELATIONS, Lexicon
from terrarium.senses.evaluation.antonym_pairs import SensePairs
from terrarium.senses.spectral.components import count_words

NEGATIVE_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "a", "anti", "counter", "mis", "de")


def text_features(lexicon: Lexicon, pairs: SensePairs) -> Float64Array:
    """Return features (n, 4) of pairs of senses.

    Args:
        lexicon: synsets with glosses, senses, and relations with the column split.
        pairs: sense rows.

    Returns:
        The Jaccard overlap of the glosses; whether one lemma is the other with a negative prefix, or with
        -less for -ful; whether training pairs make words derived from both antonyms; the same for words of the
        synsets.
    """
    row = lexicon.senses["synset_row"].to_numpy(np.int64)
    lemma = lexicon.senses["lemma"].to_numpy(str)
    first, second = row[pairs.first], row[pairs.second]
    words = zip(lemma[pairs.first], lemma[pairs.second], strict=True)
    negated = [_is_negated(a, b) or _is_negated(b, a) for a, b in words]
    derived = _derived_antonymy(lexicon, pairs, first, second)
    features: Float64Array = np.column_stack([_gloss_overlap(lexicon, first, second), negated, *derived])
    return features.astype(np.float64)


def _is_negated(word: str, negative: str) -> bool:
    return any(negative == prefix + word for prefix in NEGATIVE_PREFIXES) or (
        word.endswith("ful") and negative == word.removesuffix("ful") + "less"
    )


def _gloss_overlap(lexicon: Lexicon, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    words = count_words(lexicon.synsets["gloss"])
    a, b = words[first], words[second]
    both = np.asarray(a.multiply(b).sum(axis=1)).ravel()
    total = np.asarray(a.sum(axis=1)).ravel() + np.asarray(b.sum(axis=1)).ravel() - both
    overlap: np.ndarray = both / np.maximum(total, 1)
    return overlap


def _derived_antonymy(lexicon: Lexicon, pairs: SensePairs, first: np.ndarray, second: np.ndarray) -> list[np.ndarray]:
    """Return whether derived senses of the pairs are trained antonyms, and whether derived synsets are."""
    trained = lexicon.relations[lexicon.relations["split"] == "train"]
    derivation = trained[trained["relation"].isin([RELATIONS.index(name) for name in ("derivation", "pertainym")])]
    antonym = trained[trained["relation"] == ANTONYM]
    sense_level = _reached(derivation, antonym, ("head_sense", "tail_sense"), pairs.first, pairs.second)
    return [sense_level, _reached(derivation, antonym, ("head", "tail"), first, second)]


def _reached(
    derivation: pd.DataFrame, antonym: pd.DataFrame, columns: tuple[str, str], first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Return whether an antonym pair joins a row derived from the first and one derived from the second (n,)."""
    derived: dict[int, set[int]] = {}
    for a, b in derivation[list(columns)].itertuples(index=False):
        if a >= 0 and b >= 0:
            derived.setdefault(a, set()).add(b)
            derived.setdefault(b, set()).add(a)
    opposed = {frozenset(ends) for ends in antonym[list(columns)].itertuples(index=False, name=None)}
    return np.array(
        [
            any(frozenset((x, y)) in opposed for x in derived.get(a, ()) for y in derived.get(b, ()))
            for a, b in zip(first.tolist(), second.tolist(), strict=True)
        ],
        bool,
    )
