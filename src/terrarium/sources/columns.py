"""Tables of text: CSV, TSV and Parquet files as columns of strings, each value exactly as it is in the file."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from terrarium.sources.errors import SourceError, one_line
from terrarium.sources.files import PACKED, decode, fault, is_text, read_bytes, suffix_of

DELIMITERS = (",", "\t", ";")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""A number as people write it; not nan, inf or 1_000."""
ARROW_ERRORS = (pa.ArrowException, OSError, ValueError, KeyError, TypeError, NotImplementedError, OverflowError)
"""What pyarrow and pandas raise for a broken Parquet file."""
_ROWS_NAMED_BY_LINE = "line"


@dataclass(frozen=True)
class TextColumns:
    """A table whose cells are text.

    Attributes:
        path: of the file.
        columns: name in lower case -> N cells without surrounding blanks; "" is an empty cell.
        rows: N numbers of lines (text files) or rows from 1 (Parquet).
        unit: what `rows` counts: line or row.
    """

    path: Path
    columns: dict[str, list[str]]
    rows: list[int]
    unit: str = _ROWS_NAMED_BY_LINE

    def fault(self, index: int, what: str, remedy: str) -> SourceError:
        """Return the error for one row: "PATH line N: WHAT; REMEDY"."""
        return SourceError(f"{self.path} {self.unit} {self.rows[index]}: {what}; {remedy}")


def read_columns(path: Path, wanted: str) -> TextColumns:
    """Read a CSV, TSV or Parquet file, packed or not.

    Args:
        path: the file. Text files have a header; of comma, tab and semicolon, the delimiter is the one that splits the
            header into most columns.
        wanted: the columns that the file should have, for messages.

    Raises:
        SourceError: the file is missing, broken, or a row has more or fewer values than the header.
    """
    if suffix_of(path) == ".parquet":
        return _parquet(path)
    return split_columns(decode(read_bytes(path), path), path, wanted)


def split_columns(text: str, path: Path, wanted: str) -> TextColumns:
    """Split the text of a CSV or TSV file into columns; arguments and errors as for `read_columns`."""
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    header: list[str] = []
    rows, lines, start = [], [], 1
    try:
        for cells in reader:
            if not header:
                header = [cell.strip().lower() for cell in cells]
                _check_header(header, path, reader.line_num, wanted)
            elif cells:
                if len(cells) != len(header):
                    what = f"{len(cells)} values and the header has {len(header)} columns"
                    raise fault(path, start, what, "put quotes around a value with a delimiter, or fill the row")
                broken = next((cell for cell in cells if not is_text(cell.strip())), None)
                if broken is not None:
                    remedy = "check the quotes, or take the tab or line break out"
                    raise fault(path, start, f"a value has a tab or line break: {broken[:40]!r}", remedy)
                rows.append(cells)
                lines.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise fault(path, reader.line_num, f"it is not CSV ({error})", "correct the quotes") from error
    if not header:
        raise SourceError(f"{path} is empty: it must have a header with {wanted}")
    columns = {
        name: [cell.strip() for cell in cells]
        for name, cells in zip(header, zip(*rows, strict=True) if rows else [()] * len(header), strict=True)
        if name
    }
    return TextColumns(path, columns, lines)


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file.

    Raises:
        SourceError: the file is missing or broken.
    """
    if not path.is_file():
        raise SourceError(f"{path} is not a file: check the path")
    try:
        return pd.read_parquet(path)
    except ARROW_ERRORS as error:
        raise SourceError(f"{path} cannot be read as Parquet ({one_line(error)}): write it again") from error


def parse_numbers(table: TextColumns, name: str) -> list[float]:
    """Return a column of numbers; an empty cell is nan.

    Raises:
        SourceError: a cell is not a finite number.
    """
    found = []
    for index, cell in enumerate(table.columns[name]):
        value = float(cell) if NUMBER.fullmatch(cell) else float("nan")
        if cell and not abs(value) < float("inf"):
            raise table.fault(index, f"{cell!r} in column {name} is not a finite number", "correct it")
        found.append(value)
    return found


def _check_header(header: list[str], path: Path, line: int, wanted: str) -> None:
    repeated = next((name for name in header if name and header.count(name) > 1), None)
    if repeated:
        raise fault(path, line, f"two columns are called {repeated!r}", "rename or drop one")
    if not any(header):
        raise fault(path, line, "the header is empty", f"the first line must name the columns: {wanted}")


def _parquet(path: Path) -> TextColumns:
    is_packed = path.suffix.lower() in PACKED or not path.is_file()
    place = io.BytesIO(read_bytes(path)) if is_packed else path
    try:
        content = pq.read_table(place)
        columns = {}
        for name, column in zip(content.column_names, content.columns, strict=True):
            key = str(name).strip().lower()
            if key in columns:
                raise SourceError(f"{path} has two columns called {key!r}: rename or drop one")
            columns[key] = _cells(column, key, path)
        rows = content.num_rows
    except SourceError:
        raise
    except ARROW_ERRORS as error:
        raise SourceError(f"{path} cannot be read as Parquet ({one_line(error)}): write it again") from error
    return TextColumns(path, columns, list(range(1, rows + 1)), "row")


def _cells(column: Any, name: str, path: Path) -> list[str]:
    """Return the values of a Parquet column as text; whole floats without ".0", as gaps turn integers into floats."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (text or number or pa.types.is_null(kind)):
        return ["\0"] * len(column)
    values = column.to_pylist()
    if pa.types.is_floating(kind):
        return ["" if v is None or isnan(v) else str(int(v)) if float(v).is_integer() else repr(v) for v in values]
    return ["" if value is None else str(value).strip() for value in values]
