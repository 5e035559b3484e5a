"""The working store: one folder per fingerprint of data and options (see `folder`), in which trainings can resume."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from terrarium.training.checkpointing.folder import (
    StoreLocked,
    last_change,
    lock_folder,
    name_of,
    training_folders,
)
from terrarium.training.checkpointing.run import TrainingRun
from terrarium.training.checkpointing.state import JSON
from terrarium.training.options import CheckpointOptions

_STORE_LOCK_TIMEOUT_S = 60.0


class TrainingStore:
    """The unversioned working store of trainings.

    Nothing in it is removed by age. `terrarium.training.checkpointing.pruning` removes what is no longer needed.
    """

    def __init__(self, folder: str | Path, *, awaits_archive: bool = False) -> None:
        """Bind the store to a folder, which need not exist yet.

        Args:
            folder: of the store.
            awaits_archive: keep the folder of a finished training locked until its checkpoints are archived, so that
                no other run changes them before that.
        """
        self.folder = Path(folder)
        self._awaits_archive = awaits_archive

    def folder_of(self, fingerprint: Mapping[str, JSON]) -> Path:
        """Return the folder in which a training with `fingerprint` keeps its checkpoints."""
        return self.folder / name_of(fingerprint)

    @contextmanager
    def open(self, fingerprint: Mapping[str, JSON], options: CheckpointOptions) -> Iterator[TrainingRun]:
        """Lock and prepare the folder of `fingerprint` for a training.

        The folder is released at the end, or when the finished training has been archived if the store awaits that.
        `TrainingRun.resume` continues what is there, finished or not.

        Raises:
            StoreLocked: another process trains there.
        """
        folder = self.folder_of(fingerprint)
        with self.exclusive():
            lock = lock_folder(folder)
            try:
                held = lock if self._awaits_archive else None
                run = TrainingRun(folder, dict(fingerprint), options, self._others(folder), held)
            except BaseException:
                lock.release()
                raise
        try:
            yield run
        finally:
            if not run.awaits_archive:
                lock.release()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the whole store for a moment: folders and their locks appear and vanish only under this lock.

        Raises:
            StoreLocked: another process has held it for a minute.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "store.lock"
        try:
            with FileLock(path, timeout=_STORE_LOCK_TIMEOUT_S):
                yield
        except Timeout:
            raise StoreLocked(f"The training store {self.folder} is busy; try again in a minute") from None

    def _others(self, own: Path) -> list[Path]:
        """Return the folders of other trainings, the one that changed last first."""
        return sorted((path for path in training_folders(self.folder) if path != own), key=last_change, reverse=True)
