"""Checks of tables by a pandera schema, with messages that say what is wrong, where, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pandera.errors import SchemaError
    from pandera.pandas import DataFrameSchema


class TableError(ValueError):
    """A table has wrong columns or values; the message says which, and what to do."""


def require_schema(
    table: pd.DataFrame, schema: DataFrameSchema, name: str, remedy: str, row_name: str | None = None
) -> None:
    """Check a table by a schema.

    Args:
        table: the table.
        schema: its columns. The `error` of a check completes "must be".
        name: name of the table for the message.
        remedy: what to do, as an imperative.
        row_name: column that names a row in the message; None: rows are named by their number.

    Raises:
        TableError: the first fault in one line, "NAME: column C must be ..., but row 3 has ... (5 such rows): REMEDY".
    """
    from pandera.errors import SchemaError, SchemaErrors

    try:
        schema.validate(table, inplace=True)
    except SchemaErrors as errors:
        fault = _fault(errors.schema_errors[0], table, row_name)
    except SchemaError as error:
        fault = _fault(error, table, row_name)
    else:
        return
    raise TableError(f"{name}: {fault}: {remedy}")


def _fault(error: SchemaError, table: pd.DataFrame, row_name: str | None) -> str:
    """Return what is wrong, and where."""
    from pandera.errors import SchemaErrorReason as Reason

    column: Any = error.schema.name
    match error.reason_code:
        case Reason.COLUMN_NOT_IN_DATAFRAME:
            return f"column {error.failure_cases} is missing"
        case Reason.COLUMN_NOT_IN_SCHEMA:
            return f"column {error.failure_cases} must not exist"
        case Reason.INVALID_COLUMN_NAME:
            return f"columns {column} are missing"
        case Reason.WRONG_DATATYPE:
            return f"column {column} must be of type {error.schema.dtype}, not {table[column].dtype}"
        case Reason.SERIES_CONTAINS_DUPLICATES:
            requirement = "unique"
        case Reason.SERIES_CONTAINS_NULLS:
            requirement = "given in every row"
        case _:
            requirement = error.check.error or str(error.check)
    what = f"column {column} must be {requirement}" if column is not None else f"rows must be {requirement}"
    return what + _place(error.failure_cases, table, column, row_name)


def _place(cases: Any, table: pd.DataFrame, column: Any, row_name: str | None) -> str:
    """Return the first row that is wrong and its value, and the number of such rows; empty if no row is named."""
    if not isinstance(cases, pd.DataFrame) or cases["index"].isna().all():
        return ""
    labels = cases["index"].drop_duplicates()
    row = int(np.argmax(np.asarray(table.index == labels.iloc[0])))
    where = f"row {row}" if row_name not in table.columns else f"{row_name} {table[row_name].tolist()[row]}"
    value = "" if column is None else f" has {table[column].tolist()[row]!r}"
    return f", but {where}{value or ' is not'} ({len(labels):,} such rows)"
