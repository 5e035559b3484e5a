"""The log of a training as text, one line per epoch."""

from __future__ import annotations

import pandas as pd

from terrarium.scenes.options import TrainingOptions
from terrarium.scenes.training.schedule import cycle_of
from terrarium.training.stopping import EarlyStopping, StoppingState

_VALIDATION = {"loss": "validation_loss", "top-1": "validation_top_1"}


def format_log(history: pd.DataFrame, training: TrainingOptions) -> str:
    """Write per epoch: epoch, cycle, warm-up factor, learning rate, losses, patience left, and whether it is the best.

    Args:
        history: of the training; see `SceneTrainer.epoch` for its columns.
        training: its options.
    """
    stopping = training.stopping
    early = EarlyStopping(stopping.patience, stopping.min_delta, stopping.direction)
    state = StoppingState()
    loss = training.loss
    lines = [f"loss {loss.name}, batch size {training.batch_size}, temperature {loss.temperature:g}"]
    for row in history.to_dict("records"):
        epoch = int(row["epoch"])
        best_before = state.best_epoch
        state = early.update(state, epoch, row[stopping.metric])
        cycle, within = cycle_of(training.schedule, epoch)
        left = f"patience {max(0, stopping.patience - state.waited)} of {stopping.patience}"
        parts = [
            f"epoch {epoch}",
            f"cycle {cycle} epoch {within}",
            f"warm-up factor {row['warmup_factor']:.3f}",
            f"learning rate {row['learning_rate']:.6f}",
            f"training loss {row['loss']:.5f}",
            *(f"validation {name} {row[key]:.5f}" for name, key in _VALIDATION.items() if key in row),
            left if stopping.patience else "patience off",
        ]
        lines.append(", ".join(parts) + (", best so far: saved" if state.best_epoch != best_before else ""))
    return "\n".join(lines) + "\n"
