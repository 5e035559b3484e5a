"""Checkpoints of a running training: where they are kept, which of them, and how a killed run resumes.

A store has one folder per fingerprint of data and options:

    <store>/<first 16 digits of the fingerprint>/
        fingerprint.json              what the fingerprint was made of
        epoch_000012.safetensors      everything needed to resume after epoch 12
        best.safetensors              the best epoch so far
        final.safetensors             the last epoch, once the training has finished
        finished.json                 present once the training has finished
    <store>/<first 16 digits>.lock    held by the process that is training there
"""

import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from terrarium.training.checkpointing.fingerprints import differences, digest
from terrarium.training.checkpointing.retention import Best, EveryKth, KeepPolicy, Last, dispensable
from terrarium.training.checkpointing.state import (
    JSON,
    AtomicPath,
    State,
    StateError,
    read_metadata,
    read_state,
    write_json,
    write_state,
)
from terrarium.training.options import CheckpointOptions
from terrarium.training.stopping import StoppingState

logger = logging.getLogger(__name__)

FINISHED_LIFE_S = 3600.0
"""A finished run's folder stays this long, so that its checkpoints can be archived."""
UNFINISHED_LIFE_S = 30 * 24 * 3600.0
"""An abandoned run's folder stays this long, in case somebody resumes it."""

_STORE_LOCK_TIMEOUT_S = 60.0
_FOLDER_NAME = re.compile(r"[0-9a-f]{16}")
_EPOCH_NAME = re.compile(r"epoch_(\d+)\.safetensors")
_FINGERPRINT, _FINISHED, _BEST, _FINAL = "fingerprint.json", "finished.json", "best.safetensors", "final.safetensors"


