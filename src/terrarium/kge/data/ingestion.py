"""Read the source that the options choose."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from terrarium.kge.data.options import SourceOptions
from terrarium.sources.errors import SourceError
from terrarium.sources.graphs.benchmark_graphs import read_benchmark_graph
from terrarium.sources.graphs.graph_source import GraphSource
from terrarium.sources.graphs.kgx import read_kgx, require_style
from terrarium.sources.graphs.triples import read_triple_files
from terrarium.sources.graphs.virus_host import read_virus_hosts

logger = logging.getLogger(__name__)


def read_graph(source: SourceOptions) -> GraphSource:
    """Return the graph of the source, and log what was read and skipped.

    Raises:
        SourceError: a file that is missing, or faulty with `on_error` error.
    """
    graph = _mark_hierarchy(_read(source), source.hierarchy_relation)
    logger.info(
        "%s: %s triples, %s entities, %s relations",
        source.chosen_kind,
        f"{len(graph.triples):,}",
        f"{len(graph.entities):,}",
        f"{len(graph.relations):,}",
    )
    for name in ("malformed_lines", "unknown_entities", "unknown_relations", "repeated_nodes"):
        if graph.counts.get(name):
            logger.warning("Skipped %s lines: %s", f"{graph.counts[name]:,}", name.replace("_", " "))
    return graph


def check_source(source: SourceOptions) -> None:
    """Check that the files of the source exist, and that the style of a KGX graph does.

    Raises:
        SourceError: a file is missing, or there is no such style.
    """
    folder = Path(source.path or "")
    named = {
        "files": (source.train, source.valid, source.test, source.entity_dictionary, source.relation_dictionary),
        "kgx": (source.nodes, source.edges),
    }
    advice = {
        "files": "source.path to the folder and check the file names",
        "kgx": "source.path, source.nodes and source.edges",
    }
    for name in named.get(source.chosen_kind, ()):
        if name is not None and not (folder / name).is_file():
            raise SourceError(f"{folder / name} is not a file: set {advice[source.chosen_kind]}")
    if source.chosen_kind == "kgx":
        require_style(source.style, source.styles)


def _mark_hierarchy(graph: GraphSource, relation: str | None) -> GraphSource:
    """Return the graph with the chosen relation marked as the one to a parent, in place of the source's."""
    if relation is None:
        return graph
    names = graph.relations["relation"]
    if not (names == relation).any():
        raise SourceError(
            f"source.hierarchy_relation names {relation!r}: the relations are {', '.join(names.head(10))}"
        )
    return replace(graph, relations=graph.relations.assign(is_hierarchy=names == relation))


def _read(source: SourceOptions) -> GraphSource:
    path = source.path or ""
    match source.chosen_kind:
        case "virus_host":
            return read_virus_hosts(source.clade)
        case "kgx":
            return read_kgx(
                path,
                nodes=source.nodes,
                edges=source.edges,
                style=source.style,
                styles=source.styles,
                on_error=source.on_error,
            )
        case "pyg":
            return read_benchmark_graph(source.dataset, path, source.on_error)
    return read_triple_files(
        path,
        train=source.train,
        valid=source.valid,
        test=source.test,
        dictionaries=(source.entity_dictionary, source.relation_dictionary),
        column_order=source.column_order,
        drop_repeated=source.drop_repeated,
        on_error=source.on_error,
    )
