"""Checks of tables by a pandera schema, with messages that say what is wrong, where, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pandera.errors import SchemaError
    from pandera.pandas import DataFrameSchema


class TableError(ValueError):
    """A table has wrong columns or values; the message says which, and what to do."""


class Fault(NamedTuple):
    """What is wrong with a table.

    Attributes:
        column: the column that is wrong; None if whole rows are.
        problem: a predicate, such as "is missing" or "must be 0 or more".
        row: position of the first wrong row; None if the fault is not in a row.
        num_rows: number of wrong rows.
        is_null: whether a value is missing from a column that needs one in every row.
    """

    column: str | None
    problem: str
    row: int | None = None
    num_rows: int = 0
    is_null: bool = False


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
    fault = find_fault(table, schema)
    if fault is None:
        return
    what = f"{'rows' if fault.column is None else f'column {fault.column}'} {fault.problem}"
    if fault.row is not None:
        row = f"{row_name} {table[row_name].tolist()[fault.row]}" if row_name in table.columns else f"row {fault.row}"
        value = "is not" if fault.column is None else f"has {table[fault.column].tolist()[fault.row]!r}"
        what = f"{what}, but {row} {value} ({fault.num_rows:,} such rows)"
    raise TableError(f"{name}: {what}: {remedy}")


def find_fault(table: pd.DataFrame, schema: DataFrameSchema) -> Fault | None:
    """Return the first fault that a schema finds in a table; None if there is none.

    The `error` of the schema's checks completes "must be".
    """
    from pandera.errors import SchemaError, SchemaErrors

    try:
        schema.validate(table, inplace=True)
    except SchemaErrors as errors:
        return _fault(errors.schema_errors[0], table)
    except SchemaError as error:
        return _fault(error, table)
    return None


def _fault(error: SchemaError, table: pd.DataFrame) -> Fault:
    from pandera.errors import SchemaErrorReason as Reason

    column: Any = error.schema.name
    cases: Any = error.failure_cases
    match error.reason_code:
        case Reason.COLUMN_NOT_IN_DATAFRAME | Reason.INVALID_COLUMN_NAME:
            return Fault(cases if column is None else column, "is missing")
        case Reason.COLUMN_NOT_IN_SCHEMA:
            return Fault(cases, "must not exist")
        case Reason.WRONG_DATATYPE:
            return Fault(column, f"must be of type {error.schema.dtype}, not {table[column].dtype}")
        case Reason.SERIES_CONTAINS_DUPLICATES:
            problem = "must be unique"
        case Reason.SERIES_CONTAINS_NULLS:
            problem = "must be given in every row"
        case _:
            problem = f"must be {error.check.error or error.check}"
    if not isinstance(cases, pd.DataFrame) or cases["index"].isna().all():
        return Fault(column, problem)
    labels = cases["index"].drop_duplicates()
    row = int(np.argmax(np.asarray(table.index == labels.iloc[0])))
    return Fault(column, problem, row, len(labels), error.reason_code == Reason.SERIES_CONTAINS_NULLS)
