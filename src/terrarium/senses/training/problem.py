"""What is trained on, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.senses.data.relations import ANTONYM, RELATIONS, SYMMETRIC
from terrarium.senses.data.splitting import PARTS
from terrarium.senses.data.taxonomy import Taxonomy
from terrarium.senses.options import AxisOptions
from terrarium.sources.errors import SourceError

_IS_SYMMETRIC = np.array([name in SYMMETRIC for name in RELATIONS])


@dataclass(frozen=True, eq=False)
class Links:
    """Pairs in both directions: rows of synsets, rows of offsets (the row for none where there is none), relations.

    Attributes:
        head, tail, head_offset, tail_offset: (L,) rows.
        relation: (L,) number; plus len(RELATIONS) for the inverse of one that is not symmetric.
    """

    head: NDArray[np.int64]
    tail: NDArray[np.int64]
    head_offset: NDArray[np.int64]
    tail_offset: NDArray[np.int64]
    relation: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.head)

    def take(self, places: NDArray[np.int64]) -> Links:
        """The links at some places."""
        return Links(*(getattr(self, name)[places] for name in self.__dataclass_fields__))


@dataclass(frozen=True, eq=False)
class Axes:
    """Named axes of the supervised mode, each on a polar dimension of its own.

    Attributes:
        first, second, pair_axis: (A,) rows of synsets of opposed pairs, and the number of their axis.
        word, sign, word_axis: (W,) rows of synsets, the sign they should have (0: none), and their axis.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    pair_axis: NDArray[np.int64]
    word: NDArray[np.int64]
    sign: NDArray[np.int64]
    word_axis: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Problem:
    """The data of a training.

    Attributes:
        synsets, offsets: rows of either kind.
        train, validation: links.
        taxonomy: of the training pairs.
        axes: None without supervision.
        fingerprint: of the lexicon and the split.
    """

    synsets: int
    offsets: int
    train: Links
    validation: Links
    taxonomy: Taxonomy
    axes: Axes | None
    fingerprint: str


def links_of(pairs: pd.DataFrame, part: str, senses: pd.DataFrame, no_offset: int) -> Links:
    """The pairs of a part, forwards and backwards.

    Args:
        pairs: relation, head, tail, head_sense, tail_sense, part.
        part: train, validation or test.
        senses: with offset_row.
        no_offset: the row that stands for no offset.
    """
    chosen = pairs[pairs["part"] == PARTS.index(part)]
    offset = np.append(senses["offset_row"].to_numpy(np.int64), -1)
    offset[offset < 0] = no_offset
    head, tail = chosen["head"].to_numpy(np.int64), chosen["tail"].to_numpy(np.int64)
    above, below = offset[chosen["head_sense"].to_numpy()], offset[chosen["tail_sense"].to_numpy()]
    relation = chosen["relation"].to_numpy(np.int64)
    inverse = np.where(_IS_SYMMETRIC[relation], relation, relation + len(RELATIONS))
    return Links(
        np.concatenate([head, tail]),
        np.concatenate([tail, head]),
        np.concatenate([above, below]),
        np.concatenate([below, above]),
        np.concatenate([relation, inverse]),
    )


def antonyms_of(links: Links) -> Links:
    """The antonym links, each once."""
    places = np.flatnonzero(links.relation == ANTONYM)
    return links.take(places[: len(places) // 2] if len(places) > 1 else places)


def axes_of(options: Mapping[str, AxisOptions | None], senses: pd.DataFrame) -> Axes:
    """Rows of the words of the named axes, each by its first adjective sense, else its first sense.

    Raises:
        SourceError: a word that the lexicon does not have.
    """
    first = _first_senses(senses)
    axes = [axis for axis in options.values() if axis is not None]
    wanted = {word for axis in axes for word in (*axis.positive, *axis.negative, *axis.neutral)}
    strangers = sorted(wanted - first.keys())
    if strangers:
        raise SourceError(f"senses.features.axes has words that this WordNet lacks: {', '.join(strangers)}")
    pairs, words = [], []
    for number, axis in enumerate(axes):
        pairs += [(first[a], first[b], number) for a, b in zip(axis.positive, axis.negative, strict=True)]
        for sign, named in ((1, axis.positive), (-1, axis.negative), (0, axis.neutral)):
            words += [(first[word], sign, number) for word in named]
    return Axes(*np.array(pairs, np.int64).T, *np.array(words, np.int64).T)


def _first_senses(senses: pd.DataFrame) -> dict[str, int]:
    """The synset row of each lemma's first adjective sense, else of its first sense."""
    numbered = senses.assign(number=senses["synset"].str.rpartition(".")[2].astype(int), other=senses["pos"] != "a")
    ordered = numbered.sort_values(["other", "number"], kind="stable").drop_duplicates("lemma")
    return dict(zip(ordered["lemma"], ordered["synset_row"].astype(int), strict=True))
