"""Pairs of senses on which antonym scores are fitted and tested. Both synsets of each pair have a training link."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from terrarium.common.arrays import BoolArray, Int64Array
from terrarium.senses.data.relations import Lexicon
from terrarium.senses.data.splitting import select_pairs


class SensePairs(NamedTuple):
    """Sense rows (n,) of the first and the second end of pairs."""

    first: Int64Array
    second: Int64Array

    @property
    def size(self) -> int:
        """Number of pairs."""
        return len(self.first)


def concatenate_pairs(*parts: SensePairs) -> SensePairs:
    """Return the pairs of all parts."""
    return SensePairs(*(np.concatenate(ends) for ends in zip(*parts, strict=True)))


def direct_antonyms(lexicon: Lexicon, split: str) -> SensePairs:
    """Return the antonyms of a split that have a training link at both ends."""
    return _related(lexicon, "antonym", split)


def near_synonyms(lexicon: Lexicon, split: str) -> SensePairs:
    """Return the pairs of `similar_to` in a split that have a training link at both ends."""
    return _related(lexicon, "similar_to", split)


def random_adjectives(lexicon: Lexicon, count: int, rng: np.random.Generator) -> SensePairs:
    """Draw pairs of adjectives that have a training link at both ends, no two of one synset."""
    row = lexicon.senses["synset_row"].to_numpy(np.int64)
    rows = np.flatnonzero((lexicon.senses["pos"] == "a").to_numpy() & _linked(lexicon)[row])
    first, second = rng.choice(rows, (2, count)) if len(rows) else np.zeros((2, 0), np.int64)
    differ = row[first] != row[second]
    return SensePairs(first[differ], second[differ])


def indirect_antonyms(lexicon: Lexicon, split: str, rng: np.random.Generator) -> SensePairs:
    """Draw one pair of satellites of each pair of antonymous head adjectives in a split.

    Satellites are the adjectives that a training pair of `similar_to` joins to a head.
    """
    heads, satellites, sense = direct_antonyms(lexicon, split), _satellites(lexicon), _first_senses(lexicon)
    row = lexicon.senses["synset_row"].to_numpy(np.int64)
    drawn = [
        (rng.choice(satellites[a]), rng.choice(satellites[b]))
        for a, b in zip(row[heads.first], row[heads.second], strict=True)
        if a in satellites and b in satellites
    ]
    ends = np.array(drawn, np.int64).reshape(-1, 2)
    return SensePairs(sense[ends[:, 0]], sense[ends[:, 1]])


def cluster_mates(lexicon: Lexicon, rng: np.random.Generator) -> SensePairs:
    """Draw two satellites of each head adjective that has several."""
    sense = _first_senses(lexicon)
    drawn = [rng.choice(rows, 2, replace=False) for rows in _satellites(lexicon).values() if len(rows) > 1]
    ends = np.array(drawn, np.int64).reshape(-1, 2)
    return SensePairs(sense[ends[:, 0]], sense[ends[:, 1]])


def split_in_half(pairs: SensePairs, rng: np.random.Generator) -> Iterator[SensePairs]:
    """Yield two random halves of pairs."""
    for positions in np.array_split(rng.permutation(pairs.size), 2):
        yield SensePairs(pairs.first[positions], pairs.second[positions])


def _related(lexicon: Lexicon, relation: str, split: str) -> SensePairs:
    chosen, sense = select_pairs(lexicon.relations, relation, split), _first_senses(lexicon)
    linked = _linked(lexicon)
    chosen = chosen[linked[chosen["head"].to_numpy()] & linked[chosen["tail"].to_numpy()]]
    return SensePairs(*(_ends(chosen, sense, end) for end in ("head", "tail")))


def _ends(pairs: pd.DataFrame, sense: Int64Array, end: str) -> Int64Array:
    """Return the senses that pairs name, or the first senses of their synsets."""
    named = pairs[f"{end}_sense"].to_numpy(np.int64)
    return np.where(named >= 0, named, sense[pairs[end].to_numpy()])


def _first_senses(lexicon: Lexicon) -> Int64Array:
    """Return the first sense row (S,) of each synset, -1 without one."""
    row = lexicon.senses["synset_row"].to_numpy(np.int64)
    first = np.full(len(lexicon.synsets), -1, np.int64)
    first[row[::-1]] = np.arange(len(row))[::-1]
    return first


def _linked(lexicon: Lexicon) -> BoolArray:
    """Return which synsets (S,) have a training link."""
    trained = lexicon.relations[lexicon.relations["split"] == "train"]
    linked = np.zeros(len(lexicon.synsets), bool)
    linked[trained[["head", "tail"]].to_numpy().ravel()] = True
    return linked


def _satellites(lexicon: Lexicon) -> dict[int, Int64Array]:
    """Return the synset rows of the satellites of each head adjective by the training pairs."""
    pairs = select_pairs(lexicon.relations, "similar_to", "train")
    ends = pairs[["head", "tail"]].to_numpy(np.int64)
    both = np.concatenate([ends, ends[:, ::-1]])
    is_head = (lexicon.synsets["type"] == "a").to_numpy()
    both = both[is_head[both[:, 0]] & ~is_head[both[:, 1]]]
    return {int(head): tails.to_numpy() for head, tails in pd.Series(both[:, 1]).groupby(both[:, 0])}
