"""Ontologies in the OBO format 1.2 and 1.4, such as the Gene Ontology."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError
from terrarium.sources.files import fault, text_lines
from terrarium.sources.taxonomies.numbering import node_table, number_keys

logger = logging.getLogger(__name__)

_STANZA = re.compile(r"\[([A-Za-z]+)\]\s*(?:!.*)?")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "W": " ", "t": "\t"}
_END = re.compile(r"(?<!\\)(?:\\\\)*[!{]")
"""The end of a value: a comment (!) or trailing modifiers ({) that no backslash escapes."""
_SHOWN = 5
_IDENTIFIER = re.compile(r"\S+")


@dataclass
class _Term:
    line: int
    key: str = ""
    name: str = ""
    namespace: str = ""
    obsolete: bool = False
    parents: dict[str, int] = field(default_factory=dict)
    """Key of a parent -> line."""


def read_obo(path: str | Path) -> pd.DataFrame:
    """Read the terms of an ontology and their is_a links, without obsolete terms.

    Only [Term] stanzas are nodes. An is_a link to a term that is obsolete or has no stanza is left out, with a warning
    that names it.

    Args:
        path: the file; .gz, .xz and .bz2 are unpacked.

    Returns:
        id, parent (-1 without one), name, rank (the namespace), key (as GO:0008150); one row per link, in the order of
        the file. The id is the number in the key if all keys have the same prefix and differ in it, otherwise the place
        in the file.

    Raises:
        SourceError: the file does not exist, has no terms, or a line has a fault; the message has its number.
    """
    file = Path(path)
    terms: dict[str, _Term] = {}
    for term in _terms(file):
        if not term.key:
            raise fault(file, term.line, "this [Term] has no id", "add an id line or drop the stanza")
        if term.key in terms:
            first = terms[term.key].line
            raise fault(file, term.line, f"{term.key} has a stanza in line {first} already", "join the two")
        terms[term.key] = term
    current = {key: term for key, term in terms.items() if not term.obsolete}
    if not current:
        raise SourceError(f"{file} has no [Term] stanza that is not obsolete: give an .obo file with is_a links")
    _warn_of_missing_parents(file, terms, current)
    number = number_keys(list(current))
    rows = [
        (number[key], number[up] if up else -1, term.name or key, term.namespace, key)
        for key, term in current.items()
        for up in [parent for parent in term.parents if parent in current] or [""]
    ]
    ids, parents, names, ranks, keys = zip(*rows, strict=True)
    return node_table(np.array(ids, np.int64), np.array(parents, np.int64), names, ranks, keys)


def _terms(file: Path) -> Iterator[_Term]:
    """Yield the [Term] stanzas; the namespace is the header's default-namespace where a term has none."""
    stanza, default, term = "", "", None
    for number, line in _logical_lines(file):
        text = line.strip()
        if not text or text.startswith("!"):
            continue
        opened = _STANZA.fullmatch(text)
        if opened:
            if term:
                yield term
            stanza = opened[1]
            term = _Term(number, namespace=default) if stanza == "Term" else None
            continue
        tag, colon, value = text.partition(":")
        if not colon or not tag or tag != tag.strip():
            raise fault(file, number, f"{text[:60]!r} is not a tag, a colon and a value", "correct or drop the line")
        if not stanza and tag == "default-namespace":
            default = _value(value)
        if term:
            _add(term, tag, value, file, number)
    if term:
        yield term


def _add(term: _Term, tag: str, value: str, file: Path, number: int) -> None:
    """Add one tag to a term."""
    found = _value(value)
    if tag in {"id", "is_a"}:
        if not _IDENTIFIER.fullmatch(found):
            raise fault(file, number, f"{tag} is {found!r}", "give one identifier without blanks")
        if tag == "is_a":
            if found == term.key:
                raise fault(file, number, f"{found} is its own parent", "drop the line")
            term.parents.setdefault(found, number)
        elif term.key:
            raise fault(file, number, f"a second id, after {term.key}", "start a new [Term]")
        else:
            term.key = found
    elif tag == "name":
        term.name = found
    elif tag == "namespace":
        term.namespace = found
    elif tag == "is_obsolete":
        if found not in {"true", "false"}:
            raise fault(file, number, f"is_obsolete is {found!r}", "write true or false")
        term.obsolete = found == "true"


def _logical_lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file; a line that ends in a backslash goes on in the next."""
    start, held = 0, ""
    for number, line in text_lines(file):
        start = start if held else number
        held += line
        if held.endswith("\\") and not held.endswith("\\\\"):
            held = held[:-1] + " "
            continue
        yield start, held
        held = ""
    if held:
        yield start, held


def _value(text: str) -> str:
    """Return a value without comment and trailing modifiers, its escapes resolved; tabs and line breaks are blanks."""
    end = _END.search(text)
    cut = text[: end.end() - 1] if end else text
    resolved = _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), cut.strip())
    return re.sub(r"[\n\t]", " ", resolved).strip()


def _warn_of_missing_parents(file: Path, terms: dict[str, _Term], current: dict[str, _Term]) -> None:
    missing = [(up, term, line) for term in current.values() for up, line in term.parents.items() if up not in current]
    if not missing:
        return
    shown = ", ".join(
        f"{term.key} is_a {up} ({'obsolete' if up in terms else 'without a stanza'}, line {line})"
        for up, term, line in missing[:_SHOWN]
    )
    more = f" and {len(missing) - _SHOWN:,} more" if len(missing) > _SHOWN else ""
    logger.warning("%s: links left out, since their parents are no current terms: %s%s", file.name, shown, more)
