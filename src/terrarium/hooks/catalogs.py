"""What the hooks need to know of a Kedro catalog."""

from collections.abc import Iterable

from kedro.io import CatalogProtocol
from kedro.io.core import AbstractVersionedDataset, VersionNotFoundError, is_parameter

from terrarium.datasets.base import is_versioned

MANIFEST = "runs.manifest"
"""Catalog entry of the record of each run."""


def versioned_dataset(catalog: CatalogProtocol, name: str) -> AbstractVersionedDataset | None:
    """Return the dataset `name` if the catalog versions it, else None."""
    if is_parameter(name) or name not in catalog:
        return None
    dataset = catalog.get(name)
    return dataset if is_versioned(dataset) else None


def versioned_datasets(catalog: CatalogProtocol, names: Iterable[str]) -> dict[str, AbstractVersionedDataset]:
    """Return the versioned datasets among `names`, by name in sorted order."""
    datasets = ((name, versioned_dataset(catalog, name)) for name in sorted(names))
    return {name: dataset for name, dataset in datasets if dataset is not None}


def saved_versions(dataset: AbstractVersionedDataset) -> list[str]:
    """Return the versions that have been saved, the newest first; empty when there are none."""
    try:
        return [str(version) for version in dataset.list_versions(full_path=False)]
    except VersionNotFoundError:
        return []


def family_of(name: str) -> str:
    """Return the namespace of a dataset: `hyperbolic` for `hyperbolic.weights`, empty without one."""
    return name.partition(".")[0] if "." in name else ""
