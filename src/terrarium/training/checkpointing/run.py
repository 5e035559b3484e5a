"""One training in the working store: it saves every epoch, and resumes from the newest good checkpoint."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import BaseFileLock

from terrarium.training.checkpointing import folder as files
from terrarium.training.checkpointing.checkpoint import Checkpoint, read_checkpoint, torch_threads, write_checkpoint
from terrarium.training.checkpointing.code import code_digest
from terrarium.training.checkpointing.fingerprints import differences, differs_in_length_only
from terrarium.training.checkpointing.folder import FinishedTraining
from terrarium.training.checkpointing.retention import Best, EveryKth, KeepPolicy, Last, dispensable
from terrarium.training.checkpointing.state import JSON, AtomicPath, State, StateError, read_metadata, write_json
from terrarium.training.options import CheckpointOptions
from terrarium.training.stopping import StoppingState

logger = logging.getLogger(__name__)


class TrainingRun:
    """One training's folder, locked by `TrainingStore.open`."""

    def __init__(
        self,
        folder: Path,
        fingerprint: dict[str, JSON],
        options: CheckpointOptions,
        others: Sequence[Path] = (),
        archive_lock: BaseFileLock | None = None,
    ) -> None:
        """Prepare the folder; a finished training is cleared away if the options ask to train again.

        Args:
            folder: of this training.
            fingerprint: of its data and options.
            options: which checkpoints to keep, and whether to train again.
            others: folders of other trainings in the store, the one that changed last first.
            archive_lock: lock of the folder, to be held after the end until the checkpoints are archived.
        """
        self.folder = folder
        self.awaits_archive = False
        self._fingerprint = fingerprint
        self._keep: list[KeepPolicy] = [Last(options.keep_last), EveryKth(options.keep_every)]
        self._keep_best = Best(options.keep_last)
        self._others, self._archive_lock = others, archive_lock
        self._best_of: dict[int, int] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if options.retrain and files.is_finished(folder):
            logger.info("An equal training has finished in %s; training again, as checkpoints.retrain asks", folder)
            files.clear_folder(folder)
        for leftover in folder.glob(".*.tmp"):
            files.remove_path(leftover)
        write_json(folder / files.FINGERPRINT, fingerprint)

    def resume(self) -> Checkpoint | None:
        """Return the newest good checkpoint to resume from, or None to start over; the log says which and why.

        It is one of an equal training, finished or not, or else of a training that differs in `max_epochs` only.
        """
        checkpoint = self._newest_good() or self._adopt()
        self._forget_after(checkpoint.epoch if checkpoint else -1)
        if checkpoint is None:
            self._log_new_start()
            return None
        if self.path(checkpoint.best_epoch).exists():
            files.link_file(self.path(checkpoint.best_epoch), self.folder / files.BEST)
        if files.is_finished(self.folder):
            self._log_finished(checkpoint.epoch)
        else:
            logger.info("Resuming after epoch %d from %s", checkpoint.epoch, self.path(checkpoint.epoch))
        if checkpoint.threads is not None and checkpoint.threads != torch_threads():
            logger.warning(
                "The checkpoint was made with %d threads of PyTorch, and this run has %s: the last bits may differ "
                "from those of an uninterrupted training; set OMP_NUM_THREADS=%d",
                checkpoint.threads,
                torch_threads(),
                checkpoint.threads,
            )
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
        checkpoint = Checkpoint(epoch, state, stopping, history, self._fingerprint, torch_threads())
        write_checkpoint(self.path(epoch), checkpoint)
        self._best_of[epoch] = checkpoint.best_epoch
        if checkpoint.best_epoch == epoch:
            files.link_file(self.path(epoch), self.folder / files.BEST)
        self._remove(dispensable([*self._keep, self._keep_best], self._best_of))
        return self.path(epoch)

    def write_log(self, text: str) -> None:
        """Replace the log of the training."""
        with AtomicPath(self.folder / files.LOG) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def read(self, epoch: int) -> Checkpoint:
        """Return the checkpoint of `epoch`, which must still exist (the newest and the best one do)."""
        return read_checkpoint(_path_of(self.folder, epoch))

    def finish(self, stop_reason: str) -> FinishedTraining:
        """Name the last epoch `final`, keep what the options ask for, and mark the training as finished."""
        last = max(self._best_of)
        files.link_file(self.path(last), self.folder / files.FINAL)
        summary = {"epochs": last, "best_epoch": self._best_of[last], "stop_reason": stop_reason}
        if not files.is_finished(self.folder):
            write_json(self.folder / files.FINISHED, {**summary, "code": code_digest()})
        self._remove(dispensable(self._keep, self._best_of))
        self.awaits_archive = self._archive_lock is not None
        return FinishedTraining(self.folder, self._archive_lock)

    def path(self, epoch: int) -> Path:
        """Return the path of the checkpoint of `epoch`."""
        return files.epoch_path(self.folder, epoch)

    def _newest_good(self) -> Checkpoint | None:
        return next(_good_checkpoints(self.folder, self._fingerprint), None)

    def _adopt(self) -> Checkpoint | None:
        """Take over the newest checkpoint of a training that differs in the number of epochs only."""
        limit = self._fingerprint.get("training", {}).get("max_epochs")
        for other in self._others:
            fingerprint = files.read_fingerprint(other)
            if limit is None or fingerprint is None or not differs_in_length_only(fingerprint, self._fingerprint):
                continue
            for checkpoint in _good_checkpoints(other, self._fingerprint, max_epoch=limit):
                for epoch in (checkpoint.best_epoch, checkpoint.epoch):
                    files.link_file(_path_of(other, epoch), self.path(epoch))
                logger.info("Continuing the training in %s, which differs in max_epochs only", other)
                return checkpoint
        return None

    def _forget_after(self, epoch: int) -> None:
        """Remove the checkpoints after `epoch` and learn what the others point to."""
        later = {saved for saved in files.saved_epochs(self.folder) if saved > epoch}
        if later or epoch < 0:
            for mark in (files.FINISHED, files.ARCHIVED):
                (self.folder / mark).unlink(missing_ok=True)
        self._remove(later)
        self._best_of = {saved: self._best_at(saved) for saved in files.saved_epochs(self.folder)}

    def _best_at(self, epoch: int) -> int:
        try:
            return int(read_metadata(self.path(epoch))["best_epoch"])
        except (StateError, KeyError):
            return epoch

    def _log_finished(self, epoch: int) -> None:
        logger.info(
            "An equal training has finished after epoch %d in %s, and its result is used; to train again, set "
            "checkpoints.retrain",
            epoch,
            self.folder,
        )
        if files.read_json(self.folder / files.FINISHED).get("code") != code_digest():
            logger.warning("The training in %s was made by another version of the code", self.folder)

    def _log_new_start(self) -> None:
        unfinished = (path for path in self._others if not files.is_finished(path) and files.is_free(path))
        abandoned = next(unfinished, None)
        if abandoned is None:
            return
        logger.info(
            "Starting over: the unfinished run in %s (epoch %d) has other data or options: %s",
            abandoned,
            max(files.saved_epochs(abandoned), default=0),
            differences(files.read_json(abandoned / files.FINGERPRINT), self._fingerprint),
        )

    def _remove(self, epochs: set[int]) -> None:
        for epoch in epochs:
            self.path(epoch).unlink(missing_ok=True)
            self._best_of.pop(epoch, None)


