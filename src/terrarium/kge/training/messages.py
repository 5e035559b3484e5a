"""Log messages at the start of a training."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from terrarium.kge.data.graph import VALIDATION, Graph
from terrarium.kge.options import ModelOptions, TrainingOptions
from terrarium.kge.training.collapse import is_collapsed
from terrarium.kge.training.precision import log_device
from terrarium.training.torch.device import resolve_device

if TYPE_CHECKING:
    import pandas as pd

    from terrarium.kge.training.trainer import ScorerTrainer

logger = logging.getLogger(__name__)


def log_start(
    graph: Graph, model: ModelOptions, training: TrainingOptions, rows: int, optimizations: Mapping[str, bool]
) -> None:
    """Log the optimizations of run_config, the device, the model, and what is unusual about the data."""
    logger.info("%s", ", ".join(f"{name}: {'on' if is_on else 'off'}" for name, is_on in optimizations.items()))
    log_device(training.device, training.precision)
    logger.info("Model: %s, dimension %d, %s rows to train on", model.name, model.dimension, f"{rows:,}")
    if training.batch_size and rows % training.batch_size == 1 and rows > training.batch_size:
        logger.info("The last batch would hold one row, which batch norm cannot take: it joins the one before")
    unseen = int(graph.has_unseen_entity(graph.splits[VALIDATION]).sum())
    if unseen:
        logger.info("%d validation triples have an entity that occurs in no training triple", unseen)


def log_savings(trainer: ScorerTrainer, training: TrainingOptions) -> dict[str, float]:
    """Log what the memory options save, also where that is nothing.

    Returns:
        kept_for_backward_mb and kept_without_checkpointing_mb with gradient checkpointing, else nothing.
    """
    summary = {}
    if training.memory.gradient_checkpointing:
        saved = trainer.measure_saved_mb()
        summary = {"kept_for_backward_mb": saved.checkpointed, "kept_without_checkpointing_mb": saved.plain}
        if saved.checkpointed < saved.plain:
            logger.info(
                "Gradient checkpointing: a batch keeps %.1f MB for the backward pass instead of %.1f MB; the peak "
                "falls less, since the encoder's activations exist again while their gradients are computed",
                saved.checkpointed,
                saved.plain,
            )
        else:
            logger.info(
                "Gradient checkpointing saves nothing of the %.1f MB that a batch keeps for the backward pass",
                saved.plain,
            )
    if training.memory.cleanup and not resolve_device(training.device).startswith("cuda"):
        logger.info("Memory cleanup saves nothing here: there is no cache of a GPU to empty")
    elif training.memory.cleanup:
        logger.info("Memory cleanup cannot lower the peak of allocated memory; the history says what it released")
    return summary


def summarize_collapse(history: pd.DataFrame) -> dict[str, float | bool]:
    """Return prediction_entropy of the best epoch and whether the model has collapsed, and warn if it has.

    Args:
        history: columns best and, in epochs that are measured, prediction_entropy (see `collapse`).
    """
    if history.empty or "prediction_entropy" not in history:
        return {}
    entropy = float(history.loc[history["best"].astype(bool), "prediction_entropy"].iloc[0])
    if math.isnan(entropy):
        return {}
    if is_collapsed(entropy):
        logger.warning(
            "The model has collapsed: all entities score the same (entropy %.1f %% of chance), so its metrics mean "
            "nothing. Lower training.loss.n3_weight, or set it to null",
            100 * entropy,
        )
    return {"prediction_entropy": entropy, "has_collapsed": is_collapsed(entropy)}
