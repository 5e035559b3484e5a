"""Vectors of synsets and senses from weights, and the scores of relations between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.senses.data.relations import RELATIONS
from terrarium.training.checkpointing.state import State

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Vectors:
    """What is measured.

    Attributes:
        synsets: (S, D) at length 1.
        senses: (N, D) at length 1, a row a sense.
        scale, shift: (2 R, D) of the relations and their inverses; None where no relation was trained.
        polar: (D,) dimensions that antonymy reflects.
    """

    synsets: Floats
    senses: Floats
    scale: Floats | None
    shift: Floats | None
    polar: NDArray[np.bool_]


def unit_rows(rows: Floats) -> Floats:
    """Rows at length 1; rows of zeros stay."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Floats = (rows / np.maximum(length, np.float32(1e-12))).astype(np.float32)
    return scaled


def vectors_of(weights: State, synsets: pd.DataFrame, senses: pd.DataFrame, items: pd.DataFrame) -> Vectors:
    """The vectors of trained weights: a sense is its synset's code, plus an offset where it has one.

    Of the original's items (lemma, part of speech), all senses of an item are the item, and a synset its first lemma.
    """
    if "items" in weights.tensors:
        return _of_items(weights, synsets, senses, items)
    codes, offsets = weights.tensors["codes"], weights.tensors["offsets"]
    row, own = senses["synset_row"].to_numpy(), senses["offset_row"].to_numpy()
    found = codes[row]
    moved = own >= 0
    found[moved] = unit_rows(found[moved] + offsets[own[moved] - len(codes)] * (found[moved] != 0))
    tensors = weights.tensors
    return Vectors(codes, found, tensors["scale"], tensors["shift"], tensors["polar"])


def random_vectors(
    synsets: int, senses: pd.DataFrame, dim: int, polar: NDArray[np.bool_], rng: np.random.Generator
) -> Vectors:
    """The null: random directions, the same for all senses of a synset, without relations."""
    rows = unit_rows(rng.standard_normal((synsets, dim), dtype=np.float32))
    return Vectors(rows, rows[senses["synset_row"].to_numpy()], None, None, polar)


def cut_by_pca(vectors: Vectors, dim: int) -> Vectors:
    """The vectors in their first `dim` principal directions (uncentred), without relations."""
    _, axes = np.linalg.eigh(vectors.synsets.T.astype(np.float64) @ vectors.synsets)
    basis = axes[:, ::-1][:, :dim].astype(np.float32)
    rows, senses = unit_rows(vectors.synsets @ basis), unit_rows(vectors.senses @ basis)
    return Vectors(rows, senses, None, None, np.zeros(dim, bool))


def cut_to_first(vectors: Vectors, dim: int) -> Vectors:
    """The first `dim` dimensions, with the relations (what `matryoshka` trains to stand alone)."""
    scale = None if vectors.scale is None else vectors.scale[:, :dim]
    shift = None if vectors.shift is None else vectors.shift[:, :dim]
    return Vectors(
        unit_rows(vectors.synsets[:, :dim]), unit_rows(vectors.senses[:, :dim]), scale, shift, vectors.polar[:dim]
    )


def with_zeros(vectors: Vectors, share: float) -> Vectors:
    """The vectors with at least a share of each row's entries at zero, the smallest first."""
    return Vectors(
        _thresholded(vectors.synsets, share),
        _thresholded(vectors.senses, share),
        vectors.scale,
        vectors.shift,
        vectors.polar,
    )


def ask(vectors: Vectors, heads: Floats, relation: str, *, inverse: bool = False) -> Floats:
    """Queries (B, D) of heads in a relation; the heads themselves where no relation was trained."""
    if vectors.scale is None or vectors.shift is None:
        return heads
    number = RELATIONS.index(relation) + (len(RELATIONS) if inverse else 0)
    return unit_rows(heads * vectors.scale[number] + vectors.shift[number])


def _of_items(weights: State, synsets: pd.DataFrame, senses: pd.DataFrame, items: pd.DataFrame) -> Vectors:
    kind = synsets["type"].to_numpy()[senses["synset_row"].to_numpy()]
    first = items.reset_index().drop_duplicates(["lemma", "type"]).set_index(["lemma", "type"])["index"]
    place = first.reindex(pd.MultiIndex.from_arrays([senses["lemma"], kind])).to_numpy(np.int64)
    found = unit_rows(weights.tensors["items"])[place]
    own = np.flatnonzero(~senses["synset_row"].duplicated().to_numpy())
    rows = found[own[np.argsort(senses["synset_row"].to_numpy()[own])]]
    return Vectors(rows, found, None, None, np.zeros(rows.shape[1], bool))


def _thresholded(rows: Floats, share: float) -> Floats:
    dim = rows.shape[1]
    dropped = dim - max(1, dim - round(share * dim))
    if dropped == 0:
        return rows
    kept = np.empty_like(rows)
    for start in range(0, len(rows), 16_384):
        part = rows[start : start + 16_384]
        smallest = np.argpartition(np.abs(part), dropped - 1, axis=1)[:, :dropped]
        kept[start : start + 16_384] = part
        np.put_along_axis(kept[start : start + 16_384], smallest, 0, axis=1)
    return unit_rows(kept)
