"""Trees in the Newick format, with the comments of NHX (New Hampshire Extended).

The parser is the project's own: it streams, needs no recursion, and names the line of a fault, which no library does.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from terrarium.sources.columns import NUMBER
from terrarium.sources.errors import SourceError
from terrarium.sources.files import fault, read_text
from terrarium.sources.taxonomies.numbering import node_table

logger = logging.getLogger(__name__)

SUFFIXES = (".nwk", ".newick", ".nhx", ".tree", ".tre", ".treefile", ".dnd", ".ph")
SHORTEST = 1e-6
"""Length given to branches of length 0 or less, relative to the height of the tree."""
_TOKEN = re.compile(r"\s+|'(?:[^']|'')*'|\"[^\"]*\"|\[[^\[\]]*\]|[(),:;]|[^\s()\[\],:;'\"]+(?: +[^\s()\[\],:;'\"]+)*")
_SUPPORTED_NAME = re.compile(r"(\d+(?:\.\d+)?):(.+)")
"""A support value before a name, as in GTDB's trees: 100.0:p__Bacillota."""


class _Token(NamedTuple):
    text: str
    start: int


@dataclass
class _Nodes:
    """Nodes in the order in which they are opened, so that a parent comes before its children."""

    parent: list[int] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    length: list[float | None] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    is_inner: list[bool] = field(default_factory=list)

    def add(self, parent: int, start: int) -> int:
        self.parent.append(parent)
        self.name.append("")
        self.length.append(None)
        self.start.append(start)
        self.is_inner.append(False)
        return len(self.parent) - 1


def read_newick(path: str | Path) -> pd.DataFrame:
    """Read one tree in Newick or NHX.

    Names are kept as written, without their quotes; underscores stay. A node without a label gets the S or ND of its
    NHX comment. If all labels of inner nodes are numbers, they are support values and not names. Branches of length 0
    or less get `SHORTEST` times the height of the tree, with a warning.

    Args:
        path: the file; .gz, .xz and .bz2 are unpacked.

    Returns:
        id (place in the file, the root is 0), parent (-1 at the root), name, rank, and length (of the branch to the
        parent) if the tree has lengths; one row per node.

    Raises:
        SourceError: the file is missing, or the tree has a fault; the message has its line.
    """
    file = Path(path)
    text = read_text(file)
    if text.lstrip()[:6].upper() == "#NEXUS":
        raise SourceError(f"{file} is NEXUS: export its tree as Newick")
    nodes = _parse(text, file)
    _check_leaves(nodes, file, text)
    inner = [name for name, is_inner in zip(nodes.name, nodes.is_inner, strict=True) if is_inner and name]
    if inner and all(NUMBER.fullmatch(name) for name in inner):
        nodes.name = ["" if inside else name for name, inside in zip(nodes.name, nodes.is_inner, strict=True)]
    names = [_without_support(name) for name in nodes.name]
    return node_table(
        np.arange(len(names)),
        np.array(nodes.parent, np.int64),
        names,
        [""] * len(names),
        None,
        _lengths(nodes, file, text),
    )


def _parse(text: str, file: Path) -> _Nodes:
    """Return the nodes of the only tree of a text."""
    nodes = _Nodes()
    tokens = _tokens(text, file)
    here = nodes.add(-1, 0)
    before = "("
    for token in tokens:
        mark = token.text[0]
        if mark == "(" and before in "(,":
            nodes.is_inner[here] = True
            here = nodes.add(here, token.start)
        elif mark in "),":
            parent = nodes.parent[here]
            if parent < 0 or before == ":":
                raise _at(file, text, token.start, f"{mark!r} in the wrong place", "check the parentheses")
            here = nodes.add(parent, token.start) if mark == "," else parent
        elif mark == ";":
            if here != 0 or before == ":" or len(nodes.parent) == 1:
                raise _at(file, text, token.start, "the tree ends here, but is not complete", "check the parentheses")
            rest = next((other for other in tokens if other.text[0] != "["), None)
            if rest:
                raise _at(file, text, rest.start, "a second tree begins", "keep one tree in the file")
            return nodes
        elif mark == "[":
            _read_comment(nodes, here, token.text)
            continue
        elif mark == ":" and before in "(,)n":
            pass
        elif mark not in "(:" and before == ":":
            nodes.length[here] = _length(token, file, text)
            mark = "l"
        elif mark not in "(:" and before in "(,)":
            nodes.name[here] = _unquoted(token.text)
            mark = "n"
        else:
            raise _at(file, text, token.start, f"{token.text[:30]!r} in the wrong place", "check commas and quotes")
        before = mark
    raise SourceError(f"{file} has no ; at the end of the tree: the file may be cut, or is not Newick")


