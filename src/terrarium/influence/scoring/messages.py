"""Log messages of a run: what is computed, and which options have no effect here."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from terrarium.influence.scoring.context import InfluenceContext
from terrarium.influence.scoring.method import method_name
from terrarium.training.torch.device import resolve_device

logger = logging.getLogger(__name__)


def announce(context: InfluenceContext) -> None:
    """Log checkpoints and layers, and the options that have no effect."""
    epochs = ", ".join(map(str, context.epochs))
    layers = ", ".join(context.attribution.layers) or "all"
    logger.info(
        "%s: influence of %s training triples over checkpoints of epochs %s, layers: %s",
        method_name(context.attribution, len(context.train), len(context.epochs), context.num_trainings),
        f"{len(context.train):,}",
        epochs,
        layers,
    )
    for line in effectless_options(context):
        logger.info(line)


def warn_about_late_checkpoints(epochs: Sequence[int]) -> None:
    """Log a warning if all checkpoints are of the second half of a training, so that early learning is not seen."""
    if len(epochs) > 1 and epochs[0] > epochs[-1] / 2:
        logger.warning(
            "The checkpoints are of epochs %d to %d only, so influence misses what was learned before: train with "
            "knowledge_graph.training.checkpoints.keep_every to keep earlier ones",
            epochs[0],
            epochs[-1],
        )


def effectless_options(context: InfluenceContext) -> list[str]:
    """Return one sentence for each option that changes nothing here, or that influence leaves out."""
    scoring, lines = context.scoring, []
    if scoring.gradient_checkpointing and context.attribution.method == "closed_form":
        lines.append("Gradient checkpointing has no effect: the closed forms keep nothing for a backward pass")
    if scoring.cleanup and not resolve_device(scoring.device).startswith("cuda"):
        lines.append("Memory cleanup has no effect: there is no GPU cache to empty")
    if context.training.training.loss.n3_weight and not context.loss_spec.n3_weight:
        lines.append(
            "The N3 penalty is left out: it counts with cross_entropy, inverse relations and entity_encoder lookup"
        )
    if context.training.training.loss.relation_weight:
        lines.append("The loss of predicted relations (training.loss.relation_weight) is left out")
    if len(context.epochs) == 1:
        lines.append("One checkpoint: influence at that state only, not along the training")
    return lines
