"""What a run says on its way, and which switches do nothing here."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from terrarium.influence.data.checkpoints import Training
from terrarium.influence.scoring.streaming import World
from terrarium.training.torch.device import resolve_device

logger = logging.getLogger(__name__)


def announce(world: World, training: Training) -> None:
    """Checkpoints, layers, and what the switches are worth."""
    epochs = ", ".join(str(snapshot.epoch) for snapshot in world.snapshots)
    logger.info(
        "Influence of %s training triples over checkpoints of epochs %s, layers: %s",
        *(f"{len(world.train):,}", epochs, "all" if not world.features.layers else ", ".join(world.layers)),
    )
    for line in moot(world, training):
        logger.info(line)


def warn_of_late(epochs: Sequence[int]) -> None:
    """Several checkpoints of the second half of a training are nearly one: what was learned before is not seen."""
    if len(epochs) > 1 and epochs[0] > epochs[-1] / 2:
        logger.warning(
            "The checkpoints are of epochs %d to %d alone, so what was learned before has no part: train with "
            "knowledge_graph.training.checkpoints.keep_every to keep earlier ones",
            *(epochs[0], epochs[-1]),
        )


def moot(world: World, training: Training) -> list[str]:
    """A line for each thing that was asked for and changes nothing, or that is left out."""
    evaluation, lines = world.evaluation, []
    if evaluation.gradient_checkpointing and world.features.method == "closed_form":
        lines.append("Gradient checkpointing changes nothing: the closed forms keep nothing for a way back")
    if evaluation.memory_cleanup and not resolve_device(evaluation.device).startswith("cuda"):
        lines.append("Memory cleanup saves nothing here: there is no cache of a GPU to empty")
    if training.training.loss.n3_weight:
        lines.append("The penalty of training.loss.n3_weight belongs to no triple and is left out")
    if len(world.snapshots) == 1:
        lines.append("One checkpoint: influence at that state alone, not along the training")
    return lines
