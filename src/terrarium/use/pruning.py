"""Remove the versions of old runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kedro.io import CatalogProtocol
from kedro.io.core import AbstractVersionedDataset

from terrarium.datasets.base import discard_saved, saving_at
from terrarium.hooks.catalogs import MANIFEST, family_of, saved_versions, versioned_dataset, versioned_datasets
from terrarium.hooks.manifests import manifest_reader

Version = tuple[str, str]
"""Name of a dataset, and one of its versions."""


def old_versions(catalog: CatalogProtocol, names: Iterable[str], keep: int) -> list[Version]:
    """Return what only runs before the newest ones need.

    Args:
        catalog: the datasets.
        names: datasets that may lose versions.
        keep: number of newest runs of each family whose versions stay, with all versions that these were made from,
            however old.

    Returns:
        Dataset and version, in order. Manifests stay: they are small, and tell what was removed. So do the versions of
        runs whose manifest cannot be read.
    """
    manifests = versioned_dataset(catalog, MANIFEST)
    read = manifest_reader(catalog)
    runs = [] if manifests is None else saved_versions(manifests)
    needed: set[Version] = set()
    waiting = _newest_of_each_family(runs, read, keep)
    seen = set(waiting)
    while waiting:
        manifest = read(waiting.pop())
        if manifest is None:
            continue
        needed |= set(manifest["read"].items()) | set(manifest["written"].items())
        waiting += sorted(set(manifest["read"].values()) - seen)
        seen |= set(manifest["read"].values())
    known = {run for run in runs if read(run) is not None}
    datasets = versioned_datasets(catalog, set(names) - {MANIFEST})
    return [
        (name, version)
        for name, dataset in datasets.items()
        for version in sorted(saved_versions(dataset))
        if version in known and (name, version) not in needed
    ]


def _newest_of_each_family(
    runs: Iterable[str], read: Callable[[str], Mapping[str, Any] | None], keep: int
) -> list[str]:
    counts: Counter[str] = Counter()
    newest = []
    for run in runs:
        families = {family_of(name) for name in (read(run) or {"written": {}})["written"]}
        if any(counts[family] < keep for family in families):
            newest.append(run)
        counts.update(families)
    return newest


def remove_version(dataset: AbstractVersionedDataset, version: str) -> None:
    """Remove a version of a dataset with all its files."""
    discard_saved(saving_at(dataset, version))
