"""What the hooks ask of a Kedro catalog."""

from collections.abc import Iterable

from kedro.io import CatalogProtocol
from kedro.io.core import AbstractVersionedDataset, Version, VersionNotFoundError, is_parameter

MANIFEST = "runs.manifest"
"""Catalog entry of the record of each run."""


def versioned(catalog: CatalogProtocol, name: str) -> AbstractVersionedDataset | None:
    """The dataset `name` if the catalog versions it, else None."""
    if is_parameter(name) or name not in catalog:
        return None
    dataset = catalog.get(name)
    is_versioned = isinstance(dataset, AbstractVersionedDataset) and dataset._version is not None
    return dataset if is_versioned else None


def all_versioned(catalog: CatalogProtocol, names: Iterable[str]) -> dict[str, AbstractVersionedDataset]:
    """The versioned datasets among `names`, by name in sorted order."""
    found = ((name, versioned(catalog, name)) for name in sorted(names))
    return {name: dataset for name, dataset in found if dataset is not None}


def versions_of(dataset: AbstractVersionedDataset) -> list[str]:
    """The versions on disk, the newest first; empty when there are none."""
    try:
        return [str(version) for version in dataset.list_versions(full_path=False)]
    except VersionNotFoundError:
        return []


def has_version(dataset: AbstractVersionedDataset, version: str) -> bool:
    """Whether `version` is on disk."""
    return dataset._exists_function(str(dataset._get_versioned_path(version)))


def read_at(dataset: AbstractVersionedDataset, version: str) -> None:
    """Make `dataset` load `version`; what it saves stays the same."""
    save = dataset._version.save if dataset._version else None
    dataset._version = Version(version, save)
    dataset._clear_version_cache()


def family_of(name: str) -> str:
    """The namespace of a dataset: `hyperbolic` for `hyperbolic.weights`, empty without one."""
    return name.partition(".")[0] if "." in name else ""
