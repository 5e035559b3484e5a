"""Sense vectors with their words, and the questions that people ask of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float32Array, Int64Array
from terrarium.common.names import NameIndex, UnknownNameError
from terrarium.common.vectors import coordinates, normalize_rows
from terrarium.senses.evaluation.export import NAME_COLUMNS, frequency_order

_SHOWN = ("sense_key", "lemma", "pos", "synset", "gloss")


class SenseEmbedding:
    """Word senses and their vectors; similarity is the cosine.

    Args:
        vectors: N rows with the columns sense_key, lemma, pos, sense_number, synset, x0, x1, ...
        synsets: columns synset and gloss.
    """

    def __init__(self, vectors: pd.DataFrame, synsets: pd.DataFrame) -> None:
        glosses = synsets.drop_duplicates("synset").set_index("synset")["gloss"]
        self.senses = vectors[NAME_COLUMNS].assign(gloss=vectors["synset"].map(glosses))
        self.vectors: Float32Array = np.ascontiguousarray(coordinates(vectors), np.float32)
        self._keys = NameIndex({"key": self.senses["sense_key"], "synset": self.senses["synset"]}, None, "sense")
        self._words = NameIndex({"word": self.senses["lemma"].drop_duplicates()}, None, "word")

    def __len__(self) -> int:
        return len(self.senses)

    def __repr__(self) -> str:
        return f"SenseEmbedding({len(self):,} senses, {self.vectors.shape[1]} dimensions)"

    def senses_of(self, word: str) -> pd.DataFrame:
        """Return the senses of a word: nouns, verbs, adjectives, adverbs, each in WordNet's order of frequency.

        Args:
            word: a word; spaces stand for underscores, case does not matter.

        Returns:
            Columns sense_key, lemma, pos, synset, gloss.

        Raises:
            UnknownNameError: the lexicon lacks the word; near matches are named.
        """
        return self.senses.loc[self.rows_of(word), list(_SHOWN)].reset_index(drop=True)

    def rows_of(self, item: str) -> Int64Array:
        """Return the rows of a word's senses, in order, or of one sense key or synset. Raises UnknownNameError."""
        word = item.strip().replace(" ", "_")
        found = np.flatnonzero((self.senses["lemma"].str.lower() == word.lower()).to_numpy(bool))
        if len(found):
            ordered: Int64Array = found[frequency_order(self.senses.iloc[found])]
            return ordered
        for column in ("sense_key", "synset"):
            if len(found := np.flatnonzero((self.senses[column] == item).to_numpy(bool))):
                return found
        self._words.row(word)
        raise UnknownNameError(f"no word or sense is called {item!r}")

    def nearest(self, item: str | Float32Array, k: int = 10, pos: str | None = None) -> pd.DataFrame:
        """Find the senses with the largest cosine.

        Args:
            item: a sense key or synset; a word, which stands for all its senses, each with neighbours of its own; or
                a vector of shape (d,).
            k: number of neighbours of each sense.
            pos: part of speech that neighbours must have.

        Returns:
            Columns query (sense key of the sense, empty for a vector), sense_key, lemma, pos, synset, gloss, cosine;
            the nearest first. Other words for the same synset count as neighbours.
        """
        if isinstance(item, str):
            own = self.rows_of(item)
            queries, names = self._unit[own], self.senses["sense_key"].iloc[own].tolist()
        else:
            own, names = np.array([-1]), [""]
            queries = normalize_rows(np.asarray(item, np.float32)[None, :])
        allowed = np.ones(len(self), np.bool_) if pos is None else (self.senses["pos"] == pos).to_numpy(bool)
        return pd.concat(
            [
                self._neighbours(query, int(row), name, k, allowed)
                for query, row, name in zip(queries, own, names, strict=True)
            ],
            ignore_index=True,
        )

    def similarity(self, first: str, second: str, how: Literal["best", "mean"] = "best") -> float:
        """Return the cosine of two words.

        Args:
            first, second: words, sense keys or synsets.
            how: best takes the most similar pair of their senses, mean the mean over all pairs.
        """
        cosines = self._unit[self.rows_of(first)] @ self._unit[self.rows_of(second)].T
        return float(cosines.max() if how == "best" else cosines.mean())

    def antonym_axis(self, first: str, second: str, k: int = 10) -> pd.DataFrame:
        """Rank senses along the direction from one word to its opposite.

        The direction joins the most frequent senses of the two words with the same part of speech.

        Args:
            first, second: words, sense keys or synsets, such as "hot" and "cold".
            k: number of senses to show at each end.

        Returns:
            2k senses of that part of speech by falling position: sense_key, lemma, pos, synset, gloss, position (the
            projection of the unit vector; positive near `first`).

        Raises:
            ValueError: the words have no part of speech in common.
        """
        a, b = self._alike(first, second)
        axis = normalize_rows((self._unit[a] - self._unit[b])[None, :])[0]
        rows = np.flatnonzero((self.senses["pos"] == self.senses["pos"].iloc[a]).to_numpy(bool))
        position = self._unit[rows] @ axis
        order = np.argsort(-position, kind="stable")
        ends = order if len(order) <= 2 * k else np.concatenate([order[:k], order[-k:]])
        return self._table(rows[ends]).assign(position=position[ends])

    def top_words(self, dimension: int, k: int = 10) -> pd.DataFrame:
        """Return the senses with the largest and with the smallest coordinate.

        Args:
            dimension: 0 .. d - 1.
            k: number of senses at each end.

        Returns:
            Columns sense_key, lemma, pos, synset, gloss, value, by falling value; senses of value 0 are left out.

        Raises:
            ValueError: no such dimension.
        """
        if not 0 <= dimension < self.vectors.shape[1]:
            raise ValueError(f"dimension {dimension}: the vectors have dimensions 0 to {self.vectors.shape[1] - 1}")
        value = self._unit[:, dimension]
        order = np.argsort(-value, kind="stable")
        ends = order if len(order) <= 2 * k else np.concatenate([order[:k], order[-k:]])
        ends = ends[value[ends] != 0.0]
        return self._table(ends).assign(value=value[ends])

    def disambiguate(self, word: str, context: Sequence[str]) -> pd.DataFrame:
        """Rank the senses of a word by how well they fit words around it.

        Args:
            word: a word.
            context: words around it; those that the lexicon lacks are ignored.

        Returns:
            The senses of the word, the best first: sense_key, lemma, pos, synset, gloss, score (mean over the context
            of the largest cosine with a sense of that word).

        Raises:
            UnknownNameError: the lexicon lacks the word, or all of the context.
        """
        rows = self.rows_of(word)
        around = [self.rows_of(other) for other in context if self._is_known(other)]
        if not around:
            raise UnknownNameError(f"the lexicon has none of the words {', '.join(map(repr, context))}")
        score = np.mean([(self._unit[rows] @ self._unit[other].T).max(axis=1) for other in around], axis=0)
        order = np.argsort(-score, kind="stable")
        return self._table(rows[order]).assign(score=score[order])

    @cached_property
    def _unit(self) -> Float32Array:
        return normalize_rows(self.vectors)

    def _is_known(self, word: str) -> bool:
        try:
            return len(self.rows_of(word)) > 0
        except UnknownNameError:
            return False

    def _alike(self, first: str, second: str) -> tuple[int, int]:
        """Return the rows of two senses with the same part of speech, the most frequent ones."""
        pos = self.senses["pos"].to_numpy()
        rows, others = self.rows_of(first), self.rows_of(second)
        same = np.argwhere(pos[rows][:, None] == pos[others])
        if not len(same):
            raise ValueError(f"{first!r} and {second!r} have no part of speech in common")
        i, j = same[same.sum(axis=1).argmin()]
        return int(rows[i]), int(others[j])

    def _neighbours(self, query: Float32Array, own: int, name: str, k: int, allowed: np.ndarray) -> pd.DataFrame:
        cosine = np.where(allowed, self._unit @ query, -np.inf)
        if own >= 0:
            cosine[own] = -np.inf
        count = min(k, int(np.isfinite(cosine).sum()))
        nearest = np.argpartition(-cosine, count - 1)[:count] if count else np.zeros(0, np.int64)
        nearest = nearest[np.lexsort((nearest, -cosine[nearest]))]
        table = self._table(nearest).assign(cosine=cosine[nearest])
        table.insert(0, "query", name)
        return table

    def _table(self, rows: Int64Array) -> pd.DataFrame:
        return self.senses.iloc[rows][list(_SHOWN)].reset_index(drop=True)
