"""The training loop that all families share: epochs, early stopping, checkpoints, history and progress."""

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from terrarium.training.checkpointing.folder import FinishedTraining
from terrarium.training.checkpointing.run import TrainingRun
from terrarium.training.checkpointing.state import JSON, State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.history import history_row, history_table
from terrarium.training.options import FitOptions
from terrarium.training.progress import epoch_display
from terrarium.training.stopping import EarlyStopping, StoppingState

logger = logging.getLogger(__name__)


class Trainable(Protocol):
    """What a family supplies: something that can train one epoch, and be saved and restored."""

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train epoch `epoch` (from 1) in place; return `loss`, `items` and further numbers for the history row."""
        ...

    def state(self) -> State:
        """Return everything needed to resume bit for bit; the arrays are finite and may share memory with the model."""
        ...

    def load(self, state: State) -> None:
        """Restore what `state` describes."""
        ...

    def weights(self) -> State:
        """Return a copy of the weights, as they are exported."""
        ...


@runtime_checkable
class KeepsLog(Protocol):
    """A trainable whose progress is also written as text, while it trains."""

    def format_log(self, history: pd.DataFrame) -> str:
        """Return the log of the epochs so far, see `history_table`."""
        ...


class TrainingDiverged(RuntimeError):
    """The loss or the weights are no longer finite."""


@dataclass(frozen=True, eq=False)
class FitResult:
    """The result of a training.

    Attributes:
        history: one row per epoch (see `history_table`).
        best, final: exported weights of the best and of the last epoch.
        checkpoints: working folder with the checkpoints, to be archived.
        stop_reason: why the training stopped, as a sentence.
        epochs: number of epochs that were trained.
        best_epoch: the epoch of `best`.
    """

    history: pd.DataFrame
    best: State
    final: State
    checkpoints: FinishedTraining
    stop_reason: str
    epochs: int
    best_epoch: int

    def summary(self) -> dict[str, JSON]:
        """Return how the training ended: stop_reason, epochs and best_epoch."""
        return {"stop_reason": self.stop_reason, "epochs": self.epochs, "best_epoch": self.best_epoch}


def fit(
    trainable: Trainable,
    *,
    options: FitOptions,
    store: TrainingStore,
    fingerprint: Mapping[str, JSON],
    title: str = "training",
    uncounted_epochs: int = 0,
    restarts: str | None = None,
) -> FitResult:
    """Train until the epochs or the patience are used up, with a checkpoint after every epoch.

    The log of a trainable that keeps one (`KeepsLog`) is next to the checkpoints and grows with every epoch.

    Args:
        trainable: built as for a new training; the newest checkpoint of a training with the same fingerprint, or of
            one that differs in `max_epochs` only, is loaded into it. It holds the final state afterwards. If such a
            training has finished, there are no epochs left to train and its result is returned.
        options: epochs, early stopping and checkpoints.
        store: where the checkpoints are kept.
        fingerprint: JSON object of everything that decides the result: fingerprints of the data, all options, the seed.
        title: name of the training in the log and on the progress bar.
        uncounted_epochs: number of first epochs that early stopping and the choice of the best epoch ignore, because
            their metric is not comparable with that of later ones.
        restarts: column of the history; after an epoch where it is not 0, patience restarts, because another model
            follows.

    Returns:
        The weights of the best and of the last epoch, the history, and how the training ended.

    Raises:
        TrainingDiverged: the loss or the weights are not finite; earlier checkpoints stay as they are.
        StoreLocked: another process trains with the same fingerprint.
    """
    with store.open(fingerprint, options.checkpoints) as run:
        training = _Training(trainable, options, run, title, uncounted_epochs, restarts)
        try:
            training.resume()
            training.train()
            return training.finish()
        except (KeyboardInterrupt, SystemExit):
            logger.warning(
                "Interrupted after epoch %d; run the same command again to resume from %s", training.epoch, run.folder
            )
            raise


class _Training:
    """A training in progress: the epoch reached, the stopping counters and the history."""

    def __init__(
        self,
        trainable: Trainable,
        options: FitOptions,
        run: TrainingRun,
        title: str,
        uncounted: int,
        restarts: str | None,
    ) -> None:
        stopping = options.stopping
        self.epoch = 0
        self._trainable, self._options, self._run, self._title = trainable, options, run, title
        self._early = EarlyStopping(stopping.patience, stopping.min_delta, stopping.direction)
        self._stopping = StoppingState()
        self._uncounted, self._restarts = uncounted, restarts
        self._history: list[dict[str, JSON]] = []

    def resume(self) -> None:
        """Load the newest checkpoint, if there is one."""
        checkpoint = self._run.resume()
        if checkpoint is not None:
            self._trainable.load(checkpoint.state)
            self.epoch, self._stopping, self._history = checkpoint.epoch, checkpoint.stopping, checkpoint.history

    def train(self) -> None:
        """Train epoch after epoch until there is a reason to stop."""
        with epoch_display(self._title, self.epoch, self._options.max_epochs) as display:
            while self._stop_reason() is None:
                self._step()
                display.show(self._history[-1], self._stopping.best_epoch == self.epoch, self._stopping.waited)

    def finish(self) -> FitResult:
        """Mark the run as finished and return its result."""
        reason = self._stop_reason() or ""
        logger.info("%s: %s", self._title, reason)
        if self.epoch == 0:
            self._save(0, self._stopping, self._history)
        best_epoch = self._stopping.best_epoch or self.epoch
        final = self._trainable.weights()
        best = final if best_epoch == self.epoch else self._weights_of(best_epoch)
        table = history_table(self._history, best_epoch)
        return FitResult(table, best, final, self._run.finish(reason), reason, self.epoch, best_epoch)

    def _step(self) -> None:
        epoch = self.epoch + 1
        started = time.perf_counter()
        numbers = self._trainable.epoch(epoch)
        row = history_row(epoch, numbers, time.perf_counter() - started)
        if not math.isfinite(row["loss"]):
            raise self._diverged(epoch, f"the loss is {row['loss']}")
        metric = self._metric(row)
        stopping = self._stopping if epoch <= self._uncounted else self._early.update(self._stopping, epoch, metric)
        if self._restarts is not None and row[self._restarts]:
            stopping = replace(stopping, waited=0)
        history = [*self._history, row]
        self._save(epoch, stopping, history)
        self.epoch, self._stopping, self._history = epoch, stopping, history
        if isinstance(self._trainable, KeepsLog):
            table = history_table(history, stopping.best_epoch or epoch)
            self._run.write_log(self._trainable.format_log(table))

    def _save(self, epoch: int, stopping: StoppingState, history: list[dict[str, JSON]]) -> None:
        state = self._trainable.state()
        for name, array in state.tensors.items():
            if array.dtype.kind in "fc" and not np.isfinite(array).all():
                raise self._diverged(epoch, f"'{name}' holds a number that is not finite")
        self._run.save(epoch, state, stopping, history)

    def _metric(self, row: Mapping[str, JSON]) -> float:
        name = self._options.stopping.metric
        if name not in row:
            raise ValueError(f"stopping.metric is '{name}', but an epoch gives only: {', '.join(row)}")
        return float(row[name])

    def _weights_of(self, epoch: int) -> State:
        """Return the weights of an earlier epoch; the trainable returns to its final state."""
        self._trainable.load(self._run.read(epoch).state)
        weights = self._trainable.weights()
        self._trainable.load(self._run.read(self.epoch).state)
        return weights

    def _stop_reason(self) -> str | None:
        options, stopping = self._options, self._stopping
        if options.max_epochs == 0:
            return "max_epochs is 0, so the weights are the initial ones."
        if self.epoch > 0 and self._early.should_stop(stopping):
            margin = f" by more than {self._early.min_delta:g}" if self._early.min_delta else ""
            return (
                f"Stopped early after epoch {self.epoch}: {options.stopping.metric} has not improved{margin} for "
                f"{stopping.waited} epochs (best {_short(stopping.best)} in epoch {stopping.best_epoch})."
            )
        if self.epoch >= options.max_epochs:
            return f"Reached the limit of {options.max_epochs} epochs."
        return None

    def _diverged(self, epoch: int, what: str) -> TrainingDiverged:
        path = self._run.path(self.epoch)
        kept = f"the last good checkpoint is {path}" if self.epoch else "there is no checkpoint before it"
        return TrainingDiverged(
            f"Training diverged in epoch {epoch}: {what}; {kept}. Try a lower learning rate or a higher precision."
        )


def _short(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.5g}"
