"""Columns of Parquet files with recordings: texts, numbers and lists, or the row that has something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError
from terrarium.sources.files import is_name

LARGEST_NUMBER = 1e9
"""No position, speed or size in a recording is larger, in its unit."""
LATEST_TIME = 1e19
"""No time is later: nanoseconds since 1970, whose unit is told later, are below it until 2286."""


def require_columns(table: pd.DataFrame, columns: tuple[str, ...], file: str | Path) -> None:
    """Check that a table has rows and columns.

    Raises:
        SourceError: a column is missing or there twice, or there is no row.
    """
    names = list(table.columns)
    for column in columns:
        if names.count(column) != 1:
            raise SourceError(f"{file} has no column {column}: it must have {', '.join(columns)}")
    if table.empty:
        raise SourceError(f"{file} has no rows: there is nothing to read")


def read_texts(table: pd.DataFrame, column: str, file: Path) -> pd.Series:
    """Return a column of names as text; whole numbers are names too, also as 7.0.

    Raises:
        SourceError: a value is missing or is neither a text nor a whole number.
    """
    return pd.Series(_converted(table, column, file, _name, "a name"), index=table.index, dtype="str")


def read_numbers(table: pd.DataFrame, column: str, file: Path, largest: float = LARGEST_NUMBER) -> pd.Series:
    """Return a column of finite numbers as float64.

    Raises:
        SourceError: a value is missing, a text, a truth value, or its absolute value is above `largest`.
    """
    values = table[column]
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        found = values.to_numpy(np.float64, na_value=np.nan)
        if (np.abs(found) <= largest).all():
            return pd.Series(found, index=table.index)
    cells = _converted(table, column, file, lambda value: _number(value, largest), f"a number up to {largest:.0e}")
    return pd.Series(cells, index=table.index, dtype=np.float64)


def read_flags(table: pd.DataFrame, column: str, file: Path) -> pd.Series:
    """Return a column of true and false, or 1 and 0.

    Raises:
        SourceError: a value is something else.
    """
    return pd.Series(_converted(table, column, file, _flag, "true or false"), index=table.index, dtype=bool)


def read_lists(table: pd.DataFrame, column: str, file: Path, what: str, shape: tuple[int, ...] | None) -> list[Any]:
    """Return a column of lists of finite numbers as arrays, or of names as lists.

    Args:
        table: the table.
        column: its column.
        file: for messages.
        what: what a value must be, for messages.
        shape: shape of the arrays, -1 for any length of 1 or more; None for lists of names.

    Raises:
        SourceError: a value is something else.
    """
    convert = _names if shape is None else lambda value: _array(value, shape)
    return _converted(table, column, file, convert, what)


def _converted(table: pd.DataFrame, column: str, file: Path, convert: Callable[[Any], Any], what: str) -> list[Any]:
    found = []
    for row, value in enumerate(table[column].tolist(), start=1):
        try:
            found.append(convert(value))
        except (ValueError, TypeError, OverflowError) as error:
            shown = repr(value)[:60]
            raise SourceError(f"{file} row {row}: {column} is {shown}, which is not {what}; correct it") from error
    return found


def _name(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if is_name(value):
        return str(value)
    raise ValueError


def _number(value: Any, largest: float) -> float:
    if isinstance(value, bool | str | bytes) or not isinstance(value, int | float | np.number):
        raise ValueError
    found = float(value)
    if not abs(found) <= largest:
        raise ValueError
    return found


def _flag(value: Any) -> bool:
    if isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    raise ValueError


def _names(value: Any) -> list[str]:
    if isinstance(value, str) or not isinstance(value, list | tuple | np.ndarray):
        raise ValueError
    return [_name(item) for item in list(value)]


def _array(value: Any, shape: tuple[int, ...]) -> np.ndarray:
    if isinstance(value, str | bytes) or not isinstance(value, list | tuple | np.ndarray):
        raise ValueError
    found = np.array(_plain(value))
    if found.dtype.kind not in "iuf" or found.ndim != len(shape):
        raise ValueError
    if any(wanted not in (-1, size) or size == 0 for wanted, size in zip(shape, found.shape, strict=True)):
        raise ValueError
    found = found.astype(np.float64)
    if not (np.abs(found) <= LARGEST_NUMBER).all():
        raise ValueError
    return found


def _plain(value: Any) -> Any:
    """Return nested arrays as nested lists."""
    return [_plain(item) for item in value] if isinstance(value, list | tuple | np.ndarray) else value
