"""Checks of tables when the catalog saves them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from terrarium.common.schemas import require_schema
from terrarium.kge.data.graph import TEST, TRAIN
from terrarium.kge.data.splitting import require_no_leak
from terrarium.sources.graphs.graph_source import SPLITS, UNDIVIDED

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema


def check_triples(triples: pd.DataFrame) -> None:
    """Check columns, that training and test have triples, and that a split made here does not leak.

    Raises:
        TableError: a column is missing or has wrong values.
        ValueError: no training or no test triples, or a triple twice in a split.
        SplitError: a pair of entities is in two of the splits made here.
    """
    require_schema(triples, _triples_schema(), "triples", "split them again with --tags=features")
    for name in (TRAIN, TEST):
        if not (triples["split"] == name).any():
            raise ValueError(f"no triple is in the split {name}: give its file triples, or change the fractions")
    repeated = triples.duplicated(["head", "relation", "tail", "split"])
    if repeated.any():
        row = triples[repeated].iloc[0]
        raise ValueError(f"{int(repeated.sum())} triples are twice in a split, such as {tuple(row)}: split again")
    if not triples["given"].all():
        require_no_leak(triples)


@cache
def _triples_schema() -> DataFrameSchema:
    from pandera.pandas import Check, Column, DataFrameSchema

    text = {name: Column("category", nullable=False) for name in ("head", "relation", "tail")}
    splits = [name for name in SPLITS if name != UNDIVIDED]
    return DataFrameSchema(
        {
            **text,
            "split": Column("category", Check.isin(splits, error=f"one of {', '.join(splits)}")),
            "given": Column(bool),
        }
    )
