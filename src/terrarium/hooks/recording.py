"""Each run writes its manifest, and keeps it up to date while it runs."""

import logging
import signal
from functools import partial
from threading import RLock
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from terrarium.datasets.base import DamagedVersionError, read_at
from terrarium.hooks.catalogs import MANIFEST, versioned_dataset
from terrarium.hooks.manifests import manifest_reader, new_manifest, now, versions_touched
from terrarium.hooks.process.command import command_of
from terrarium.hooks.process.interrupts import Interrupts
from terrarium.hooks.process.machine import describe_libraries
from terrarium.hooks.process.recovery import recover

logger = logging.getLogger(__name__)

_FAILED_NODE = "failed_node"
"""Attribute of an error that says which node it comes from."""


class _Run:
    """A run in progress: its manifest and its nodes."""

    def __init__(self, manifest: dict[str, Any], pipeline: Pipeline) -> None:
        self.manifest = manifest
        self.pipeline = pipeline
        self.node: Node | None = None
        self.interrupts: Interrupts | None = None
        self.lock = RLock()

    def failed_at(self, error: Exception) -> str | None:
        """Return the node that failed: in its function, or else in loading its inputs or saving its outputs."""
        nodes = self.pipeline.nodes
        if not nodes or hasattr(error, _FAILED_NODE):
            return getattr(error, _FAILED_NODE, None)
        saved = set(self.manifest["written"]) | set(self.manifest["unversioned"]) | self.pipeline.inputs()
        unfinished = [node for node in nodes if not set(node.outputs) <= saved]
        ready = [node for node in unfinished if set(node.inputs) <= saved]
        return next((node.name for node in [*ready, *unfinished]), nodes[-1].name)


class RecordRuns:
    """Write the catalog entry `runs.manifest` at the start of a run, before each node, and at the end.

    Ctrl-C and SIGTERM close it as `interrupted`. The next run closes the manifest of a run that was killed.
    """

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}

    @hook_impl(trylast=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Start the manifest."""
        dataset = versioned_dataset(catalog, MANIFEST)
        if dataset is None:
            logger.warning("The catalog has no versioned entry '%s', so this run leaves no manifest", MANIFEST)
            return
        recover(catalog, pipeline.all_outputs())
        read_at(dataset, str(dataset.resolve_save_version()))
        run = _Run(new_manifest(run_params, pipeline, catalog), pipeline)
        self._runs[run_params["run_id"]] = run
        _save(run, catalog)
        is_sequential = "Sequential" in str(run_params.get("runner") or "Sequential")
        run.interrupts = Interrupts(partial(_interrupt, run, catalog), is_sequential=is_sequential)
        run.interrupts.install()

    @hook_impl
    def before_node_run(self, node: Node, catalog: CatalogProtocol, run_id: str) -> None:
        """Note what the nodes before this one have written."""
        run = self._runs.get(run_id)
        if run is not None:
            run.node = node
            _save(run, catalog, node=node.name)

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Note in the error which node failed: it travels to the process that keeps the manifest."""
        setattr(error, _FAILED_NODE, node.name)

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self, run_params: dict[str, Any], catalog: CatalogProtocol) -> None:
        """Close the manifest of a run that went well."""
        run = self._runs.pop(run_params["run_id"], None)
        if run is not None:
            _restore_handlers(run)
            _save(run, catalog, status="finished", node=None, ended=now())

    @hook_impl
    def on_pipeline_error(self, error: Exception, run_params: dict[str, Any], catalog: CatalogProtocol) -> None:
        """Close the manifest of a run that failed, saying where."""
        run = self._runs.pop(run_params["run_id"], None)
        damage = _find_damage(error)
        manifest = manifest_reader(catalog)(damage.version) if damage is not None else None
        if manifest is not None:
            logger.error("To make it again: %s", command_of(manifest), extra={"markup": False})
        if run is not None:
            _restore_handlers(run)
            run.manifest |= versions_touched(run.pipeline, catalog)
            message = f"{type(error).__name__}: {error}"
            _save(run, catalog, status="failed", ended=now(), error=message, failed_at=run.failed_at(error))


def _interrupt(run: _Run, catalog: CatalogProtocol, received: signal.Signals) -> None:
    """Close the manifest of a run that is ended by a signal, and say how to go on."""
    node = run.node.name if run.node is not None else None
    _save(run, catalog, status="interrupted", ended=now(), error=received.name, failed_at=node)
    at = f" in {node}" if node else ""
    command = command_of(run.manifest)
    logger.warning("Interrupted by %s%s; to go on: %s", received.name, at, command, extra={"markup": False})


def _find_damage(error: BaseException | None) -> DamagedVersionError | None:
    """Return the damage that an error comes from; Kedro adds the dataset's name in an error of its own."""
    while error is not None and not isinstance(error, DamagedVersionError):
        error = error.__cause__
    return error


def _restore_handlers(run: _Run) -> None:
    if run.interrupts is not None:
        run.interrupts.restore()


def _save(run: _Run, catalog: CatalogProtocol, **changes: Any) -> None:
    with run.lock:  # several nodes start at once, in threads; a signal may come in the middle of a save
        run.manifest |= {**versions_touched(run.pipeline, catalog), "libraries": describe_libraries(), **changes}
        dataset = versioned_dataset(catalog, MANIFEST)
        if dataset is not None:
            dataset.save(run.manifest)
