"""Every file and name that a run will read is checked before its first node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from terrarium.hooks.parameters import family_models
from terrarium.hooks.process.refusals import Refusal, is_refusal

READING_NODES = {
    "hyperbolic.read_source": ("hyperbolic", "terrarium.hyperbolic.data.read"),
    "senses.read_source": ("senses", "terrarium.senses.data.ingestion"),
    "knowledge_graph.read_source": ("knowledge_graph", "terrarium.kge.data.ingestion"),
    "scenes.read_source": ("scenes", "terrarium.scenes.graphs.ingestion"),
}
"""Node that reads a source -> its family, and the module that has `check_source`."""
QUERIES, TU, NEW_SCENES = "influence.select_queries", "scenes.tu.read_sets", "scenes.embed.read_source"
SAVED_NAMES = ("knowledge_graph.entities", "knowledge_graph.relations")


class CheckSources:
    """Check the sources of the nodes that will run, so that a wrong path does not end a run after hours."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Raise Refusal for the first source that cannot be read."""
        try:
            check_sources(pipeline, catalog)
        except Exception as error:
            if not is_refusal(error):
                raise
            raise Refusal(str(error)) from error


def check_sources(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Check the sources that the nodes of a pipeline read.

    Raises:
        SourceError: a file is missing or has a fault.
        UnknownEntityError, UnknownRelationError: a query names what the graph does not have.
    """
    nodes = {node.name for node in pipeline.nodes}
    for name, (family, module) in READING_NODES.items():
        if name in nodes:
            _import(module, "check_source")(_options(catalog, family, "source"))
    if TU in nodes:
        _import("terrarium.scenes.tu.benchmark", "read_sets")(_options(catalog, "scenes", "tu"))
    if NEW_SCENES in nodes:
        _import("terrarium.scenes.graphs.ingestion", "check_new_scenes")(_options(catalog, "scenes", "embed"))
    if QUERIES in nodes:
        graph = "knowledge_graph.read_source"
        _check_queries(catalog, _options(catalog, "knowledge_graph", "source") if graph in nodes else None)


def _check_queries(catalog: CatalogProtocol, source: Any) -> None:
    """Check the query triples, and their names by the graph that this run reads or that an earlier one saved."""
    options = _options(catalog, "influence", "queries")
    named = options.kind == "file" or options.entity is not None or options.relation is not None
    check = _import("terrarium.influence.data.queries", "check_queries")
    check(options)
    if source is not None and named:
        graph = _import("terrarium.kge.data.ingestion", "read_graph")(source)
        check(options, graph.entities, graph.relations)
    elif named and all(name in catalog and catalog.exists(name) for name in SAVED_NAMES):
        check(options, *map(catalog.load, SAVED_NAMES))


def _options(catalog: CatalogProtocol, family: str, branch: str) -> Any:
    """Return a branch of a family's parameters as its option model."""
    found = catalog.load(f"params:{family}.{branch}")
    model: Any = family_models()[family].model_fields[branch].annotation
    return model.model_validate(found) if isinstance(found, Mapping) else found


def _import(module: str, function: str) -> Callable[..., Any]:
    from importlib import import_module

    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
