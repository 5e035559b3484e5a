"""XML files without the features that make XML unsafe: no document type, no entities."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from terrarium.sources.errors import SourceError, one_line
from terrarium.sources.files import open_bytes
from terrarium.sources.traffic.cells import LARGEST_NUMBER

LARGEST_DEPTH = 100
"""Elements within each other; the formats need fewer than ten."""


class _ForbiddenError(Exception):
    """The file uses XML that is not read."""


def parse_starts(path: Path, handle: Callable[[str, dict[str, str]], None]) -> None:
    """Call a function with the name and attributes of each element of a file, in the order of the file.

    Args:
        path: the file, packed or not.
        handle: may raise `SourceError`.

    Raises:
        SourceError: the file cannot be read, is no XML, or has a document type.
    """
    _parse(_parser(handle, lambda _: None), path)


def parse_tree(path: Path) -> Element:
    """Return the root element of a file. Raises as `parse_starts`."""
    builder = TreeBuilder()
    parser = _parser(builder.start, builder.end)
    parser.CharacterDataHandler = builder.data
    _parse(parser, path)
    return builder.close()


def name_scenes(files: list[Path], folder: str | Path) -> list[str]:
    """Return a name for each file of a folder: its own without .xml, or where two are equal all paths in the folder."""
    stems = [file.name.split(".xml")[0] for file in files]
    return stems if len(set(stems)) == len(stems) else [file.relative_to(folder).as_posix() for file in files]


def read_number(text: str | None, what: str, path: Path) -> float:
    """Return a number of an attribute or element.

    Raises:
        SourceError: it is missing, no number, or above `LARGEST_NUMBER`.
    """
    try:
        found = float(text) if text is not None and "_" not in text else float("nan")
    except ValueError:
        found = float("nan")
    if not abs(found) <= LARGEST_NUMBER:
        raise SourceError(f"{path}: {what} is {str(text)[:30]!r}, which is not a number; correct it")
    return found


def _parser(start: Callable[[str, dict[str, str]], object], end: Callable[[str], object]) -> expat.XMLParserType:
    """Return a parser that calls a function at the start and one at the end of each element."""
    parser = expat.ParserCreate()
    depth = [0]

    def enter(name: str, attributes: dict[str, str]) -> None:
        depth[0] += 1
        if depth[0] > LARGEST_DEPTH:
            raise _ForbiddenError(f"elements are more than {LARGEST_DEPTH} deep")
        start(name, attributes)

    def leave(name: str) -> None:
        depth[0] -= 1
        end(name)

    def refuse(*_: object) -> NoReturn:
        raise _ForbiddenError("a document type or entity is not read")

    parser.StartElementHandler, parser.EndElementHandler = enter, leave
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.buffer_text = True
    return parser


def _parse(parser: expat.XMLParserType, path: Path) -> None:
    try:
        with open_bytes(path) as content:
            parser.ParseFile(content)
    except (expat.ExpatError, _ForbiddenError, UnicodeError, ValueError, LookupError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{path} cannot be read as XML ({one_line(error)}): correct it or get it again") from error
