"""Graphs in KGX's JSON Lines or TSV, streamed: one line per node and edge, 12 bytes per edge in memory.

A relation is a predicate with its qualifiers, such as affects[object_aspect_qualifier=activity]. A style in
kgx_styles.yml, or in a file like it, says which edges are kept.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from terrarium.sources.columns import NUMBER
from terrarium.sources.errors import SourceError
from terrarium.sources.files import is_name, is_text, numbered_lines, suffix_of
from terrarium.sources.graphs.graph_source import (
    UNDIVIDED,
    GraphSource,
    Names,
    TripleColumns,
    relation_table,
    triple_table,
)
from terrarium.sources.graphs.kgx_filter import EdgeFilter
from terrarium.sources.graphs.triples import OnError

PREFIX = "biolink:"
QUALIFIERS = (
    "object_aspect_qualifier",
    "object_direction_qualifier",
    "subject_aspect_qualifier",
    "subject_direction_qualifier",
)


def read_kgx(
    folder: str | Path,
    *,
    nodes: str,
    edges: str,
    style: str,
    styles: str | Path | None = None,
    on_error: OnError = "error",
) -> GraphSource:
    """Read nodes, and the edges that a style keeps. Nodes without an edge are left out.

    Args:
        folder: folder of both files; .gz files are unpacked while they are read.
        nodes: file of nodes with id, name and category (a list; in TSV separated by |).
        edges: file of edges with subject, predicate and object, optionally the four qualifiers,
            primary_knowledge_source and affinity.
        style: name of a style.
        styles: YAML file of styles; None for the project's.
        on_error: what to do with a malformed line or an edge with an unknown end: `error` or `skip`.

    Raises:
        SourceError: a file is missing, the style is unknown, a line has a fault, or no edge is left.
    """
    where = Path(folder)
    counts = Counter[str]()
    rules = require_style(style, styles)
    names, labels, categories = _read_nodes(where / nodes, on_error, counts)
    keep = EdgeFilter(rules, categories)
    relations, columns = Names(), TripleColumns()
    if keep.around:
        for _, edge in _objects(where / edges, ("subject", "predicate", "object"), on_error, Counter[str]()):
            keep.note(_local(edge["predicate"]), names.index.get(edge["subject"]), names.index.get(edge["object"]))
    for number, edge in _objects(where / edges, ("subject", "predicate", "object"), on_error, counts):
        head, tail = names.index.get(edge["subject"]), names.index.get(edge["object"])
        if head is None or tail is None:
            _fault(
                where / edges,
                number,
                "has an end that is not in the file of nodes",
                "unknown_entities",
                on_error,
                counts,
            )
            continue
        counts["edges"] += 1
        if keep.keeps(_local(edge["predicate"]), head, tail, edge):
            columns.add(head, relations.number(relation_name(edge)), tail)
    return _collected(names, labels, categories, relations, columns, keep, counts)


def read_styles(path: str | Path | None = None) -> Mapping[str, Mapping[str, Any]]:
    """Read the styles of a file, by default the project's.

    Raises:
        SourceError: the file does not exist or is not a YAML mapping of names to mappings.
    """
    own = files(__package__).joinpath("kgx_styles.yml")
    try:
        found = yaml.safe_load(Path(path).read_text("utf-8") if path else own.read_text("utf-8"))
    except OSError as error:
        raise SourceError(f"source.styles {path} cannot be read ({error.strerror}): name a file of styles") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SourceError(f"source.styles {path} is not YAML ({' '.join(str(error).split())}): correct it") from error
    if not isinstance(found, dict) or not all(isinstance(style, dict) for style in found.values()):
        raise SourceError(f"source.styles {path} is not a mapping of names to styles: follow kgx_styles.yml")
    return found


def require_style(style: str, styles: str | Path | None = None) -> Mapping[str, Any]:
    """Return a style by its name.

    Raises:
        SourceError: there is no such style, or the file of styles is broken.
    """
    found = read_styles(styles)
    if style not in found:
        raise SourceError(f"source.style {style!r} does not exist: choose from {', '.join(map(str, found))}")
    return found[style]


def relation_name(edge: Mapping[str, Any]) -> str:
    """Return the predicate, with the qualifiers of the edge in brackets, sorted by name."""
    given = [f"{name}={_local(str(edge[name]))}" for name in QUALIFIERS if edge.get(name)]
    return f"{_local(edge['predicate'])}[{';'.join(given)}]" if given else _local(edge["predicate"])


def _collected(
    names: Names,
    labels: list[str],
    categories: list[tuple[str, ...]],
    relations: Names,
    columns: TripleColumns,
    keep: EdgeFilter,
    counts: Counter[str],
) -> GraphSource:
    """Return the tables; entities are renumbered, since some have no edge."""
    head, relation, tail = columns.arrays()
    kept = keep.by_degree(head, tail)
    head, relation, tail = head[kept], relation[kept], tail[kept]
    if not len(head):
        raise SourceError(f"no edge of {counts['edges']:,} is left: choose another source.style")
    used = np.zeros(len(names), bool)
    used[head], used[tail] = True, True
    number = np.cumsum(used) - 1
    ids = np.array(list(names), dtype=object)
    rows = np.flatnonzero(used)
    entities = pd.DataFrame(
        {
            "entity": pd.array(ids[rows], dtype="str"),
            "name": pd.array([labels[row] for row in rows], dtype="str"),
            "category": pd.array([categories[row][0] if categories[row] else "" for row in rows], dtype="str"),
            "group": pd.array([""] * len(rows), dtype="str"),
        }
    )
    index = Names(dict(zip(entities["entity"], range(len(rows)), strict=True)))
    triples = triple_table((number[head], relation, number[tail]), index, relations, UNDIVIDED)
    counted = {**counts, "edges_kept": len(triples), "nodes": len(names), "nodes_kept": len(rows)}
    return GraphSource(triples, entities, relation_table(relations), counted)


def _read_nodes(file: Path, on_error: OnError, counts: Counter[str]) -> tuple[Names, list[str], list[tuple[str, ...]]]:
    """Read ids, names and categories of nodes; equal lists of categories are one object."""
    names, labels, categories = Names(), list[str](), list[tuple[str, ...]]()
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    for line, node in _objects(file, ("id",), on_error, counts):
        given = node.get("category") or []
        given = given.split("|") if isinstance(given, str) else given
        if not isinstance(given, list) or not all(map(_is_term, given)):
            what = "has a category that is neither a text nor a list of texts"
            _fault(file, line, what, "malformed_lines", on_error, counts)
            continue
        label = node.get("name") or node["id"]
        if not isinstance(label, str) or not is_text(label):
            _fault(file, line, "has a name that is not a text", "malformed_lines", on_error, counts)
            continue
        if names.number(node["id"]) < len(labels):
            counts["repeated_nodes"] += 1
            continue
        classes = tuple(_local(name) for name in given)
        labels.append(label.strip())
        categories.append(shared.setdefault(classes, classes))
    return names, labels, categories


def _objects(
    file: Path, needed: tuple[str, ...], on_error: OnError, counts: Counter[str]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number and fields of the lines that have the needed names, of JSON Lines or TSV."""
    if not file.is_file():
        raise SourceError(f"{file} is not a file: set source.path, source.nodes and source.edges")
    header: list[str] | None = None
    for number, line in numbered_lines(file):
        if line is not None and not line.strip():
            continue
        if header is None and suffix_of(file) == ".tsv":
            header = _header(file, line, needed)
            continue
        found = None if line is None else _object(line) if header is None else _row(line, header)
        if isinstance(found, dict) and all(_is_term(found.get(name)) for name in needed) and _has_qualifiers(found):
            yield number, found
        else:
            kind = "JSON object" if header is None else f"row of {len(header)} fields"
            what = "is not UTF-8 text" if line is None else f"is not a {kind} with {', '.join(needed)}"
            _fault(file, number, what, "malformed_lines", on_error, counts)


