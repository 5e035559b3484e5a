"""The working folder of one training: its files, its lock, and how far the training has come.

<store>/<first 16 digits of the fingerprint>/
    fingerprint.json              what the fingerprint was made of
    epoch_000012.safetensors      everything needed to resume after epoch 12
    best.safetensors              the best epoch so far
    final.safetensors             the last epoch, once the training has finished
    finished.json                 present once the training has finished
    archived.json                 present once the finished folder is a version of `checkpoints`
<store>/<first 16 digits>.lock    held by the process that is training there, until the version is written
"""

import json
import logging
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from terrarium.training.checkpointing.fingerprints import digest
from terrarium.training.checkpointing.state import JSON, AtomicPath, write_json

logger = logging.getLogger(__name__)

FINGERPRINT, FINISHED, ARCHIVED = "fingerprint.json", "finished.json", "archived.json"
BEST, FINAL, LOG = "best.safetensors", "final.safetensors", "training.log"

_FOLDER_NAME = re.compile(r"[0-9a-f]{16}")
_EPOCH_NAME = re.compile(r"epoch_(\d+)\.safetensors")


class StoreLocked(RuntimeError):
    """Another process is training in the same folder."""


@dataclass(frozen=True)
class FinishedTraining(PathLike[str]):
    """The folder of a finished training, to be archived; it stays locked until then if the store asks for it.

    A copy, such as one in another process, names the same folder but does not hold its lock.
    """

    folder: Path
    lock: BaseFileLock | None = None

    def __fspath__(self) -> str:
        return str(self.folder)

    def __reduce__(self) -> tuple[type["FinishedTraining"], tuple[Path]]:
        return FinishedTraining, (self.folder,)

    def mark_archived(self, version: str) -> None:
        """Note the path of the version that holds the checkpoints, and release the folder."""
        write_json(self.folder / ARCHIVED, {"version": version})
        self.release()

    def release(self) -> None:
        """Let others train in the folder."""
        if self.lock is not None:
            self.lock.release()


def name_of(fingerprint: Mapping[str, JSON]) -> str:
    """Return the name of the folder of a fingerprint."""
    return digest(fingerprint)[:16]


def lock_folder(folder: Path) -> BaseFileLock:
    """Return the lock of `folder`, acquired. Raises StoreLocked when another process holds it."""
    lock = _lock_of(folder)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise StoreLocked(
            f"Another run is training with the same data and options in {folder}; wait for it or stop it first"
        ) from None
    except OSError as error:
        raise StoreLocked(f"{_lock_path(folder)} cannot be locked ({error.strerror}): remove it") from None
    return lock


def is_free(folder: Path) -> bool:
    """Return whether no process is training in `folder`; a lock that cannot be used is logged and counts as held."""
    try:
        lock_folder(folder).release()
    except StoreLocked as error:
        if _lock_path(folder).is_dir():
            logger.warning("%s", error)
        return False
    return True


def training_folders(store: Path) -> list[Path]:
    """Return the working folders in a store; whatever else is there is ignored."""
    return sorted(path for path in store.iterdir() if _FOLDER_NAME.fullmatch(path.name) and path.is_dir())


def remove_folder(folder: Path) -> None:
    """Remove a folder and its lock; the caller holds the lock of the whole store."""
    shutil.rmtree(folder)
    _lock_path(folder).unlink(missing_ok=True)


def clear_folder(folder: Path) -> None:
    """Empty a finished folder; the mark of the finished training goes last, so a killed clearing is done again."""
    for path in folder.iterdir():
        if path.name != FINISHED:
            remove_path(path)
    (folder / FINISHED).unlink()


def remove_path(path: Path) -> None:
    """Remove a file or a folder; one that is not there is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def link_file(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, atomically; a copy where the file system has no hard links."""
    with AtomicPath(target) as temporary:
        try:
            os.link(source, temporary)
        except FileNotFoundError:
            raise
        except OSError:
            shutil.copyfile(source, temporary)


def is_finished(folder: Path) -> bool:
    """Return whether the training has finished."""
    return (folder / FINISHED).exists()


def is_archived(folder: Path) -> bool:
    """Return whether the checkpoints of the finished training are a version that still exists."""
    version = read_json(folder / ARCHIVED).get("version")
    return is_finished(folder) and isinstance(version, str) and Path(version).is_dir()


def epoch_path(folder: Path, epoch: int) -> Path:
    """Return the path of the checkpoint of `epoch`."""
    return folder / f"epoch_{epoch:06d}.safetensors"


def saved_epochs(folder: Path) -> list[int]:
    """Return the epochs with a checkpoint, in order."""
    names = (_EPOCH_NAME.fullmatch(path.name) for path in folder.iterdir() if path.is_file())
    return sorted(int(match[1]) for match in names if match)


def last_change(folder: Path) -> float:
    """Return the time of the last change in a folder, in seconds since the epoch."""
    return max(path.stat().st_mtime for path in [folder, *folder.iterdir()])


def read_fingerprint(folder: Path) -> dict[str, JSON] | None:
    """Return what the fingerprint of a folder was made of; None when it is damaged or missing."""
    fingerprint = read_json(folder / FINGERPRINT)
    return fingerprint if name_of(fingerprint) == folder.name else None


def read_json(path: Path) -> dict[str, JSON]:
    """Return the object in a JSON file; empty when it cannot be read or is something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _lock_of(folder: Path) -> BaseFileLock:
    return FileLock(_lock_path(folder), thread_local=False)  # may be released by the thread that archives


def _lock_path(folder: Path) -> Path:
    return folder.with_suffix(".lock")
