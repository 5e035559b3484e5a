"""The training data as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float32Array, Int64Array
from terrarium.common.vectors import coordinates
from terrarium.senses.data.relations import ANTONYM, RELATIONS, SYMMETRIC
from terrarium.senses.data.taxonomy import Taxonomy, build_taxonomy
from terrarium.senses.options import AxisOptions, NamedAxesOptions
from terrarium.sources.errors import SourceError

_IS_SYMMETRIC = np.array([name in SYMMETRIC for name in RELATIONS])


@dataclass(frozen=True, eq=False)
class Links:
    """Pairs in both directions.

    Attributes:
        head, tail: (L,) synset rows.
        head_offset, tail_offset: (L,) rows of the offsets of the senses; the table's last row for none.
        relation: (L,) number in RELATIONS; plus len(RELATIONS) for the inverse of a directed relation.
    """

    head: Int64Array
    tail: Int64Array
    head_offset: Int64Array
    tail_offset: Int64Array
    relation: Int64Array

    def __len__(self) -> int:
        return len(self.head)

    def take(self, positions: Int64Array) -> Links:
        """Return the links at some positions."""
        return Links(*(getattr(self, name)[positions] for name in self.__dataclass_fields__))


@dataclass(frozen=True, eq=False)
class Axes:
    """Words of the named axes; axis i is trained on the i-th polar dimension.

    Attributes:
        first, second: (A,) synset rows of opposed pairs.
        pair_axis: (A,) axis of each pair.
        word: (W,) synset rows of single words.
        sign: (W,) sign that a word should have on its axis, 0 for neutral words.
        word_axis: (W,) axis of each word.
    """

    first: Int64Array
    second: Int64Array
    pair_axis: Int64Array
    word: Int64Array
    sign: Int64Array
    word_axis: Int64Array


@dataclass(frozen=True, eq=False)
class Problem:
    """The data of a training.

    Attributes:
        synsets: number of synsets.
        offsets: number of senses with an offset.
        links: split (train, validation) -> links.
        antonyms: split -> antonym links, each in one direction.
        taxonomy: of the training pairs.
        axes: words of the named axes; None without supervision.
        spectral: (S, K) spectral components; K is 0 if training starts from other vectors.
        fingerprint: of the lexicon and the split.
    """

    synsets: int
    offsets: int
    links: dict[str, Links]
    antonyms: dict[str, Links]
    taxonomy: Taxonomy
    axes: Axes | None
    spectral: Float32Array
    fingerprint: str


def build_problem(
    synsets: pd.DataFrame,
    senses: pd.DataFrame,
    pairs: pd.DataFrame,
    ancestors: pd.DataFrame,
    information_content: pd.DataFrame,
    spectral: pd.DataFrame,
    named_axes: NamedAxesOptions,
) -> Problem:
    """Return the training data.

    Args:
        synsets: columns synset and pos.
        senses: columns lemma, pos, sense_number, synset_row and offset_row.
        pairs: columns relation, head, tail, head_sense, tail_sense and split.
        ancestors: columns ancestor and descendant, of the training pairs.
        information_content: column information_content, one row per synset.
        spectral: columns x0, x1, ... of the spectral components, one row per synset.
        named_axes: words of the named axes.

    Raises:
        SourceError: the lexicon lacks a word of a named axis.
    """
    content = information_content["information_content"].to_numpy(np.float32)
    offsets = int((senses["offset_row"] >= 0).sum())
    zero_row = len(synsets) + offsets
    links = {split: build_links(pairs[pairs["split"] == split], senses, zero_row) for split in ("train", "validation")}
    return Problem(
        synsets=len(synsets),
        offsets=offsets,
        links=links,
        antonyms={split: select_antonyms(chosen) for split, chosen in links.items()},
        taxonomy=build_taxonomy(ancestors, content, synsets["pos"]),
        axes=build_axes(named_axes.axes, senses) if named_axes.enabled else None,
        spectral=coordinates(spectral).astype(np.float32, copy=False),
        fingerprint=lexicon_fingerprint(synsets, pairs),
    )


def lexicon_fingerprint(synsets: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Return a sha256 of synsets and pairs; weights belong to one of them.

    Args:
        synsets: column synset (name).
        pairs: columns relation, head, tail and split.
    """
    digest = sha256("\n".join([*synsets["synset"], *pairs["split"]]).encode())
    digest.update(pairs[["relation", "head", "tail"]].to_numpy(np.int64).tobytes())
    return digest.hexdigest()


def training_data_fingerprint(problem: Problem) -> str:
    """Return a sha256 of everything that training reads: lexicon, split and spectral components."""
    return sha256(problem.fingerprint.encode() + problem.spectral.tobytes()).hexdigest()


def build_links(pairs: pd.DataFrame, senses: pd.DataFrame, zero_row: int) -> Links:
    """Return pairs as links, first in their own direction and then reversed.

    Args:
        pairs: columns relation, head, tail, head_sense and tail_sense.
        senses: column offset_row.
        zero_row: row of the table that means no offset.
    """
    offset = np.append(senses["offset_row"].to_numpy(np.int64), -1)
    offset[offset < 0] = zero_row
    head, tail = pairs["head"].to_numpy(np.int64), pairs["tail"].to_numpy(np.int64)
    head_offset, tail_offset = offset[pairs["head_sense"].to_numpy()], offset[pairs["tail_sense"].to_numpy()]
    relation = pairs["relation"].to_numpy(np.int64)
    inverse = np.where(_IS_SYMMETRIC[relation], relation, relation + len(RELATIONS))
    return Links(
        head=np.concatenate([head, tail]),
        tail=np.concatenate([tail, head]),
        head_offset=np.concatenate([head_offset, tail_offset]),
        tail_offset=np.concatenate([tail_offset, head_offset]),
        relation=np.concatenate([relation, inverse]),
    )


def select_antonyms(links: Links) -> Links:
    """Return the antonym links in one direction."""
    positions = np.flatnonzero(links.relation == ANTONYM)
    return links.take(positions[: len(positions) // 2] if len(positions) > 1 else positions)


def build_axes(axes: Mapping[str, AxisOptions | None], senses: pd.DataFrame) -> Axes:
    """Return the synset rows of the words of the named axes: first adjective sense, else first sense of each lemma.

    Args:
        axes: words by name of the axis; None for an axis that is left out.
        senses: columns lemma, pos, sense_number and synset_row.

    Raises:
        SourceError: the lexicon lacks a word.
    """
    row_of = _first_senses(senses)
    chosen = [axis for axis in axes.values() if axis is not None]
    words = {word for axis in chosen for word in (*axis.positive, *axis.negative, *axis.neutral)}
    unknown = sorted(words - row_of.keys())
    if unknown:
        raise SourceError(f"senses.training.named_axes has words that this WordNet lacks: {', '.join(unknown)}")
    opposed, signed = [], []
    for number, axis in enumerate(chosen):
        opposed += [(row_of[a], row_of[b], number) for a, b in zip(axis.positive, axis.negative, strict=True)]
        for sign, words_of_sign in ((1, axis.positive), (-1, axis.negative), (0, axis.neutral)):
            signed += [(row_of[word], sign, number) for word in words_of_sign]
    return Axes(*np.array(opposed, np.int64).T, *np.array(signed, np.int64).T)


def _first_senses(senses: pd.DataFrame) -> dict[str, int]:
    ranked = senses.assign(not_adjective=senses["pos"] != "a")
    first = ranked.sort_values(["not_adjective", "sense_number"], kind="stable").drop_duplicates("lemma")
    return dict(zip(first["lemma"], first["synset_row"].astype(int), strict=True))
