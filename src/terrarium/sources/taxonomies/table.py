"""A user's own hierarchy: one file of child and parent, optionally with names and ranks."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.sources.columns import TextColumns, parse_numbers, read_columns
from terrarium.sources.errors import SourceError
from terrarium.sources.files import suffix_of
from terrarium.sources.taxonomies.closures import reduce_closure
from terrarium.sources.taxonomies.numbering import node_table, number_nodes

logger = logging.getLogger(__name__)

SUFFIXES = (".csv", ".tsv", ".parquet")
_ALIASES = {"id1": "child", "id2": "parent", "parent_id": "parent"}
_WANTED = "id (or child) and parent"
_NOT_A_CELL = "\0"


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a CSV, TSV or Parquet file with the columns id (or child) and parent, optionally name, rank and length.

    Every value is text, and only an empty cell is missing. Ids that are integers from 0 to 2^31 - 1 stay as they are;
    other ids are numbered, and their text is the column `key`. A file with a column `id` has one row per node, one with
    a column `child` (or id1 and id2) one row per link, where the root may occur among the parents only. A root has no
    parent, or -1, or itself, or, where no node has the id 0, parent 0. A table of links that is a transitive closure is
    reduced to the links between neighbours. `length` is that of the link to the parent, above 0.

    Args:
        path: the file; .gz, .xz and .bz2 are unpacked.

    Returns:
        id, parent (-1 at the root), name, rank, and key and length if there are any; one row per node, or per link if a
        node has several parents.

    Raises:
        SourceError: the file is missing or broken, a column is missing, or a row has a fault; the message has its line.
    """
    file = Path(path)
    if suffix_of(file) not in SUFFIXES:
        raise SourceError(f"source.path {file.name} has the suffix {file.suffix!r}: use {', '.join(SUFFIXES)}")
    table = _renamed(read_columns(file, _WANTED))
    child = "child" if "child" in table.columns else "id"
    if not table.rows:
        raise SourceError(f"{file} has no rows: give at least two nodes")
    ids, parents = table.columns[child], _parents(table, child)
    lengths = _lengths(table, parents) if "length" in table.columns else None
    _check_names(table, ids)
    if "weight" in table.columns and len(set(table.columns["weight"])) > 1:
        logger.warning("%s: column weight is not read; call it length if it is the length of a link", file.name)
    empty = [""] * len(ids)
    names, ranks = table.columns.get("name", empty), table.columns.get("rank", empty)
    if child == "id":
        _require_parents(table, ids, parents)
        numbers, above, keys = number_nodes(ids, parents)
        return node_table(numbers, above, names, ranks, keys, lengths)
    children = set(ids)
    tops = [parent for parent in dict.fromkeys(parents) if parent and parent not in children]
    numbers, above, keys = number_nodes([*tops, *ids], [*[""] * len(tops), *parents])
    padding = [""] * len(tops)
    given = None if lengths is None else [float("nan")] * len(tops) + lengths
    found = node_table(numbers, above, [*padding, *names], [*padding, *ranks], keys, given)
    return _neighbours_only(found, file)


def _renamed(table: TextColumns) -> TextColumns:
    """Return the table with its columns under the names that are documented."""
    columns = {_ALIASES.get(name, name): cells for name, cells in table.columns.items()}
    if len(columns) < len(table.columns):
        raise SourceError(f"{table.path} has the columns {list(table.columns)}, two of which mean the same: drop one")
    if "id" in columns and "child" in columns:
        raise SourceError(f"{table.path} has both id and child: drop one, or call a number of the row something else")
    if "parent" not in columns or not {"id", "child"} & columns.keys():
        raise SourceError(f"{table.path} has the columns {list(columns)}: it must have {_WANTED}")
    for name in ("id", "child", "parent", "name", "rank", "length"):
        if columns.get(name, [])[:1] == [_NOT_A_CELL]:
            raise SourceError(f"{table.path} column {name} has neither text nor numbers: convert it")
    return TextColumns(table.path, columns, table.rows, table.unit)


def _parents(table: TextColumns, child: str) -> list[str]:
    """Return the id of the parent in each row, "" for a root."""
    ids, parents = table.columns[child], table.columns["parent"]
    empty = next((index for index, cell in enumerate(ids) if not cell), None)
    if empty is not None:
        raise table.fault(empty, f"the {child} is empty", "fill it or drop the row")
    known = set(ids)
    absent = {"", *({"-1", "-1.0"} - known)}
    if child == "id" and not {"0", "0.0"} & known:
        absent |= {"0", "0.0"}
    return ["" if parent in absent or parent == own else parent for own, parent in zip(ids, parents, strict=True)]


def _require_parents(table: TextColumns, ids: list[str], parents: list[str]) -> None:
    known = {_plain(cell) for cell in ids}
    for index, parent in enumerate(parents):
        if parent and _plain(parent) not in known:
            raise table.fault(index, f"the parent {parent!r} is not among the ids", "add it, or leave the cell empty")


def _plain(cell: str) -> str:
    """Return an id without the ".0" that pandas puts behind integers in a column with gaps."""
    return cell.removesuffix(".0")


def _check_names(table: TextColumns, ids: list[str]) -> None:
    """Refuse a node with two names."""
    if "name" not in table.columns or len(set(ids)) == len(ids):
        return
    first: dict[str, str] = {}
    for index, (own, name) in enumerate(zip(ids, table.columns["name"], strict=True)):
        if first.setdefault(own, name) != name:
            raise table.fault(index, f"{own!r} has the name {name!r}, before {first[own]!r}", "give it one name")


def _lengths(table: TextColumns, parents: list[str]) -> list[float]:
    lengths = parse_numbers(table, "length")
    for index, (length, parent) in enumerate(zip(lengths, parents, strict=True)):
        if parent and not length > 0.0:
            cell = table.columns["length"][index]
            raise table.fault(index, f"{cell!r} in column length is not above 0", "correct it")
    return lengths


def _neighbours_only(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Return a table of links without rows of nodes under themselves, and without those that follow from others."""
    linked = table["parent"] >= 0
    further = table["id"].isin(table.loc[linked, "id"]) & ~linked
    table = table[~further].drop_duplicates(["id", "parent"], ignore_index=True)
    linked = table["parent"] >= 0
    child, parent = (table.loc[linked, name].to_numpy(np.int64) for name in ("id", "parent"))
    keep = reduce_closure(child, parent)
    if keep is None:
        return table
    logger.warning(
        "%s is a transitive closure: of %s pairs, %s are links between neighbours and are read",
        file.name,
        f"{len(keep):,}",
        f"{int(keep.sum()):,}",
    )
    rows = np.ones(len(table), bool)
    rows[linked] = keep
    return table[rows].reset_index(drop=True)
