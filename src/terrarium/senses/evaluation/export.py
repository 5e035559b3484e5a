"""The table of vectors that users load."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.common.arrays import Int64Array
from terrarium.common.vectors import coordinate_names
from terrarium.senses.data.relations import RELATIONS, SYMMETRIC
from terrarium.senses.models.vectors import SenseVectors

NAME_COLUMNS = ["sense_key", "lemma", "pos", "sense_number", "synset"]
_KEYS = ["relation", "inverse", "input"]
_PARTS = ["n", "v", "a", "s", "r"]


def sense_table(vectors: SenseVectors, senses: pd.DataFrame) -> pd.DataFrame:
    """Return one row per sense: sense_key, lemma, pos, sense_number, synset, and its unit vector as x0, x1, ...

    Args:
        vectors: of all senses.
        senses: columns sense_key, lemma, pos, sense_number and synset, in the order of the vectors.
    """
    columns = pd.DataFrame(vectors.senses, columns=coordinate_names(vectors.dim))
    return pd.concat([senses[NAME_COLUMNS].reset_index(drop=True), columns], axis=1)


def synset_table(vectors: SenseVectors, synsets: pd.DataFrame) -> pd.DataFrame:
    """Return one row per synset: synset, and its unit vector as x0, x1, ...

    Args:
        vectors: of all synsets.
        synsets: column synset, in the order of the vectors.
    """
    columns = pd.DataFrame(vectors.synsets, columns=coordinate_names(vectors.dim))
    return pd.concat([synsets[["synset"]].reset_index(drop=True), columns], axis=1)


def operator_table(vectors: SenseVectors) -> pd.DataFrame:
    """Return the maps of the relations: relation, inverse, input, x0, x1, ...

    The query of a head h in a relation is the row of the input "constant", plus the rows of the inputs x0, x1, ...
    weighted by the entries of h, at length 1. The inverse of a directed relation has a map of its own. A polar
    dimension is one that `antonym` maps to its negative.
    """
    if vectors.maps is None:
        return pd.DataFrame({"relation": [], "inverse": [], "input": []})
    keys = [(name, inverse) for inverse in (False, True) for name in RELATIONS]
    used = [i for i, (name, inverse) in enumerate(keys) if not (inverse and name in SYMMETRIC)]
    columns = coordinate_names(vectors.dim)
    names = pd.DataFrame([(*keys[i], given) for i in used for given in ["constant", *columns]], columns=_KEYS)
    rows = vectors.maps[used].reshape(-1, vectors.dim)
    return pd.concat([names, pd.DataFrame(rows, columns=columns)], axis=1)


def frequency_order(senses: pd.DataFrame) -> Int64Array:
    """Return the positions of rows (columns pos and sense_number) as WordNet orders the senses of a word."""
    part = senses["pos"].map({letter: i for i, letter in enumerate(_PARTS)})
    order: Int64Array = np.lexsort((senses["sense_number"], part))
    return order