class StoreLocked(RuntimeError):
    """Another process is training in the same folder."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A training after `epoch`: the trainable's state, the stopping counters, the history and the fingerprint."""

    epoch: int
    state: State
    stopping: StoppingState
    history: list[dict[str, JSON]]
    fingerprint: dict[str, JSON]

    @property
    def best_epoch(self) -> int:
        """Return the best epoch so far; this one while no epoch has had a comparable metric."""
        return self.stopping.best_epoch or self.epoch


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` as one safetensors file, atomically."""
    metadata = {
        "epoch": checkpoint.epoch,
        "best_epoch": checkpoint.best_epoch,
        "stopping": checkpoint.stopping.as_json(),
        "history": checkpoint.history,
        "fingerprint": checkpoint.fingerprint,
        "trainable": checkpoint.state.metadata,
    }
    write_state(path, State(checkpoint.state.tensors, metadata))


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read what `write_checkpoint` wrote. Raises `StateError` when it is damaged or something else."""
    state = read_state(path)
    try:
        return Checkpoint(
            epoch=state.metadata["epoch"],
            state=State(state.tensors, state.metadata["trainable"]),
            stopping=StoppingState(**state.metadata["stopping"]),
            history=state.metadata["history"],
            fingerprint=state.metadata["fingerprint"],
        )
    except (KeyError, TypeError) as error:
        raise StateError(f"{path} is a state, but not a checkpoint of a training ({error!r})") from error


class TrainingStore:
    """The unversioned working store of one training: one folder per fingerprint of data and options."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def folder_of(self, fingerprint: Mapping[str, JSON]) -> Path:
        """Return the folder in which a training with `fingerprint` keeps its checkpoints."""
        return self.folder / digest(fingerprint)[:16]

    @contextmanager
    def open(self, fingerprint: Mapping[str, JSON], options: CheckpointOptions) -> Iterator["TrainingRun"]:
        """Lock and prepare the folder of `fingerprint` for a training, and release it at the end.

        Raises `StoreLocked` when another process trains there. A finished training is cleared away, an unfinished
        one kept for `TrainingRun.resume`. Folders of other fingerprints are removed when they are old and not in use.
        """
        folder = self.folder_of(fingerprint)
        with self._exclusively():
            lock = _lock_of(folder)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise StoreLocked(
                    f"Another run is training with the same data and options in {folder}; wait for it or stop it first"
                ) from None
            abandoned = self._review_others(folder)
        try:
            yield TrainingRun(folder, dict(fingerprint), options, abandoned)
        finally:
            lock.release()

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        """Hold the whole store for a moment: folders and their locks appear and vanish only under this lock."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / "store.lock", timeout=_STORE_LOCK_TIMEOUT_S):
                yield
        except Timeout:
            raise StoreLocked(f"The training store {self.folder} is busy; try again in a minute") from None

    def _review_others(self, own: Path) -> Path | None:
        """Remove the old folders of other runs; the newest unfinished one that stays, or None."""
        others = [path for path in self.folder.iterdir() if path != own and _FOLDER_NAME.fullmatch(path.name)]
        unfinished = [path for path in others if _is_free(path) and not _expire(path) and not _is_finished(path)]
        return max(unfinished, key=_touched, default=None)


class TrainingRun:
    """One training's folder, locked by `TrainingStore.open`."""

    def __init__(
        self, folder: Path, fingerprint: dict[str, JSON], options: CheckpointOptions, abandoned: Path | None
    ) -> None:
        self.folder = folder
        self._fingerprint = fingerprint
        self._keep: list[KeepPolicy] = [Last(options.keep_last), EveryKth(options.keep_every)]
        self._keep_best = Best(options.keep_last)
        self._abandoned = abandoned
        self._best_of: dict[int, int] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if _is_finished(folder):
            logger.info("An equal run has finished in %s; training again", folder)
            self._clear()
        for leftover in folder.glob(".*.tmp"):
            leftover.unlink()
        write_json(folder / _FINGERPRINT, fingerprint)

    def resume(self) -> Checkpoint | None:
        """Return the newest good checkpoint to resume from, or None to start over; the log says which and why."""
        checkpoint = self._newest_good()
        self._forget_after(checkpoint.epoch if checkpoint else -1)
        if checkpoint is None:
            self._log_new_start()
            return None
        self._alias(_BEST, checkpoint.best_epoch)
        logger.info("Resuming after epoch %d from %s", checkpoint.epoch, self.path(checkpoint.epoch))
        return checkpoint

    def save(self, epoch: int, state: State, stopping: StoppingState, history: list[dict[str, JSON]]) -> Path:
        """Write the checkpoint of `epoch`, point `best` to it if it is, and remove what need not be kept.

        Args:
            epoch: number of the finished epoch.
            state: what `Trainable.state` returned.
            stopping: counters of early stopping.
            history: one row per finished epoch.

        Returns:
            Path of the checkpoint.
        """
        checkpoint = Checkpoint(epoch, state, stopping, history, self._fingerprint)
        write_checkpoint(self.path(epoch), checkpoint)
        self._best_of[epoch] = checkpoint.best_epoch
        if checkpoint.best_epoch == epoch:
            self._alias(_BEST, epoch)
        self._remove(dispensable([*self._keep, self._keep_best], self._best_of))
        return self.path(epoch)

    def read(self, epoch: int) -> Checkpoint:
        """Return the checkpoint of `epoch`, which must still exist (the newest and the best one do)."""
        return read_checkpoint(self.path(epoch))

    def finish(self, stop_reason: str) -> None:
        """Name the last epoch `final`, keep what the options ask for, and mark the training as finished."""
        last = max(self._best_of)
        self._alias(_FINAL, last)
        summary = {"epochs": last, "best_epoch": self._best_of[last], "stop_reason": stop_reason}
        write_json(self.folder / _FINISHED, summary)
        self._remove(dispensable(self._keep, self._best_of))

    def path(self, epoch: int) -> Path:
        """Return the path of the checkpoint of `epoch`."""
        return self.folder / f"epoch_{epoch:06d}.safetensors"

    def _newest_good(self) -> Checkpoint | None:
        for epoch in sorted(_saved_epochs(self.folder), reverse=True):
            try:
                checkpoint = read_checkpoint(self.path(epoch))
                read_metadata(self.path(checkpoint.best_epoch))
            except (StateError, FileNotFoundError) as error:
                logger.warning("Checkpoint of epoch %d cannot be used, trying the one before: %s", epoch, error)
            else:
                return checkpoint
        return None

    def _forget_after(self, epoch: int) -> None:
        """Remove the checkpoints after `epoch` and learn what the others point to."""
        self._remove({saved for saved in _saved_epochs(self.folder) if saved > epoch})
        self._best_of = {saved: self._best_at(saved) for saved in _saved_epochs(self.folder)}

    def _best_at(self, epoch: int) -> int:
        try:
            return int(read_metadata(self.path(epoch))["best_epoch"])
        except (StateError, KeyError):
            return epoch

    def _log_new_start(self) -> None:
        if self._abandoned is None:
            return
        changes = differences(_read_json(self._abandoned / _FINGERPRINT), self._fingerprint)
        reached = max(_saved_epochs(self._abandoned), default=0)
        logger.info(
            "Starting over: the unfinished run in %s (epoch %d) has other data or options: %s",
            self._abandoned,
            reached,
            changes,
        )

    def _alias(self, name: str, epoch: int) -> None:
        with AtomicPath(self.folder / name) as temporary:
            try:
                os.link(self.path(epoch), temporary)
            except OSError:
                shutil.copyfile(self.path(epoch), temporary)

    def _remove(self, epochs: set[int]) -> None:
        for epoch in epochs:
            self.path(epoch).unlink(missing_ok=True)
            self._best_of.pop(epoch, None)

    def _clear(self) -> None:
        """Empty the folder; the mark of the finished run goes last, so that a killed clearing is done again."""
        for path in self.folder.iterdir():
            if path.name != _FINISHED:
                path.unlink()
        (self.folder / _FINISHED).unlink()


def _lock_of(folder: Path) -> FileLock:
    return FileLock(folder.with_suffix(".lock"))


def _is_free(folder: Path) -> bool:
    """Return whether no process is training in `folder`."""
    lock = _lock_of(folder)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    lock.release()
    return True


def _expire(folder: Path) -> bool:
    """Remove `folder` and its lock if it is old; return whether it was."""
    life = FINISHED_LIFE_S if _is_finished(folder) else UNFINISHED_LIFE_S
    if time.time() - _touched(folder) < life:
        return False
    shutil.rmtree(folder)
    folder.with_suffix(".lock").unlink(missing_ok=True)
    logger.info("Removed the old checkpoints in %s", folder)
    return True


def _is_finished(folder: Path) -> bool:
    return (folder / _FINISHED).exists()


def _touched(folder: Path) -> float:
    return max(path.stat().st_mtime for path in [folder, *folder.iterdir()])


def _saved_epochs(folder: Path) -> list[int]:
    names = (_EPOCH_NAME.fullmatch(path.name) for path in folder.iterdir())
    return [int(match[1]) for match in names if match]


def _read_json(path: Path) -> dict[str, JSON]:
    try:
        content: dict[str, JSON] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content
