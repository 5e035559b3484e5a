"""The checkpoints of a finished training: a versioned folder."""

import json
import os
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io.core import AbstractVersionedDataset, DatasetError, Version
from kedro_datasets._typing import JSONPreview

from terrarium.datasets.atomic import AtomicSaves, local_path


class CheckpointsDataset(AtomicSaves, AbstractVersionedDataset[Path, Path]):
    """A folder of files, kept as a version: save takes a folder's path, load gives the path of the version's folder.

    Files are hard-linked where the file system allows it and copied elsewhere; hidden files are left out. The files
    of the saved folder must from then on be replaced or removed, never changed in place.
    """

    def __init__(
        self,
        *,
        filepath: str | os.PathLike[str],
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if version is None:
            raise DatasetError(f"{type(self).__name__} needs `versioned: true`")
        self.metadata = metadata
        super().__init__(PurePosixPath(local_path(filepath)), version)

    def load(self) -> Path:
        """The version's folder, to be read only. Raises DatasetError when it is missing."""
        folder = Path(self._get_load_path())
        if not folder.is_dir():
            raise DatasetError(f"There is no folder {folder}")
        return folder

    def save(self, data: Path) -> None:
        """Keep the files of the folder `data`. Raises DatasetError when it is not a folder."""
        if not Path(data).is_dir():
            raise DatasetError(f"{type(self).__name__} saves a folder, and {data} is none")
        with self._staged() as path:
            _link_tree(Path(data), path)

    def preview(self) -> JSONPreview:
        """The files' names and sizes in bytes."""
        folder = self.load()
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return JSONPreview(json.dumps({str(path.relative_to(folder)): path.stat().st_size for path in files}))

    def _exists(self) -> bool:
        return Path(self._get_load_path()).is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}


def _link_tree(source: Path, target: Path) -> None:
    target.mkdir()
    for path in source.iterdir():
        if path.name.startswith("."):
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
