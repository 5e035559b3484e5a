"""The base of the file datasets: atomic saves, on local paths and on object stores.

A dataset of the project says how to `read` and `write` one local file; this module does the rest. On a local path a
save is renamed to its place when it is complete. On an object store (`OBJECT_STORES`) the file is written locally and
uploaded in one piece, which the store shows whole or not at all. Other file systems (`sftp://`, `hdfs://`) show a file
while it grows and are refused. The datasets of kedro-datasets write in place, so that a save which fails half way
leaves a truncated file that counts as the newest version.

Apart from `terrarium.runner.dask_runner`, this is the only module that touches underscore names of Kedro:

- `_filepath`, `_version`, `_get_load_path`, `_get_save_path`, `_get_versioned_path`, `_exists`, `_describe`: what
  Kedro's guide to custom datasets tells a subclass of `AbstractVersionedDataset` to use or to define.
- `_version`, `_clear_version_cache` (in `read_at`): no public method changes the version that a dataset loads.
- `_exists_function`, `_glob_function` (in `__setstate__`): they belong to a connection, which no other process has.
- `_exists_function`, `_get_versioned_path` (in `has_version`, `discard_saved`): `list_versions` lists a folder where
  one look-up does.
- `kedro_datasets._typing`: kedro-viz knows a preview's kind by these types, which have no public home.
"""

import copy
import shutil
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from os import PathLike
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import fsspec
from kedro.io.core import (
    AbstractDataset,
    AbstractVersionedDataset,
    DatasetError,
    Version,
    get_filepath_str,
    get_protocol_and_path,
)
from kedro_datasets._typing import JSONPreview, PlotlyPreview, TablePreview

from terrarium.common import checksums
from terrarium.common.checksums import ChecksumError
from terrarium.datasets.atomic import replace_file, stage_version
from terrarium.training.checkpointing.state import StateError

__all__ = ["FileDataset", "JSONPreview", "PlotlyPreview", "TablePreview"]

OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory")
"""Protocols of fsspec whose file systems show an uploaded file whole or not at all."""


class DamagedVersionError(DatasetError):
    """A version is not what was saved.

    Attributes:
        version: the run that made it.
    """

    def __init__(self, path: str, reason: object, version: str) -> None:
        self.version = version
        super().__init__(
            f"{path} is damaged: {reason}. Run {version} made it: make it again, or choose another version with "
            "--load-versions"
        )


