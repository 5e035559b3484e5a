"""The record of a run, which grows during the run, and the records of all runs."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

from kedro.io.core import AbstractDataset, AbstractVersionedDataset, DatasetError, Version, VersionNotFoundError

from terrarium.common.checksums import ChecksumError
from terrarium.datasets.base import copy_at
from terrarium.datasets.json_dataset import JSONDataset, strict_json
from terrarium.datasets.parquet_dataset import ParquetDataset

logger = logging.getLogger(__name__)

METRICS, HISTORY = ".metrics", ".history"
_DIGEST = "manifest_sha256"


class RunManifestDataset(JSONDataset):
    """A versioned JSON file that may be saved again in its own version: each save replaces the file atomically.

    A run that is killed so leaves the record of what it had read and written until then.
    """

    replaces_versions: ClassVar[bool] = True

    def read(self, path: Path) -> Any:
        """Return the content. Raises ChecksumError when it is not what was saved."""
        content = super().read(path)
        if not isinstance(content, dict):
            raise ChecksumError("it is not a JSON object")
        if content.pop(_DIGEST, None) != _digest(content):
            raise ChecksumError("its SHA-256 is not the one in the file")
        return content

    def write(self, path: Path, data: dict[str, Any]) -> None:
        """Write `data` with its SHA-256."""
        content = strict_json(data)
        super().write(path, {**content, _DIGEST: _digest(content)})


class RunResultsDataset(AbstractDataset[Any, list[dict[str, Any]]]):
    """What runs recorded: a list of dicts with manifest, metrics and history, the newest run first.

    `metrics` and `history` have one entry per family that a run wrote them for. What is damaged or was removed is left
    out, with a warning. Saving is an error.

    Args:
        filepath: where manifests are.
        metrics, history: where metrics and histories are, with `{family}` for the family.
        metadata: for kedro-viz and other plugins.
    """

    def __init__(
        self, *, filepath: str | PathLike[str], metrics: str, history: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self._manifests = RunManifestDataset(filepath=filepath, version=Version(None, None))
        self._paths = {METRICS: metrics, HISTORY: history}
        self.location = filepath
        self.metadata = metadata

    def load(self) -> list[dict[str, Any]]:
        """Return the runs."""
        return [
            {
                "manifest": manifest,
                "metrics": dict(self._parts(manifest, METRICS, JSONDataset)),
                "history": dict(self._parts(manifest, HISTORY, ParquetDataset)),
            }
            for manifest in self._load_manifests()
        ]

    def save(self, data: Any) -> None:
        """Refuse to save."""
        raise DatasetError("the results of runs are read, never saved: remove this entry from a node's outputs")

    def _load_manifests(self) -> Iterator[dict[str, Any]]:
        try:
            versions = self._manifests.list_versions(full_path=False)
        except VersionNotFoundError:
            return
        for version in versions:
            content = _read(self._manifests, str(version))
            if content is not None:
                yield content

    def _parts(self, manifest: dict[str, Any], ending: str, kind: type[Any]) -> Iterator[tuple[str, Any]]:
        for name, version in sorted(manifest.get("written", {}).items()):
            if name.endswith(ending):
                family = name.removesuffix(ending)
                path = self._paths[ending].replace("{family}", family.replace(".", "/"))
                content = _read(kind(filepath=path, version=Version(None, None)), version)
                if content is not None:
                    yield family, content

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self.location), **{name.lstrip("."): path for name, path in self._paths.items()}}


def _digest(content: dict[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read(dataset: AbstractVersionedDataset, version: str) -> Any:
    try:
        return copy_at(dataset, version).load()
    except DatasetError as error:
        logger.warning("Left out of the comparison: %s", " ".join(str(error).split()), extra={"markup": False})
        return None
