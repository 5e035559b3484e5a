"""Atomic saves on the local file system: whoever looks finds the whole file or version, or none.

A version is written to `<filepath>.partial/<stamp>/<name>`, flushed to the disk, and its folder renamed to
`<filepath>/<stamp>`; an unversioned file is written next to its place and renamed over it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kedro.io.core import DatasetError

from terrarium.training.checkpointing.state import AtomicPath, flush


@contextmanager
def replace_file(final: Path) -> Iterator[Path]:
    """Give a temporary path to write a file to; when the block succeeds it is renamed over `final`."""
    try:
        with AtomicPath(final) as temporary:
            yield temporary
    except BaseException:
        with suppress(OSError):
            final.parent.rmdir()  # an empty folder would look like a version
        raise


@contextmanager
def stage_version(final: Path) -> Iterator[Path]:
    """Give a path to write a file or a folder to; when the block succeeds its folder becomes the version's.

    Args:
        final: where the file is to be, `<filepath>/<stamp>/<name>`.

    Raises:
        DatasetError: the version exists already.
    """
    version = final.parent
    partial = partial_folder(version.parent) / version.name
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial / final.name
        _publish(partial, version)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        with suppress(OSError):
            partial.parent.rmdir()


def partial_folder(filepath: Path) -> Path:
    """Return the folder in which the versions of a dataset are written."""
    return filepath.with_name(f"{filepath.name}.partial")


def _publish(partial: Path, version: Path) -> None:
    _flush_tree(partial)
    try:
        version.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(str(version.parent)) from error
    try:
        os.replace(partial, version)
    except OSError as error:
        if not version.is_dir():
            raise
        raise DatasetError(f"{version} exists already; a version is never overwritten") from error
    flush(version.parent)


def _flush_tree(path: Path) -> None:
    """Force a file, or a folder with all it holds, to the disk."""
    if path.is_dir():
        for child in path.iterdir():
            _flush_tree(child)
    flush(path)
