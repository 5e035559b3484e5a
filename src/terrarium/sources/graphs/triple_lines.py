"""Lines of triples: head TAB relation TAB tail, as people write them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from terrarium.sources.errors import SourceError
from terrarium.sources.files import NOT_TEXT, numbered_lines, suffix_of

logger = logging.getLogger(__name__)

ColumnOrder = Literal["head_relation_tail", "head_tail_relation", "relation_head_tail"]
_HEADERS = {
    "head": {"head", "subject", "source", "subject_id", "head_id"},
    "relation": {"relation", "predicate", "rel", "relation_id", "relationship", "edge_type"},
    "tail": {"tail", "object", "target", "object_id", "tail_id"},
}
_SHORT_HEADERS = {"h": "head", "r": "relation", "t": "tail"}, {"s": "head", "p": "relation", "o": "tail"}
_KGX = {"subject", "predicate", "object"}


class TripleLine(NamedTuple):
    """One line of a file of triples.

    Attributes:
        number: of the line, from 1.
        names: head, relation and tail; empty with a fault.
        fault: a sentence; None without one.
        is_empty: whether the fault is that the line is empty.
    """

    number: int
    names: tuple[str, ...]
    fault: str | None = None
    is_empty: bool = False


def triple_lines(path: Path, order: ColumnOrder = "head_relation_tail") -> Iterator[TripleLine]:
    """Yield the triples of a file.

    A header is left out, with a warning. If all names of the first line are in quotes, as pandas writes them, the
    quotes of all lines are removed. Empty lines at the end are left out.

    Args:
        path: the file; .gz, .xz and .bz2 are unpacked.
        order: the order of the columns.

    Raises:
        SourceError: the file does not exist, cannot be unpacked, is a table of KGX, or has its columns in another order
            by its header.
    """
    if not path.is_file():
        raise SourceError(f"{path} is not a file: set source.path to the folder and check the file names")
    columns = order.split("_")
    quoted = False
    for number, line in numbered_lines(path):
        if line is None:
            yield TripleLine(number, (), NOT_TEXT)
            continue
        parts = line.split("\t")
        if number == 1:
            quoted = len(parts) == 3 and all(_is_quoted(part) for part in parts)
            words = [_unquoted(part).lower() if quoted else part.lower() for part in parts]
            if _is_header(words, columns, path):
                logger.warning("%s line 1 is a header and left out: %s", path, line)
                continue
        what = _fault(parts, quoted, path)
        if what is not None:
            yield TripleLine(number, (), what, not line.strip())
            continue
        names = dict(zip(columns, map(_unquoted, parts) if quoted else parts, strict=True))
        yield TripleLine(number, (names["head"], names["relation"], names["tail"]))


def _is_header(words: list[str], columns: list[str], path: Path) -> bool:
    """Return whether the first line names its columns."""
    if set(words) >= _KGX and len(words) > 3:
        raise SourceError(f"{path} is a table of edges in KGX's TSV: set source.kind to kgx, with nodes and edges")
    found = [next((name for name, known in _HEADERS.items() if word in known), "") for word in words]
    for short in _SHORT_HEADERS:
        if sorted(words) == sorted(short):
            found = [short[word] for word in words]
    if set(found) != set(_HEADERS) or len(found) != 3:
        return False
    if found != columns:
        raise SourceError(f"{path} has the columns {', '.join(words)}: set source.column_order to {'_'.join(found)}")
    return True


def _fault(parts: list[str], quoted: bool, path: Path) -> str | None:
    """Return what is wrong with a line; None if nothing is."""
    if len(parts) != 3 or not all(parts):
        hint = ", since triples are separated by tabs" if len(parts) == 1 or suffix_of(path) == ".csv" else ""
        return f"{len(parts)} fields instead of head, relation and tail: {[part[:40] for part in parts[:4]]}{hint}"
    if quoted:
        unquoted = next((part for part in parts if not _is_quoted(part)), None)
        if unquoted is not None:
            return f"{unquoted[:40]!r} has no quotes, unlike the names of line 1"
        parts = [_unquoted(part) for part in parts]
    padded = next((name for name in parts if name != name.strip() or not name), None)
    if padded is not None:
        return f"there are blanks around {padded[:40]!r}, which would make another name"
    return None


def _is_quoted(part: str) -> bool:
    return len(part) > 2 and part[0] == part[-1] == '"' and '"' not in part[1:-1].replace('""', "")


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if _is_quoted(part) else part