def _header(file: Path, line: str | None, needed: tuple[str, ...]) -> list[str]:
    """Return the names of a TSV file's columns."""
    header = [] if line is None else [cell.strip() for cell in line.split("\t")]
    missing = [name for name in needed if name not in header]
    if missing or len(set(header)) < len(header):
        raise SourceError(
            f"{file} line 1: the header has no column {missing[0]}; KGX's TSV has {', '.join(needed)}"
            if missing
            else f"{file} line 1: the header has a column twice; drop one"
        )
    return header


def _row(line: str, header: list[str]) -> dict[str, Any] | None:
    """Return the fields of a line of TSV; None if there are more or fewer than columns."""
    cells = line.split("\t")
    if len(cells) != len(header):
        return None
    row: dict[str, Any] = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    affinity = row.get("affinity")
    return row | {"affinity": float(affinity)} if affinity and NUMBER.fullmatch(affinity) else row


def _has_qualifiers(found: dict[str, Any]) -> bool:
    """Return whether the qualifiers that an edge has are texts."""
    return all(not found.get(name) or _is_term(found[name]) for name in QUALIFIERS)


def _is_term(name: object) -> bool:
    """Return whether a value can name something, also without Biolink's prefix."""
    return isinstance(name, str) and is_name(name) and is_name(_local(name))


def _object(line: str) -> Any:
    """Return the value of a line of JSON; None if it is invalid."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _fault(file: Path, line: int, what: str, name: str, on_error: OnError, counts: Counter[str]) -> None:
    if on_error == "error":
        raise SourceError(f"{file} line {line} {what}; correct it, or skip such lines with source.on_error: skip")
    counts[name] += 1


def _local(name: str) -> str:
    return name.removeprefix(PREFIX)
