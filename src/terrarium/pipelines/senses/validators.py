"""What the catalog checks when a table of this family is saved."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from terrarium.common.schemas import require_schema
from terrarium.common.vectors import coordinates
from terrarium.senses.data.relations import ANTONYM, RELATIONS
from terrarium.senses.data.splitting import SPLITS

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

_TOLERANCE = 1e-3


def check_pairs(pairs: pd.DataFrame) -> None:
    """Check the columns of relation pairs, and that some antonyms, if any are used, are in the training split.

    Raises:
        TableError: a column is missing or has wrong values.
        ValueError: all antonym pairs are held out.
    """
    require_schema(pairs, _pairs_schema(), "pairs", "build them again with --tags=features")
    antonyms = pairs[pairs["relation"] == ANTONYM]
    if len(antonyms) and not (antonyms["split"] == "train").any():
        raise ValueError("all antonyms are held out: lower senses.features.antonym_test_fraction")


def check_vectors(vectors: pd.DataFrame) -> None:
    """Check the columns of sense vectors, and that all vectors have length 1.

    Raises:
        TableError: a column is missing or has wrong values.
        ValueError: some vectors have another length; the message names the first sense.
    """
    remedy = "train again with --tags=training,evaluation"
    require_schema(vectors, _vectors_schema(), "vectors", remedy, "sense_key")
    length = np.linalg.norm(coordinates(vectors), axis=1)
    wrong = np.abs(length - 1) > _TOLERANCE
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ValueError(
            f"{int(wrong.sum()):,} vectors do not have length 1, such as {vectors['sense_key'].iloc[first]} with "
            f"{length[first]:.4g}: train again with --tags=training,evaluation"
        )


@cache
def _pairs_schema() -> DataFrameSchema:
    from pandera.pandas import Check, Column, DataFrameSchema

    synsets = {end: Column("int32", Check.ge(0, error="0 or more")) for end in ("head", "tail")}
    senses = {end: Column("int32", Check.ge(-1, error="-1 or more")) for end in ("head_sense", "tail_sense")}
    last = len(RELATIONS) - 1
    relation = Column("int16", Check.in_range(0, last, error=f"from 0 to {last}"))
    return DataFrameSchema(
        {
            "relation": relation,
            **synsets,
            **senses,
            "split": Column(str, Check.isin(SPLITS, error=f"one of {', '.join(SPLITS)}")),
        }
    )


@cache
def _vectors_schema() -> DataFrameSchema:
    from pandera.pandas import Check, Column, DataFrameSchema

    names = {name: Column(str) for name in ("sense_key", "lemma", "synset")}
    pos = Column(str, Check.isin(list("nvasr"), error="one of n, v, a, s, r"))
    return DataFrameSchema({**names, "pos": pos, r"x\d+": Column("float32", regex=True)})
