"""Run the nodes of a pipeline on the workers of a Dask cluster.

Kedro's runners need only an executor (`concurrent.futures`), and Dask's client has one. What is left to do here is what
a worker on another machine needs: the project, set up once per process, and a clean start for a node whose first
attempt died with its worker.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any

from click import ClickException
from kedro.framework import project
from kedro.framework.hooks.manager import _create_hook_manager, _register_hooks, _register_hooks_entry_points
from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import AbstractRunner
from kedro.runner.task import Task

from terrarium.datasets.base import discard_saved
from terrarium.hooks.catalogs import versioned_datasets

if TYPE_CHECKING:
    from distributed import Client
    from pluggy import PluginManager

_CONNECT_S = "20s"


class DaskRunner(AbstractRunner):
    """Runs each node on a worker of a Dask cluster, as soon as its inputs exist.

    Data pass from node to node through the catalog, so each dataset between two nodes needs an entry in it, on a path
    or object store that all workers see. If a worker dies, its node runs again on another one; a training resumes
    from its last checkpoint.

    Args:
        address: of the scheduler, such as `tcp://10.0.0.1:8786`; without it, a cluster is started on this machine for
            the run.
        n_workers: processes of that cluster, one thread each; by default one per CPU.
        is_async: load and save the datasets of a node in threads.

    Raises:
        ClickException: Dask is not installed, or `address` and `n_workers` are both given.
    """

    def __init__(self, address: str | None = None, n_workers: int | None = None, is_async: bool = False) -> None:
        super().__init__(is_async=is_async)
        if address and n_workers:
            raise ClickException("DaskRunner: n_workers is of a cluster on this machine; leave it out with an address")
        self._address, self._n_workers = address, n_workers
        self._client: Client | None = None
        _require_dask()

    def __str__(self) -> str:
        return f"{type(self).__module__}.{type(self).__qualname__}"

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol,
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        """Run the pipeline. The workers register the hooks of the project themselves, as ParallelRunner's do."""
        _require_entries(pipeline, catalog)
        with self._connect() as self._client:
            super()._run(pipeline=pipeline, catalog=catalog, run_id=run_id)

    def _get_executor(self, max_workers: int) -> Executor:
        if self._client is None:
            raise RuntimeError("DaskRunner has no client outside of a run")
        return _NodeExecutor(self._client)

    @contextmanager
    def _connect(self) -> Iterator[Client]:
        import dask
        from distributed import Client, LocalCluster

        logging.getLogger("distributed").setLevel(logging.WARNING)  # importing it has set INFO
        if self._address:
            with connect_to(self._address) as client:
                yield client
            return
        workers = self._n_workers or os.cpu_count() or 1
        options = {"threads_per_worker": 1, "memory_limit": 0, "dashboard_address": None}
        # A compiled training may hold the interpreter for longer than a worker may be silent.
        with (
            dask.config.set({"distributed.scheduler.worker-ttl": None}),
            LocalCluster(workers, **options) as cluster,
            Client(cluster) as client,
        ):
            yield client


class _NodeExecutor(Executor):
    """Dask's executor for tasks of Kedro."""

    def __init__(self, client: Client) -> None:
        self._executor = client.get_executor(pure=False)

    def submit(self, task: Task, /, *_: Any, **__: Any) -> Future[Node]:  # type: ignore[override]
        """Run a task on a worker."""
        remote = RemoteTask(task.node, task.catalog, task.is_async, task.run_id, project.PACKAGE_NAME)
        future: Future[Node] = self._executor.submit(remote, key=f"{task.node.name}-{task.run_id}")
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the tasks that still run, or cancel them."""
        self._executor.shutdown(wait=wait)


class RemoteTask:
    """One node of a run, to be called in a worker.

    Args:
        node: the node.
        catalog: with its inputs and outputs.
        is_async: load and save datasets in threads.
        run_id: of the run.
        package: of the Kedro project whose hooks the worker registers; None registers those of plugins alone.
    """

    def __init__(
        self, node: Node, catalog: CatalogProtocol, is_async: bool, run_id: str | None, package: str | None
    ) -> None:
        self._node, self._catalog, self._is_async, self._run_id = node, catalog, is_async, run_id
        self._package = package

    def __call__(self) -> Node:
        """Run the node, after removing what an attempt that died with its worker has saved; return the node."""
        with _SETUP:
            hook_manager = _set_up(self._package)
        for dataset in versioned_datasets(self._catalog, self._node.outputs).values():
            discard_saved(dataset)
        return Task(self._node, self._catalog, self._is_async, hook_manager, self._run_id).execute()


_SETUP = Lock()


@cache
def _set_up(package: str | None) -> PluginManager:
    """Set up the project in this process, once, and return its hooks."""
    if package != project.PACKAGE_NAME and package is not None:
        project.configure_project(package)
    manager = _create_hook_manager()
    _register_hooks(manager, project.settings.HOOKS)
    _register_hooks_entry_points(manager, project.settings.DISABLE_HOOKS_FOR_PLUGINS)
    return manager


def _require_dask() -> None:
    if find_spec("distributed") is None:
        raise ClickException("DaskRunner needs Dask: pip install -c constraints.txt -e '.[cluster]'")


def _require_entries(pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Refuse outputs that would stay in the memory of one worker."""
    lost = [name for name in sorted(pipeline.all_outputs()) if isinstance(catalog.get(name), MemoryDataset)]
    if lost:
        raise ClickException(
            f"DaskRunner: {', '.join(lost)} would stay in the memory of one worker; give each an entry in the catalog"
        )


def connect_to(address: str) -> Client:
    """Return a client of the scheduler at `address`. Raises ClickException, in one line, when none answers."""
    _require_dask()
    from distributed import Client

    try:
        return Client(address, timeout=_CONNECT_S)
    except (OSError, ValueError) as error:
        raise ClickException(
            f"DaskRunner: no scheduler answers at {address} ({error}); start one with `dask scheduler` and "
            "workers with `dask worker ADDRESS`, or leave the address out for a cluster on this machine"
        ) from error
