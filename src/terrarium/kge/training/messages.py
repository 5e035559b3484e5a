"""What a training says on its way."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from terrarium.kge.data.graph import TRAIN, VALIDATION, Graph
from terrarium.kge.options import ModelOptions, TrainingOptions
from terrarium.kge.training.precision import log_device
from terrarium.training.torch.device import resolve_device

if TYPE_CHECKING:
    from terrarium.kge.training.trainer import ScorerTrainer

logger = logging.getLogger(__name__)


def announce(
    graph: Graph, model: ModelOptions, training: TrainingOptions, rows: int, optimizations: Mapping[str, bool]
) -> None:
    """Scorer, device, rows, the switches of config.json and what the data hold."""
    logger.info("%s", ", ".join(f"{name}: {'on' if given else 'off'}" for name, given in optimizations.items()))
    log_device(training.device, training.precision)
    logger.info("Scorer: %s, dimension %d, %s rows to train on", model.name, model.dim, f"{rows:,}")
    if rows % training.batch_size == 1 and rows > training.batch_size:
        logger.info("The last batch would hold one row, which batch norm cannot take: it joins the one before")
    unseen = ~graph.entities_in_training[graph.splits[VALIDATION][:, [0, 2]]].all(axis=1)
    if unseen.any():
        logger.info("%d validation triples have an entity that %s triples lack", int(unseen.sum()), TRAIN)


def savings(trainer: ScorerTrainer, training: TrainingOptions) -> dict[str, float]:
    """Log and return what the optimisations save; one that saves nothing says so."""
    found = {}
    if training.memory.gradient_checkpointing:
        kept, whole = trainer.saved_by_checkpointing()
        found = {"kept_for_backward_mb": kept, "kept_without_checkpointing_mb": whole}
        if kept < whole:
            logger.info(
                "Gradient checkpointing: a batch keeps %.1f MB for the way back instead of %.1f MB; the peak falls "
                "less, as the encoder's values are computed and held again",
                *(kept, whole),
            )
        else:
            logger.info(
                "Gradient checkpointing saves nothing of the %.1f MB that a batch keeps for the way back", whole
            )
    if training.memory.cleanup and not resolve_device(training.device).startswith("cuda"):
        logger.info("Memory cleanup saves nothing here: there is no cache of a GPU to empty")
    elif training.memory.cleanup:
        logger.info("Memory cleanup cannot lower the peak of allocated memory; the history says what it gave back")
    return found
