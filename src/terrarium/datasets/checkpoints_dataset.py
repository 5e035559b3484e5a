"""The checkpoints of a finished training: a versioned folder."""

import json
import os
import shutil
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

from kedro.io.core import DatasetError

from terrarium.datasets.base import FileDataset, JSONPreview, location, require_local
from terrarium.training.checkpointing.folder import ARCHIVED, FinishedTraining


class CheckpointsDataset(FileDataset):
    """A versioned folder of files: save takes a folder's path, load returns the path of the version's folder.

    The path is local: an object store cannot rename a folder, so an interrupted upload would be a version that lacks
    files.

    Checkpoints carry their own checksums, which are checked when they are read.

    Files are hard-linked where the file system allows it and copied elsewhere; hidden files are left out. The files
    of the saved folder must from then on be replaced or removed, never changed in place.
    """

    UNUSED_ARGUMENTS: ClassVar[frozenset[str]] = frozenset({"load_args", "save_args"})
    checks_itself: ClassVar[bool] = True

    def __init__(self, *, filepath: str | PathLike[str], **kwargs: Any) -> None:
        if kwargs.get("version") is None:
            raise DatasetError(f"{type(self).__name__} needs `versioned: true`")
        reason = "an interrupted upload of a folder would leave a version that lacks files"
        super().__init__(filepath=require_local(filepath, type(self).__name__, reason), **kwargs)

    def read(self, path: Path) -> Path:
        """Return the version's folder, to be read only. Raises DatasetError when it is missing."""
        if not path.is_dir():
            raise DatasetError(f"There is no folder {path}")
        return path

    def save(self, data: PathLike[str]) -> None:
        """Save the files of the folder `data` as a version, and release the folder if it is a finished training's."""
        try:
            super().save(data)
            if isinstance(data, FinishedTraining):
                data.mark_archived(str(Path(location(self, self.resolve_save_version())).absolute()))
        finally:
            if isinstance(data, FinishedTraining):
                data.release()

    def write(self, path: Path, data: PathLike[str]) -> None:
        """Keep the files of the folder `data`. Raises DatasetError when it is not a folder."""
        if not Path(data).is_dir():
            raise DatasetError(f"{type(self).__name__} saves a folder, and {data} is not one")
        _link_tree(Path(data), path)

    def preview(self) -> JSONPreview:
        """Return the files' names and sizes in bytes."""
        folder: Path = self.load()
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return JSONPreview(json.dumps({str(path.relative_to(folder)): path.stat().st_size for path in files}))


def _link_tree(source: Path, target: Path) -> None:
    target.mkdir()
    for path in source.iterdir():
        if path.name.startswith(".") or path.name == ARCHIVED:
            continue
        if path.is_dir():
            _link_tree(path, target / path.name)
        else:
            _link(path, target / path.name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