def _check_leaves(nodes: _Nodes, file: Path, text: str) -> None:
    """Refuse a leaf without a name among leaves with names."""
    leaves = [node for node, is_inner in enumerate(nodes.is_inner) if not is_inner]
    unnamed = [node for node in leaves if not nodes.name[node]]
    if unnamed and len(unnamed) < len(leaves):
        raise _at(file, text, nodes.start[unnamed[0]], "the leaf after this place has no name", "name it or drop it")


def _tokens(text: str, file: Path) -> Iterator[_Token]:
    """Yield labels, numbers, comments and marks."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _at(file, text, at, f"{text[at]!r} is not closed", "check quotes and brackets")
        if not match[0].isspace():
            yield _Token(match[0], at)
        at = match.end()


def _length(token: _Token, file: Path, text: str) -> float:
    value = float(token.text) if NUMBER.fullmatch(token.text) else float("nan")
    if not abs(value) < float("inf"):
        raise _at(file, text, token.start, f"{token.text[:30]!r} is not a branch length", "correct it")
    return value


def _read_comment(nodes: _Nodes, here: int, comment: str) -> None:
    """Take the name of a node from its NHX comment [&&NHX:S=human:...] if it has no label."""
    if not comment.startswith("[&&NHX") or nodes.name[here]:
        return
    tags = dict(part.partition("=")[::2] for part in comment[1:-1].split(":")[1:])
    nodes.name[here] = tags.get("ND") or tags.get("S", "")


def _unquoted(text: str) -> str:
    if text[0] == "'":
        return " ".join(text[1:-1].replace("''", "'").split())
    return " ".join(text.strip('"').split())


def _without_support(name: str) -> str:
    match = _SUPPORTED_NAME.fullmatch(name)
    return match[2].strip() if match else name


def _lengths(nodes: _Nodes, file: Path, text: str) -> list[float] | None:
    """Return the length of each branch, None if the tree has none; the root has no branch."""
    given = nodes.length[1:]
    if all(length is None for length in given):
        return None
    lengths = [float("nan")]
    for length, start in zip(given, nodes.start[1:], strict=True):
        if length is None:
            raise _at(file, text, start, "the branch after this place has no length", "give all branches one, or none")
        lengths.append(length)
    short = sum(length <= 0.0 for length in lengths[1:])
    if not short:
        return lengths
    distance = [0.0] * len(lengths)
    for node, parent in enumerate(nodes.parent[1:], start=1):
        distance[node] = distance[parent] + max(lengths[node], 0.0)
    least = SHORTEST * max(distance)
    if least <= 0.0 or least == float("inf"):
        raise SourceError(f"{file} has no branch with a usable length: drop the lengths")
    logger.warning(
        "%s: %d branches of length 0 or less get the length %.3g, a millionth of the tree's height",
        file.name,
        short,
        least,
    )
    return [lengths[0], *(max(length, least) for length in lengths[1:])]


def _at(file: Path, text: str, start: int, what: str, remedy: str) -> SourceError:
    return fault(file, text.count("\n", 0, start) + 1, what, remedy)
