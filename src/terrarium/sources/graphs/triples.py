"""Triple files (head TAB relation TAB tail) and dictionaries (name TAB index)."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError
from terrarium.sources.files import NOT_TEXT, is_name, numbered_lines
from terrarium.sources.graphs.graph_source import (
    SPLITS,
    UNDIVIDED,
    GraphSource,
    Names,
    TripleColumns,
    relation_table,
    triple_table,
)
from terrarium.sources.graphs.triple_lines import ColumnOrder, triple_lines

logger = logging.getLogger(__name__)

OnError = Literal["error", "skip"]


def read_triple_files(
    folder: str | Path,
    *,
    train: str,
    valid: str | None = None,
    test: str | None = None,
    dictionaries: tuple[str | None, str | None] = (None, None),
    column_order: ColumnOrder = "head_relation_tail",
    drop_repeated: bool = False,
    on_error: OnError = "error",
) -> GraphSource:
    """Read triple files; without valid and test the triples are undivided.

    A dictionary gives the numbers of names; without one, names are numbered as they appear, training first.

    Args:
        folder: folder of the files; .gz, .xz and .bz2 are unpacked while they are read.
        train, valid, test: file names.
        dictionaries: file names of the dictionaries of entities and of relations.
        column_order: order of the columns in the files.
        drop_repeated: whether to leave out validation and test triples that an earlier file has; otherwise they are
            kept, and a warning has their numbers.
        on_error: what to do with a malformed line, a name that is not in the dictionary, or a relation that has no
            training triple: `error` stops and names the line, `skip` drops and counts it.

    Raises:
        SourceError: a file is missing or empty, a dictionary has gaps or duplicates, or a line has a fault.
    """
    where = Path(folder)
    if (valid is None) != (test is None):
        raise SourceError("source.valid and source.test belong together: name both files, or set both to null")
    entities, relations = (_names(where, name) for name in dictionaries)
    known = _Known(entities, relations, dictionaries[0] is not None, dictionaries[1] is not None)
    columns, splits, counts = TripleColumns(), [], Counter[str]()
    files = {UNDIVIDED: train} if valid is None or test is None else {"train": train, "validation": valid, "test": test}
    for split, name in files.items():
        before = len(columns)
        trained = set(columns.relations) if split in {"validation", "test"} else None
        _read(where / name, column_order, known._replace(trained=trained), columns, on_error, counts)
        if len(columns) == before:
            raise SourceError(
                f"{where / name} has no triple: name a file with head, relation and tail separated by tabs"
            )
        splits.append(np.full(len(columns) - before, SPLITS.index(split), np.int8))
        if before == 0:
            _warn_of_order(where / name, columns, entities, relations)
    table = triple_table(columns.arrays(), entities, relations, np.concatenate(splits))
    return GraphSource(
        _check_repeated(table, where, drop_repeated),
        entity_table(entities),
        relation_table(relations),
        {"lines": len(columns) + sum(counts.values()), **counts},
    )


def entity_table(entities: Names) -> pd.DataFrame:
    """Return the table of entities of which only the names are known."""
    names = pd.array(list(entities), dtype="str")
    empty = pd.array([""] * len(entities), dtype="str")
    return pd.DataFrame({"entity": names, "name": names, "category": empty, "group": empty})


def read_dictionary(path: str | Path) -> Names:
    """Read names by index from lines of name TAB index.

    Raises:
        SourceError: the file does not exist, a line is malformed, a name or index is repeated, or the indices are not
            0 to n - 1.
    """
    file = Path(path)
    found: dict[int, str] = {}
    if not file.is_file():
        raise SourceError(f"{file} is not a file: set source.path to the folder and check the file names")
    for number, line in numbered_lines(file):
        name, _, index = (line or "").rpartition("\t")
        if not is_name(name) or not (index.isascii() and index.isdigit() and len(index) < 19):
            shown = NOT_TEXT if line is None else repr(line[:80])
            raise SourceError(f"{file} line {number} is not a name, a tab and an index: {shown}")
        if int(index) in found:
            raise SourceError(f"{file} line {number} repeats index {index}: indices must differ")
        found[int(index)] = name
    gap = next((i for i in range(len(found)) if i not in found), None)
    if gap is not None:
        raise SourceError(f"{file} has {len(found)} indices and lacks {gap}: they must be 0 to {len(found) - 1}")
    names = Names()
    for place in range(len(found)):
        if names.number(found[place]) != place:
            raise SourceError(f"{file} names {found[place]!r} twice, the second time with index {place}")
    return names


def _names(folder: Path, dictionary: str | None) -> Names:
    return Names() if dictionary is None else read_dictionary(folder / dictionary)


class _Known(NamedTuple):
    """Names so far, and whether they are fixed; `trained`: relations that other splits may have, None for all."""

    entities: Names
    relations: Names
    entities_fixed: bool
    relations_fixed: bool
    trained: set[int] | None = None


def _read(
    file: Path,
    order: ColumnOrder,
    known: _Known,
    columns: TripleColumns,
    on_error: OnError,
    counts: Counter[str],
) -> None:
    """Append the triples of a file."""
    for line in triple_lines(file, order):
        fault = ("malformed_lines", line.fault) if line.fault is not None else _fault(line.names, known)
        if fault is not None:
            if on_error == "error":
                raise SourceError(
                    f"{file} line {line.number}: {fault[1]}; correct the line, or skip such lines with "
                    "source.on_error: skip"
                )
            counts[fault[0]] += 1
            continue
        head, relation, tail = line.names
        columns.add(known.entities.number(head), known.relations.number(relation), known.entities.number(tail))


def _fault(names: tuple[str, ...], known: _Known) -> tuple[str, str] | None:
    """Return the fault of a triple: the name it is counted under and a sentence; None without a fault."""
    head, relation, tail = names
    if known.entities_fixed:
        unknown = next((name for name in (head, tail) if name not in known.entities.index), None)
        if unknown is not None:
            return "unknown_entities", f"entity {unknown!r} is not in the dictionary"
    if known.relations_fixed and relation not in known.relations.index:
        return "unknown_relations", f"relation {relation!r} is not in the dictionary"
    if known.trained is not None and known.relations.index.get(relation) not in known.trained:
        return "unknown_relations", f"relation {relation!r} is in no training triple"
    return None


def _warn_of_order(file: Path, columns: TripleColumns, entities: Names, relations: Names) -> None:
    """Warn if the third column looks like the relations: few names, none of which is a head."""
    head, relation, tail = (np.unique(column) for column in columns.arrays())
    middle = [list(relations)[number] for number in relation]
    if len(tail) < len(relation) and not np.isin(tail, head).any() and any(name in entities.index for name in middle):
        logger.warning(
            "%s has %d names in its second column and %d in its third, which are no heads: if these are the relations, "
            "set source.column_order to head_tail_relation",
            file,
            len(relation),
            len(tail),
        )


def _check_repeated(table: pd.DataFrame, folder: Path, drop: bool) -> pd.DataFrame:
    """Return the triples without those that an earlier split has, if they are to be dropped; otherwise warn of them."""
    codes = table["split"].cat.codes
    first = codes.groupby([table[name].cat.codes for name in ("head", "relation", "tail")]).transform("min")
    again = first != codes
    counts = table.loc[again, "split"].value_counts()
    shares = [
        f"{count:,} of {(table['split'] == split).sum():,} {split} triples" for split, count in counts.items() if count
    ]
    if not shares:
        return table
    if not drop:
        logger.warning(
            "%s: %s are in an earlier split, so metrics are too good: drop them with source.drop_repeated: true",
            folder,
            " and ".join(shares),
        )
        return table
    kept = table[~again].reset_index(drop=True)
    for split in table["split"].unique():
        if not (kept["split"] == split).any():
            raise SourceError(f"{folder}: all {split} triples are in an earlier split: name another file")
    logger.warning("%s: dropped %s, which are in an earlier split", folder, " and ".join(shares))
    return kept
