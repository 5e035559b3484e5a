"""What the studies by retraining share: the retrainer, the options, and the query triples."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from terrarium.influence.data.checkpoints import Snapshot, TrainingRun, read_best
from terrarium.influence.data.retraining import Retrained, Retrainer
from terrarium.influence.options import AttributionOptions, ScoringOptions, ValidationOptions
from terrarium.influence.scoring.context import InfluenceContext
from terrarium.kge.data.graph import TRAIN, Graph, Triples
from terrarium.kge.options import EvaluationOptions
from terrarium.training.torch.seeding import generator

logger = logging.getLogger(__name__)


class TooFewTriplesError(ValueError):
    """More query triples or removals requested than the graph has triples."""


@dataclass(frozen=True, eq=False)
class Study:
    """Inputs of a study."""

    retrainer: Retrainer
    validation: ValidationOptions
    attribution: AttributionOptions
    scoring: ScoringOptions

    @property
    def train(self) -> Triples:
        """(n, 3) training triples."""
        return self.retrainer.graph.splits[TRAIN]

    def sample_queries(self, count: int) -> Triples:
        """Return random triples (count, 3) of the split of the options, in their order."""
        triples = self.retrainer.graph.splits[self.validation.split]
        rng = generator(self.attribution.seed, "asked")
        return triples[np.sort(rng.permutation(len(triples))[:count])]

    def retrain_on_all(self, seed: int) -> Retrained:
        """Train on all training triples and keep the snapshots that influence is summed over."""
        epochs = self.retrainer.spaced_epochs(self.validation.num_checkpoints)
        return self.retrainer.train(self.train, seed, epochs)

    def context(self, snapshots: Sequence[Snapshot], **changes: Any) -> InfluenceContext:
        """Return the context of influence at snapshots, with changed attribution options."""
        attribution = AttributionOptions.model_validate(self.attribution.model_dump() | changes)
        return InfluenceContext.of(snapshots, self.retrainer.training, self.retrainer.graph, attribution, self.scoring)


def prepare_study(
    graph: Graph,
    folder: Path,
    validation: ValidationOptions,
    attribution: AttributionOptions,
    scoring: ScoringOptions,
    evaluation: EvaluationOptions,
) -> Study:
    """Return the study of a graph with the training of a folder of checkpoints, on the device of `scoring`.

    Args:
        graph: the graph that was trained on.
        folder: folder of the checkpoints.
        validation: what is retrained.
        attribution: layers, gradients and preconditioner.
        scoring: device, precision and memory.
        evaluation: evaluation options of the knowledge graph.

    Raises:
        TooFewTriplesError: the graph is too small for the options.
        CheckpointError, MismatchedArtifactsError: the checkpoints do not fit.
    """
    require_enough_triples(graph, validation)
    best_epoch, run = read_best(folder, graph)
    device = {"device": scoring.device}
    training = TrainingRun(run.model, run.training.model_copy(update=device))
    epochs = validation.epochs or best_epoch
    logger.info("Retrainings of %d epochs, %s of dimension %d", epochs, training.model.name, training.model.dimension)
    retrainer = Retrainer(graph, training, evaluation.model_copy(update=device), epochs)
    return Study(retrainer, validation, attribution, scoring)


def require_enough_triples(graph: Graph, validation: ValidationOptions) -> None:
    """Raise TooFewTriplesError if the graph is too small for the options."""
    count, num_train = len(graph.splits[validation.split]), len(graph.splits[TRAIN])
    for name in ("num_queries", "num_deletion_queries"):
        requested = getattr(validation, name)
        if requested > count:
            raise TooFewTriplesError(
                f"influence.validation.{name} is {requested} and there are {count} {validation.split} triples: lower "
                "it, or change influence.validation.split"
            )
    if max(validation.removal_sizes) >= num_train:
        raise TooFewTriplesError(
            f"influence.validation.removal_sizes has {max(validation.removal_sizes)} and there are {num_train} "
            "training triples: lower it"
        )
