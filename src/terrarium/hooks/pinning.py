"""The nodes of a run read what that run wrote, whatever other runs write at the same time."""

import logging
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from terrarium.datasets.base import read_at, write_at
from terrarium.hooks.catalogs import MANIFEST, saved_versions, versioned_dataset, versioned_datasets

logger = logging.getLogger(__name__)


_STAMP = "%Y-%m-%dT%H.%M.%S.%fZ"


class OrderVersions:
    """Give the versions of a run a later stamp than those of every earlier run, whatever the clock says.

    The newest version is the one with the latest stamp. Without this, a run on a machine whose clock is behind, or
    after a run whose clock was ahead, would write versions that no later run reads.
    """

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Compare with the manifests of earlier runs; warn if the clock is behind them."""
        manifest = versioned_dataset(catalog, MANIFEST)
        own = manifest.resolve_save_version() if manifest is not None else None
        if manifest is None or own is None:
            return
        newest = next(iter(saved_versions(manifest)), "")
        if newest < own:
            return
        stamp = _stamp_after(newest)
        logger.warning(
            "The clock is behind run %s: this run's versions get the stamp %s, so that they are the newest; check the "
            "clock",
            newest,
            stamp,
        )
        for dataset in versioned_datasets(catalog, pipeline.all_outputs() | {MANIFEST}).values():
            write_at(dataset, stamp)


def _stamp_after(version: str) -> str:
    """Return a stamp up to a second after `version`; two processes hardly ever get the same one."""
    try:
        time = datetime.strptime(version, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return f"{version}-{os.getpid()}"
    later = time + timedelta(milliseconds=1 + os.getpid() % 1000)
    return f"{later:%Y-%m-%dT%H.%M.%S}.{later.microsecond // 1000:03d}Z"


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
