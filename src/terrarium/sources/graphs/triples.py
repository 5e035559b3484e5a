"""Triple files (head TAB relation TAB tail) and dictionaries (name TAB index)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError
from terrarium.sources.graphs.graph_source import (
    SPLITS,
    UNDIVIDED,
    GraphSource,
    Names,
    TripleColumns,
    numbered_lines,
    relation_table,
    triple_table,
)

OnError = Literal["error", "skip"]


def read_triple_files(
    folder: str | Path,
    *,
    train: str,
    valid: str | None = None,
    test: str | None = None,
    entity_dictionary: str | None = None,
    relation_dictionary: str | None = None,
    on_error: OnError = "error",
) -> GraphSource:
    """Read triple files; without valid and test the triples are undivided.

    A dictionary gives the numbers of names; without one, names are numbered as they appear, training first.

    Args:
        folder: folder of the files; .gz files are unpacked while they are read.
        train, valid, test: file names.
        entity_dictionary, relation_dictionary: file names.
        on_error: what to do with a malformed line, a name that is not in the dictionary, or a relation that has no
            training triple: `error` stops and names the line, `skip` drops and counts it.

    Raises:
        SourceError: a file is missing or empty, a dictionary has gaps or duplicates, or a line has a fault.
    """
    where = Path(folder)
    if (valid is None) != (test is None):
        raise SourceError("source.valid and source.test belong together: name both files, or set both to null")
    entities, relations = _names(where, entity_dictionary), _names(where, relation_dictionary)
    known = _Known(entities, relations, entity_dictionary is not None, relation_dictionary is not None)
    columns, splits, counts = TripleColumns(), [], Counter[str]()
    files = {UNDIVIDED: train} if valid is None or test is None else {"train": train, "validation": valid, "test": test}
    for split, name in files.items():
        before = len(columns)
        trained = set(columns.relations) if split in {"validation", "test"} else None
        _read(where / name, known._replace(trained=trained), columns, on_error, counts)
        if len(columns) == before:
            raise SourceError(
                f"{where / name} has no triple: name a file with head, relation and tail separated by tabs"
            )
        splits.append(np.full(len(columns) - before, SPLITS.index(split), np.int8))
    return GraphSource(
        triple_table(columns.arrays(), entities, relations, np.concatenate(splits)),
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
    for number, line in _lines(file):
        name, _, index = (line or "").rpartition("\t")
        if not name or name != name.strip() or not (index.isascii() and index.isdigit()):
            shown = "not UTF-8" if line is None else repr(line[:80])
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


def _read(file: Path, known: _Known, columns: TripleColumns, on_error: OnError, counts: Counter[str]) -> None:
    """Append the triples of a file."""
    for number, line in _lines(file):
        parts = [] if line is None else line.split("\t")
        fault = ("malformed_lines", "it is not UTF-8") if line is None else _fault(parts, known)
        if fault is not None:
            if on_error == "error":
                raise SourceError(
                    f"{file} line {number}: {fault[1]}; correct the line, or skip such lines with source.on_error: skip"
                )
            counts[fault[0]] += 1
            continue
        head, relation, tail = parts
        columns.add(known.entities.number(head), known.relations.number(relation), known.entities.number(tail))


def _fault(parts: list[str], known: _Known) -> tuple[str, str] | None:
    """Return the fault of a line: the name it is counted under and a sentence; None without a fault."""
    if len(parts) != 3 or not all(parts):
        return "malformed_lines", f"{len(parts)} fields instead of head, relation and tail: {parts[:4]}"
    padded = next((name for name in parts if name != name.strip()), None)
    if padded is not None:
        return "malformed_lines", f"there are blanks around {padded!r}, which would make another name"
    head, relation, tail = parts
    if known.entities_fixed:
        unknown = next((name for name in (head, tail) if name not in known.entities.index), None)
        if unknown is not None:
            return "unknown_entities", f"entity {unknown!r} is not in the dictionary"
    if known.relations_fixed and relation not in known.relations.index:
        return "unknown_relations", f"relation {relation!r} is not in the dictionary"
    if known.trained is not None and known.relations.index.get(relation) not in known.trained:
        return "unknown_relations", f"relation {relation!r} is in no training triple"
    return None


def _lines(file: Path) -> Iterator[tuple[int, str | None]]:
    """Yield number (from 1) and text of each line; None for a line that is not UTF-8."""
    if not file.is_file():
        raise SourceError(f"{file} is not a file: set source.path to the folder and check the file names")
    yield from numbered_lines(file)