def _good_checkpoints(
    folder: Path, fingerprint: dict[str, JSON], *, max_epoch: int | None = None
) -> Iterator[Checkpoint]:
    """Yield the checkpoints in `folder` that a training with `fingerprint` can resume from, the newest first."""
    epochs = [epoch for epoch in files.saved_epochs(folder) if max_epoch is None or epoch <= max_epoch]
    for epoch in reversed(epochs):
        try:
            checkpoint = _read_own(files.epoch_path(folder, epoch), epoch, fingerprint)
            if checkpoint.best_epoch != epoch:
                _read_own(_path_of(folder, checkpoint.best_epoch), checkpoint.best_epoch, fingerprint)
        except (StateError, OSError) as error:
            logger.warning("Checkpoint of epoch %d cannot be used, trying the one before: %s", epoch, error)
        else:
            yield checkpoint


def _read_own(path: Path, epoch: int, fingerprint: dict[str, JSON]) -> Checkpoint:
    """Return a checkpoint of `epoch`. Raises StateError when it is damaged or of another training."""
    checkpoint = read_checkpoint(path)
    if checkpoint.epoch != epoch:
        raise StateError(f"{path} is the checkpoint of epoch {checkpoint.epoch}")
    if checkpoint.fingerprint != fingerprint and not differs_in_length_only(checkpoint.fingerprint, fingerprint):
        raise StateError(f"{path} is of another training: {differences(checkpoint.fingerprint, fingerprint)}")
    return checkpoint


def _path_of(folder: Path, epoch: int) -> Path:
    """Return the file with the checkpoint of `epoch`: its own, or else `best`, whose own file may be gone."""
    own = files.epoch_path(folder, epoch)
    return own if own.exists() else folder / files.BEST
