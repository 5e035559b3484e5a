"""A run looks after what killed runs have left: manifests that say `running`, and half-written versions."""

import logging
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from kedro.io import CatalogProtocol
from kedro.io.core import AbstractVersionedDataset

from terrarium.datasets.atomic import partial_folder
from terrarium.datasets.base import location, saving_at
from terrarium.hooks.catalogs import MANIFEST, saved_versions, versioned_dataset, versioned_datasets
from terrarium.hooks.manifests import manifest_reader, now
from terrarium.hooks.process.command import command_of
from terrarium.hooks.process.identity import is_dead

logger = logging.getLogger(__name__)

_RECENT = 20
"""Only this many of the newest runs are looked at, so that a start stays fast."""


def recover(catalog: CatalogProtocol, names: Iterable[str]) -> None:
    """Close the manifests of killed runs, and remove what they had half written of the datasets `names`."""
    dataset = versioned_dataset(catalog, MANIFEST)
    if dataset is None:
        return
    read = manifest_reader(catalog)
    for version in saved_versions(dataset)[:_RECENT]:
        manifest = read(version)
        if manifest is not None and manifest.get("status") == "running" and is_dead(manifest.get("process")):
            _close(dataset, version, manifest)
    for other in versioned_datasets(catalog, names).values():
        if getattr(other, "protocol", "") == "file":
            _remove_partial(Path(location(other)), read)


def _close(dataset: AbstractVersionedDataset, version: str, manifest: Mapping[str, Any]) -> None:
    node = manifest.get("node")
    saving_at(dataset, version).save({**manifest, "status": "killed", "ended": now(), "failed_at": node})
    folder = Path(location(dataset, version)).parent
    for leftover in folder.glob(".*.tmp") if getattr(dataset, "protocol", "") == "file" else []:
        leftover.unlink()
    at = f" in {node}" if node else ""
    logger.warning("Run %s was killed%s; to go on: %s", version, at, command_of(manifest), extra={"markup": False})


def _remove_partial(filepath: Path, read: Callable[[str], Mapping[str, Any] | None]) -> None:
    """Remove the half-written versions of runs that have ended."""
    folder = partial_folder(filepath)
    for partial in sorted(folder.iterdir()) if folder.is_dir() else []:
        manifest = read(partial.name)
        if manifest is not None and (manifest["status"] != "running" or is_dead(manifest.get("process"))):
            shutil.rmtree(partial, ignore_errors=True)
            logger.info("Removed %s, which a killed run had left", partial, extra={"markup": False})
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