class FileDataset(AbstractVersionedDataset[Any, Any]):
    """One file, versioned or not, that is saved atomically; loading a version checks its SHA-256.

    Args:
        filepath: a path, or an address such as `s3://bucket/weights.safetensors`.
        version: versions to load and to save; None for an unversioned file.
        load_args, save_args: for the library that reads and writes the format.
        credentials, fs_args: arguments of the fsspec file system of an object store.
        metadata: for kedro-viz and other plugins.

    Raises:
        DatasetError: the path is neither local nor on an object store, or an argument would be ignored.
    """

    DEFAULT_SAVE_ARGS: ClassVar[dict[str, Any]] = {}
    UNUSED_ARGUMENTS: ClassVar[frozenset[str]] = frozenset()
    """Which of `load_args` and `save_args` the format does not have."""
    replaces_versions: ClassVar[bool] = False
    """Whether a version may be saved again; by default that is an error."""
    checks_itself: ClassVar[bool] = False
    """Whether `read` finds any damage by checksums within the format."""

    def __init__(
        self,
        *,
        filepath: str | PathLike[str],
        version: Version | None = None,
        load_args: dict[str, Any] | None = None,
        save_args: dict[str, Any] | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.protocol, path = _split_protocol(filepath, version)
        if not self.is_local and self.protocol not in OBJECT_STORES:
            raise DatasetError(
                f"{filepath}: '{self.protocol}' may show a file that is half written; use a local path or an object "
                f"store ({', '.join(OBJECT_STORES)})"
            )
        given = {"load_args": load_args, "save_args": save_args, "credentials": credentials, "fs_args": fs_args}
        self._refuse_unused({name for name, value in given.items() if value}, path)
        self.load_args = load_args or {}
        self.save_args = self.DEFAULT_SAVE_ARGS | (save_args or {})
        self.metadata = metadata
        if self.is_local:
            super().__init__(PurePosixPath(path), version, glob_function=self._list_local)
        else:
            self._remote_args = (credentials or {}) | (fs_args or {})
            self._remote = fsspec.filesystem(self.protocol, **self._remote_args)
            super().__init__(PurePosixPath(path), version, self._remote.exists, self._remote.glob)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the connection to an object store behind, for another process."""
        here = {"_remote", "_exists_function", "_glob_function"} if not self.is_local else set()
        return {name: value for name, value in self.__dict__.items() if name not in here}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Connect again."""
        self.__dict__.update(state)
        if not self.is_local:
            self._remote = fsspec.filesystem(self.protocol, **self._remote_args)
            self._exists_function, self._glob_function = self._remote.exists, self._remote.glob

    @property
    def is_local(self) -> bool:
        """Whether the file is on a local path."""
        return self.protocol == "file"

    @property
    def has_checksums(self) -> bool:
        """Whether each version has a file with its SHA-256."""
        return self._version is not None and not self.replaces_versions

    @abstractmethod
    def read(self, path: Path) -> Any:
        """Return the content of a local file."""

    @abstractmethod
    def write(self, path: Path, data: Any) -> None:
        """Write `data` to a local file that does not exist yet."""

    def load(self) -> Any:
        """Return the content.

        Raises:
            DamagedVersionError: a version's file is not the one that was saved.
            DatasetError: the file is missing or cannot be read.
        """
        with self.local_copy() as path:
            try:
                self._check(path)
                return self.read(path)
            except (ChecksumError, StateError) as error:
                version = self.resolve_load_version()
                if version is None:
                    raise
                raise DamagedVersionError(location(self, version), error, version) from error

    def save(self, data: Any) -> None:
        """Save `data` atomically. Raises DatasetError when the version exists already."""
        with self._staged() as path:
            self.write(path, data)
            if self.has_checksums:
                checksums.write_checksums(path)

    @contextmanager
    def local_copy(self) -> Iterator[Path]:
        """Give a local path of the content: the file itself, or a temporary copy of a remote file."""
        path = get_filepath_str(self._get_load_path(), self.protocol)
        if self.is_local:
            yield Path(path)
            return
        with TemporaryDirectory() as folder:
            copied = Path(folder) / PurePosixPath(path).name
            self._remote.get_file(path, str(copied))
            sums = self._checksums_path(path)
            if self.has_checksums and self._remote.exists(sums):
                self._remote.get_file(sums, str(copied.with_name(checksums.NAME)))
            yield copied

    def digest(self, version: str) -> str | None:
        """Return the SHA-256 of a saved version as hex, as recorded when it was saved; None without a record."""
        path = self._checksums_path(str(self._get_versioned_path(version)))
        if not self.has_checksums or not self._exists_function(path):
            return None
        content = Path(path).read_bytes() if self.is_local else self._remote.cat_file(path)
        return checksums.summary_digest(content)

    def _check(self, path: Path) -> None:
        """Compare a local copy with its SHA-256, if that was recorded. Raises ChecksumError."""
        sums = path.with_name(checksums.NAME)
        if self.has_checksums and not self.checks_itself and sums.exists():
            checksums.verify_checksum(path, sums)

    @staticmethod
    def _checksums_path(path: str) -> str:
        return str(PurePosixPath(path).with_name(checksums.NAME))

    def _refuse_unused(self, given: set[str], path: str) -> None:
        of_stores = {"credentials", "fs_args"} if self.is_local else set()
        for name in sorted(given & (self.UNUSED_ARGUMENTS | of_stores)):
            why = f"has no effect on the local path {path}" if name in of_stores else "is not an argument of this type"
            raise DatasetError(f"{type(self).__name__}: {name} {why}; remove it from the catalog entry")

    def _staged(self) -> AbstractContextManager[Path]:
        """Yield a local path to write to; what is there is published when the block succeeds."""
        version = self.resolve_save_version()
        final = self._versioned(version) if self.replaces_versions else self._get_save_path()
        if not self.is_local:
            return self._uploaded(str(final))
        return replace_file(Path(final)) if version is None or self.replaces_versions else stage_version(Path(final))

    def _versioned(self, version: str | None) -> PurePosixPath:
        return self._filepath if version is None else self._get_versioned_path(version)

    @contextmanager
    def _uploaded(self, final: str) -> Iterator[Path]:
        with TemporaryDirectory() as folder:
            written = Path(folder) / PurePosixPath(final).name
            yield written
            sums = written.with_name(checksums.NAME)
            if sums.exists():  # first, since the version exists as soon as its file does
                self._remote.put_file(str(sums), self._checksums_path(final))
            self._remote.put_file(str(written), final)
            self._remote.invalidate_cache()

    def _list_local(self, _pattern: str) -> list[str]:
        """Return the paths of all versions; Kedro's glob takes a `[` in the path for a set of characters."""
        folder = Path(self._filepath)
        stamps = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        paths = (str(self._get_versioned_path(stamp)) for stamp in stamps)
        return [path for path in paths if Path(path).exists()]

    def _exists(self) -> bool:
        try:
            path = get_filepath_str(self._get_load_path(), self.protocol)
        except DatasetError:
            return False
        return bool(self._exists_function(path))

    def _describe(self) -> dict[str, Any]:
        return {
            "filepath": self._filepath,
            "protocol": self.protocol,
            "load_args": self.load_args,
            "save_args": self.save_args,
            "version": self._version,
        }


def require_local(filepath: str | PathLike[str], name: str, reason: str) -> str:
    """Return `filepath` without `file://`.

    Args:
        filepath: the path of a catalog entry.
        name: the dataset class.
        reason: why it needs a local path, to follow "because".

    Raises:
        DatasetError: the path is not local.
    """
    protocol, path = _split_protocol(filepath)
    if protocol != "file":
        raise DatasetError(
            f"{name} needs a local path, because {reason}, and {filepath} is on '{protocol}': "
            "give this entry a local filepath in conf/local/catalog.yml"
        )
    return path


def _split_protocol(filepath: str | PathLike[str], version: Version | None = None) -> tuple[str, str]:
    """Return protocol and path; fsspec knows local paths as `file` and as `local`."""
    protocol, path = get_protocol_and_path(filepath, version)
    return "file" if protocol == "local" else protocol, path


def is_versioned(dataset: AbstractDataset | None) -> bool:
    """Return whether a dataset keeps versions."""
    return isinstance(dataset, AbstractVersionedDataset) and dataset.resolve_save_version() is not None


def has_version(dataset: AbstractVersionedDataset, version: str) -> bool:
    """Return whether `version` has been saved."""
    return bool(dataset._exists_function(str(dataset._get_versioned_path(version))))


def discard_saved(dataset: AbstractVersionedDataset) -> None:
    """Remove the version that `dataset` saves, if there is one: a node that is run again saves it again."""
    version = dataset.resolve_save_version()
    if version is None or not has_version(dataset, version) or getattr(dataset, "replaces_versions", False):
        return
    path, remote = str(dataset._get_versioned_path(version).parent), getattr(dataset, "_remote", None)
    if remote is None:
        shutil.rmtree(path)
    else:
        remote.rm(path, recursive=True)


def read_at(dataset: AbstractVersionedDataset, version: str) -> None:
    """Make `dataset` load `version`; the version that it saves stays the same."""
    save = dataset._version.save if dataset._version else None
    dataset._version = Version(version, save)
    dataset._clear_version_cache()


def copy_at(dataset: AbstractVersionedDataset, version: str) -> AbstractVersionedDataset:
    """Return a copy of `dataset` that loads `version`."""
    copied = copy.copy(dataset)
    read_at(copied, version)
    return copied


def write_at(dataset: AbstractVersionedDataset, version: str) -> None:
    """Make `dataset` save `version`; the version that it loads stays the same."""
    dataset._version = Version(dataset._version.load if dataset._version else None, version)
    dataset._clear_version_cache()


def saving_at(dataset: AbstractVersionedDataset, version: str) -> AbstractVersionedDataset:
    """Return a copy of `dataset` that loads and saves `version`."""
    copied = copy.copy(dataset)
    copied._version = Version(version, version)
    copied._clear_version_cache()
    return copied


def digest_of(dataset: AbstractVersionedDataset, version: str) -> str | None:
    """Return the SHA-256 that was recorded when `version` was saved; None without a record."""
    return dataset.digest(version) if isinstance(dataset, FileDataset) else None


def location(dataset: AbstractVersionedDataset, version: str | None = None) -> str:
    """Return the path of a version, or of the folder of all versions, with its protocol unless it is local."""
    path = dataset._filepath if version is None else dataset._get_versioned_path(version)
    protocol = getattr(dataset, "protocol", "file")
    return str(path) if protocol == "file" else f"{protocol}://{path}"
