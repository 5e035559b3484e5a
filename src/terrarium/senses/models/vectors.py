"""Vectors of synsets and senses from trained weights, and variants of them for comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from terrarium.common.arrays import BoolArray, Float32Array
from terrarium.common.vectors import normalize_rows
from terrarium.senses.data.relations import RELATIONS
from terrarium.training.checkpointing.state import State

_CHUNK = 16_384
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class SenseVectors:
    """Unit vectors and the maps of the relations.

    Attributes:
        synsets: (S, D) one row per synset.
        senses: (N, D) one row per sense.
        maps: (2 R, 1 + D, D) of the relations and their inverses, as in `operators`; None if there are none.
        polar: (D,) mask of the dimensions that antonymy reflects.
    """

    synsets: Float32Array
    senses: Float32Array
    maps: Float32Array | None
    polar: BoolArray

    @property
    def dim(self) -> int:
        """Number of dimensions."""
        return self.synsets.shape[1]

    def queries(self, heads: Float32Array, relation: str, *, inverse: bool = False) -> Float32Array:
        """Return the queries (B, D) of heads (B, D) in a relation; the heads if no relations were trained."""
        if self.maps is None:
            return heads
        row = RELATIONS.index(relation) + (len(RELATIONS) if inverse else 0)
        return unit_rows(heads @ self.maps[row, 1:] + self.maps[row, 0])


def unit_rows(rows: Float32Array) -> Float32Array:
    """Return the rows at length 1; rows of zeros stay zero."""
    return normalize_rows(rows, _TINY)


def build_vectors(weights: State, senses: pd.DataFrame) -> SenseVectors:
    """Return the vectors of trained weights: a sense is its synset's code, plus its offset if it has one.

    Args:
        weights: tensors codes (S, D), offsets (O, D), maps and polar.
        senses: columns synset_row and offset_row.
    """
    codes, offsets = weights.tensors["codes"], weights.tensors["offsets"]
    offset_row = senses["offset_row"].to_numpy()
    rows = codes[senses["synset_row"].to_numpy()]
    moved = offset_row >= 0
    rows[moved] = unit_rows(rows[moved] + offsets[offset_row[moved] - len(codes)] * (rows[moved] != 0))
    tensors = weights.tensors
    return SenseVectors(codes, rows, tensors["maps"], tensors["polar"])


def random_vectors(
    synsets: int, senses: pd.DataFrame, dim: int, polar: BoolArray, rng: np.random.Generator
) -> SenseVectors:
    """Return the baseline: a random direction per synset, shared by its senses, without relations.

    Args:
        synsets: number of synsets.
        senses: column synset_row.
        dim: number of dimensions.
        polar: mask (dim,) of the polar dimensions.
        rng: random numbers.
    """
    rows = unit_rows(rng.standard_normal((synsets, dim), dtype=np.float32))
    return SenseVectors(rows, rows[senses["synset_row"].to_numpy()], None, polar)


def truncate_by_pca(vectors: SenseVectors, dim: int) -> SenseVectors:
    """Return the vectors in their first `dim` principal directions (not centred), without relations."""
    _, axes = np.linalg.eigh(vectors.synsets.T.astype(np.float64) @ vectors.synsets)
    basis = axes[:, ::-1][:, :dim].astype(np.float32)
    rows, senses = unit_rows(vectors.synsets @ basis), unit_rows(vectors.senses @ basis)
    return SenseVectors(rows, senses, None, np.zeros(dim, bool))


def truncate(vectors: SenseVectors, dim: int) -> SenseVectors:
    """Return the vectors and relations in their first `dim` dimensions."""
    maps = None if vectors.maps is None else vectors.maps[:, : 1 + dim, :dim]
    synsets, senses = unit_rows(vectors.synsets[:, :dim]), unit_rows(vectors.senses[:, :dim])
    return SenseVectors(synsets, senses, maps, vectors.polar[:dim])


def with_zeros(vectors: SenseVectors, zero_fraction: float) -> SenseVectors:
    """Return the vectors with the smallest entries of each row set to zero, at least the given fraction."""
    synsets, senses = (_threshold(rows, zero_fraction) for rows in (vectors.synsets, vectors.senses))
    return replace(vectors, synsets=synsets, senses=senses)


def _threshold(rows: Float32Array, zero_fraction: float) -> Float32Array:
    dim = rows.shape[1]
    dropped = dim - max(1, dim - round(zero_fraction * dim))
    if dropped == 0:
        return rows
    kept = rows.copy()
    for start in range(0, len(rows), _CHUNK):
        part = kept[start : start + _CHUNK]
        smallest = np.argpartition(np.abs(part), dropped - 1, axis=1)[:, :dropped]
        np.put_along_axis(part, smallest, 0, axis=1)
    return unit_rows(kept)
