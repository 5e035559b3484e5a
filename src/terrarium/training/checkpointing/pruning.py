"""Removing trainings from a working store, which by itself keeps every one of them."""

from dataclasses import dataclass
from pathlib import Path

from terrarium.training.checkpointing.folder import (
    ARCHIVED,
    is_archived,
    is_finished,
    is_free,
    read_json,
    remove_folder,
    saved_epochs,
    training_folders,
)
from terrarium.training.checkpointing.store import TrainingStore


@dataclass(frozen=True)
class Prunable:
    """A training that no process works on.

    Attributes:
        folder: its working folder.
        status: how far it has come, in words.
        is_archived: whether a version of `checkpoints` has its result.
        size: bytes in the folder, including files that it shares with that version.
    """

    folder: Path
    status: str
    is_archived: bool
    size: int


def prune(store: TrainingStore, *, unarchived: bool = False, dry_run: bool = False) -> list[Prunable]:
    """Remove the trainings whose checkpoints are archived.

    Args:
        store: the working store.
        unarchived: also remove unfinished trainings, which could be resumed, and results that are in no version.
        dry_run: remove nothing.

    Returns:
        What was removed, or would be. A training that a process is working on stays.
    """
    if not store.folder.is_dir():
        return []
    with store.exclusive():
        free = (folder for folder in training_folders(store.folder) if is_free(folder))
        chosen = [found for folder in free if (found := _describe(folder)).is_archived or unarchived]
        for found in chosen if not dry_run else []:
            remove_folder(found.folder)
    return chosen


def _describe(folder: Path) -> Prunable:
    epoch = max(saved_epochs(folder), default=0)
    archived = is_archived(folder)
    if archived:
        status = f"finished after epoch {epoch}, archived in {read_json(folder / ARCHIVED)['version']}"
    elif is_finished(folder):
        status = f"finished after epoch {epoch}, not archived"
    else:
        status = f"unfinished, reached epoch {epoch}"
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Prunable(folder, status, archived, size)
