"""Put values next to the statements, and say whether each verdict still stands."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from terrarium.sources.errors import SourceError

COMMAND = "kedro run --pipelines=claims"
LEDGER_COLUMNS = (
    *("document", "id", "statement", "measured", "data", "value", "verdict", "because", "command"),
    *("source", "number", "at_least", "at_most", "stands"),
)
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
_FACTORS = {"million": 1e6, "billion": 1e9}


def read_results(folder: str, claims: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of tables of results that claims name.

    Args:
        folder: of the tables.
        claims: columns results, row and column; see `claim_table`.

    Returns:
        One row per cell: results, row, column, value (text), command.

    Raises:
        SourceError: there is no such folder, table, row or column, or several such rows.

    A row is named by its first cell, or by its first two with a comma between them.
    """
    named = claims.loc[claims["results"] != "", ["results", "row", "column"]].drop_duplicates()
    tables = {name: _read_table(Path(folder) / f"{name}.csv") for name in named["results"].unique()}
    cells = [_cell(tables[name], name, row, column) for name, row, column in named.itertuples(index=False)]
    return pd.DataFrame(cells, columns=["results", "row", "column", "value", "command"])


def judge(claims: pd.DataFrame, results: pd.DataFrame, measurements: pd.DataFrame) -> pd.DataFrame:
    """Return the ledger.

    Args:
        claims: see `claim_table`.
        results: see `read_results`.
        measurements: columns measurement, text, number; see `measurements.measure`. Those that are missing were left
            out, in the quick form.

    Returns:
        LEDGER_COLUMNS, one row per claim. `value` is text with its spread, empty if there is none; `stands` is true,
        false, or null without a value.

    Raises:
        ValueError: a value without a number.
    """
    cells = {(row.results, row.row, row.column): row for row in results.itertuples()}
    measured = {row.measurement: row for row in measurements.itertuples()}
    ledger = [_judged(claim, cells, measured) for claim in claims.to_dict("records")]
    return pd.DataFrame(ledger, columns=list(LEDGER_COLUMNS)).astype({"stands": "boolean", "number": "float64"})


def first_number(text: str) -> float:
    """Return the first number in a text; commas separate thousands, and 1.7 billion is 1.7e9.

    Raises:
        ValueError: there is none.
    """
    found = _NUMBER.search(text)
    if found is None:
        raise ValueError(f"no number in {text!r}")
    word = re.match(r"\s*(\w*)", text[found.end() :])
    return float(found[0].replace(",", "")) * _FACTORS.get(word[1] if word else "", 1.0)


def _judged(claim: dict, cells: Mapping, measured: Mapping) -> dict:
    key = claim["results"], claim["row"], claim["column"]
    value, number, command, source = "", float("nan"), claim["command"], ""
    if claim["results"]:
        cell = cells[key]
        value, number, command = cell.value, first_number(cell.value), claim["command"] or cell.command
        source = f"{claim['results']}.csv, row {claim['row']!r}, column {claim['column']!r}"
    elif claim["measurement"]:
        source, command = f"the measurement {claim['measurement']}", claim["command"] or COMMAND
        if claim["measurement"] in measured:
            row = measured[claim["measurement"]]
            value, number = row.text, row.number
    stands = None if math.isnan(number) else _within(number, claim["at_least"], claim["at_most"])
    kept = {name: claim[name] for name in LEDGER_COLUMNS if name in claim}
    return kept | {"value": value, "number": number, "command": command, "source": source, "stands": stands}


def _within(number: float, at_least: float, at_most: float) -> bool:
    return not (number < at_least or number > at_most)


def _read_table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise SourceError(f"{path} is missing: set claims.source.path to the folder benchmarks/results")
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _cell(table: pd.DataFrame, name: str, row: str, column: str) -> tuple[str, str, str, str, str]:
    if column not in table.columns:
        raise SourceError(f"{name}.csv has no column {column!r}: mend the claim that names it")
    keys = table.iloc[:, 0], table.iloc[:, 0] + ", " + table.iloc[:, 1]
    found = table[(keys[0] == row) | (keys[1] == row)]
    if len(found) != 1:
        raise SourceError(f"{name}.csv has {len(found)} rows named {row!r}, not one: mend the claim that names it")
    first = found.iloc[0]
    return name, row, column, first[column], first.get("command", "")
