"""Atomic saves for Kedro's datasets on the local file system.

Kedro writes a version in place, so a save that is killed half way leaves a truncated file that later counts as the
newest version. Here a version is written to `<filepath>.partial/<stamp>/<name>`, flushed to the disk, and its folder
renamed to `<filepath>/<stamp>`; an unversioned file is written beside its place and renamed over it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeAlias

from kedro.io.core import DatasetError, get_protocol_and_path

from terrarium.training.checkpointing.state import flush

if TYPE_CHECKING:
    _Base: TypeAlias = Any
else:
    _Base = object


@dataclass(frozen=True)
class Staging:
    """Where a save is written (`target`), and what is renamed to what once it is complete."""

    target: Path
    source: Path
    destination: Path


class AtomicSaves(_Base):
    """Mixin to put before a dataset class of kedro-datasets: its `save` becomes atomic.

    A dataset with a `save` of its own writes inside `with self._staged() as path`.
    """

    def save(self, data: Any) -> None:
        """Save `data` atomically. Raises DatasetError when the version exists already."""
        with self._staged():
            super().save.__wrapped__(self, data)

    def _get_save_path(self) -> PurePosixPath:
        return PurePosixPath(self._staging().target)

    def _staging(self) -> Staging:
        final = Path(super()._get_save_path())
        if self._version is None:
            temporary = final.with_name(f".{final.name}.{os.getpid()}.tmp")
            return Staging(temporary, temporary, final)
        stamp = final.parent
        partial = stamp.parent.with_name(f"{stamp.parent.name}.partial") / stamp.name
        return Staging(partial / final.name, partial, stamp)

    @contextmanager
    def _staged(self) -> Iterator[Path]:
        """Context for a path to write a file or a folder to; it takes its place when the block succeeds."""
        staging = self._staging()
        _remove(staging.source)
        staging.target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield staging.target
            publish(staging)
        finally:
            _remove(staging.source)
            if self._version is not None:
                with suppress(OSError):
                    staging.source.parent.rmdir()


def local_path(filepath: str | os.PathLike[str]) -> str:
    """`filepath` without `file://`. Raises DatasetError for any other protocol: renaming is atomic only locally."""
    protocol, path = get_protocol_and_path(filepath)
    if protocol != "file":
        raise DatasetError(
            f"{filepath} is on '{protocol}', but this dataset saves atomically and so needs a local path; "
            "copy the files there yourself, or use the dataset of kedro-datasets"
        )
    return path


def publish(staging: Staging) -> None:
    """Flush what was written and rename it to its place. Raises DatasetError when a version stands there already."""
    flush_tree(staging.source)
    _make_folder(staging.destination.parent)
    try:
        os.replace(staging.source, staging.destination)
    except OSError as error:
        if not staging.destination.is_dir():
            raise
        raise DatasetError(f"{staging.destination} exists already; a version is never overwritten") from error
    flush(staging.destination.parent)


def flush_tree(path: Path) -> None:
    """Force a file, or a folder with all it holds, to the disk."""
    if path.is_dir():
        for child in path.iterdir():
            flush_tree(child)
    flush(path)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(str(folder)) from error


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
