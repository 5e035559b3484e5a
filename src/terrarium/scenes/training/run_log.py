"""The log of a training: per epoch what the documents' trainer wrote."""

from __future__ import annotations

import pandas as pd

from terrarium.scenes.options import TrainingOptions
from terrarium.scenes.training.schedule import loop_of
from terrarium.training.stopping import EarlyStopping, StoppingState


def write_log(history: pd.DataFrame, training: TrainingOptions) -> str:
    """A line an epoch: global epoch, loop, warm-up factor, rate, losses, patience left, and whether it is the best."""
    stopping = training.stopping
    early = EarlyStopping(stopping.patience, stopping.min_delta, stopping.direction)
    state = StoppingState()
    objective = training.objective
    lines = [f"objective {objective.name}, batch {training.batch_size}, temperature {objective.temperature:g}"]
    for row in history.to_dict("records"):
        epoch = int(row["epoch"])
        before = state.best_epoch
        state = early.update(state, epoch, row[stopping.metric])
        loop, within = loop_of(training.schedule, epoch)
        left = f"patience {max(0, stopping.patience - state.waited)} of {stopping.patience}"
        parts = [
            f"global epoch {epoch}",
            f"loop {loop} epoch {within}",
            f"warm-up factor {row['warmup_factor']:.3f}",
            f"learning rate {row['learning_rate']:.6f}",
            f"training {row['loss']:.5f}",
            f"validation {row['validation_loss']:.5f}",
            f"top-1 {row['validation_top_1']:.3f}",
            left if stopping.patience else "patience off",
        ]
        lines.append(", ".join(parts) + (", best so far: saved" if state.best_epoch != before else ""))
    return "\n".join(lines) + "\n"
