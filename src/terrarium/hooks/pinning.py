"""The nodes of a run read what that run wrote, whatever other runs write at the same time."""

import logging
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from terrarium.datasets.base import read_at
from terrarium.hooks.catalogs import versioned_datasets

logger = logging.getLogger(__name__)


class PinVersions:
    """Pin the load version of each versioned output of a run to the version that the run saves.

    Kedro by itself loads the newest version on disk, which is another run's when that one started later.
    """

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Pin all outputs; with --only-missing-outputs only the missing ones, since the others may be read."""
        named = run_params.get("load_versions") or {}
        for name in sorted(pipeline.all_outputs() & set(named)):
            logger.warning("--load-versions=%s:%s has no effect, as this run writes %s", name, named[name], name)
        _pin(catalog, pipeline.all_outputs(), spare_existing=bool(run_params.get("only_missing_outputs")))

    @hook_impl
    def before_node_run(self, node: Node, catalog: CatalogProtocol) -> None:
        """Pin the outputs of a node that runs after all."""
        _pin(catalog, set(node.outputs), spare_existing=False)


def _pin(catalog: CatalogProtocol, names: set[str], *, spare_existing: bool) -> None:
    for dataset in versioned_datasets(catalog, names).values():
        if spare_existing and dataset.exists():
            continue
        own = dataset.resolve_save_version()
        if own is not None:
            read_at(dataset, own)
