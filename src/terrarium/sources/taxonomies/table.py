"""A user's own hierarchy: one file of child and parent, optionally with names and ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from pandas.errors import EmptyDataError, ParserError
from pyarrow import ArrowInvalid

from terrarium.sources.errors import SourceError

SUFFIXES = (".csv", ".tsv", ".parquet")
NO_RANK = "no rank"
LARGEST_ID = 2**31 - 1
"""Ids are stored in 32 bits."""
_CHILD = ("id", "child")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a CSV, TSV or Parquet file with the columns id (or child) and parent, optionally name, rank and length.

    Ids are integers from 0 to 2^31 - 1. A file with a column `id` has one row per node; the root has an empty parent or
    is its own parent. A file with a column `child` has one row per edge, and the root occurs among the parents only.
    `length` is that of the edge to the parent, above 0.

    Returns:
        id, parent (-1 at the root), name, rank, and length if the file has it; one row per node, or per link if a node
        has several parents.

    Raises:
        SourceError: the file does not exist or has another suffix, a column is missing, or a value is invalid.
    """
    file = Path(path)
    if not file.is_file():
        raise SourceError(f"source.path {file} is not a file: give a {', '.join(SUFFIXES)} file of child and parent")
    try:
        frame = _read(file)
    except (EmptyDataError, ParserError, ArrowInvalid, UnicodeDecodeError) as error:
        raise SourceError(f"{file.name} cannot be read as {file.suffix[1:]}: {error}") from error
    frame.columns = [str(c).strip().lower() for c in frame.columns]
    child = next((c for c in _CHILD if c in frame), None)
    if child is None or "parent" not in frame:
        raise SourceError(f"{file.name} has the columns {list(frame.columns)}: it must have id (or child) and parent")
    ids, parents = _integers(frame[child], file, child), _integers(frame["parent"], file, "parent")
    if (ids < 0).any():
        raise SourceError(f"{file.name} has an empty or negative {child} in row {int(np.argmax(ids < 0)) + 1}")
    if len(ids) and max(ids.max(), parents.max()) > LARGEST_ID:
        raise SourceError(
            f"{file.name} has the id {max(ids.max(), parents.max())}: the largest possible id is {LARGEST_ID}"
        )
    table = pd.DataFrame(
        {
            "id": ids,
            "parent": np.where(parents == ids, -1, parents) if child == "id" else parents,
            "name": frame["name"].astype("str") if "name" in frame else pd.array([None] * len(ids), dtype="str"),
            "rank": frame["rank"].astype("str").fillna(NO_RANK) if "rank" in frame else NO_RANK,
        }
    )
    if "length" in frame:
        table["length"] = _lengths(frame["length"], table["parent"] < 0, file)
    if child == "child":
        own = ids[ids == parents]
        if len(own):
            raise SourceError(f"{file.name}: node {own[0]} is its own parent ({len(own)} such): drop these rows")
        table = pd.concat([_root_rows(table), table], ignore_index=True)
    return table.assign(rank=table["rank"].astype("category"))


def _root_rows(edges: pd.DataFrame) -> pd.DataFrame:
    """Return rows for the parents that are no child."""
    ids = np.setdiff1d(edges["parent"], edges["id"])
    names = pd.array([None] * len(ids), dtype="str")
    return pd.DataFrame({"id": ids, "parent": -1, "name": names, "rank": NO_RANK})


def _read(file: Path) -> pd.DataFrame:
    match file.suffix.lower():
        case ".csv":
            return pd.read_csv(file)
        case ".tsv":
            return pd.read_csv(file, sep="\t")
        case ".parquet":
            return pd.read_parquet(file)
    raise SourceError(f"source.path {file.name} has the suffix {file.suffix!r}: use {', '.join(SUFFIXES)}")


def _lengths(column: pd.Series, topmost: pd.Series, file: Path) -> pd.Series:
    lengths = pd.to_numeric(column, errors="coerce").astype(np.float64)
    wrong = ~(np.isfinite(lengths) & (lengths > 0.0)) & ~topmost
    if wrong.any():
        value = column[wrong].iloc[0]
        raise SourceError(f"{file.name} has {str(value)!r} in column length: a length must be a number above 0")
    return lengths


def _integers(column: pd.Series, file: Path, name: str) -> np.ndarray:
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = (numbers.isna() & column.notna()) | (numbers.notna() & (numbers % 1 != 0))
    if wrong.any():
        value = column[wrong].iloc[0]
        raise SourceError(f"{file.name} has {str(value)!r} in column {name}: ids must be integers")
    return numbers.fillna(-1).to_numpy(dtype=np.int64)
