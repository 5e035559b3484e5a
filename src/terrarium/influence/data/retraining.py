"""Retraining on other triples: no checkpoints on disk, no stopping, a given number of epochs."""

from __future__ import annotations

import copy
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.influence.data.checkpoints import Snapshot, TrainingRun
from terrarium.influence.similarity.exact_preconditioner import read_preconditioner
from terrarium.kge.data.ancestors import find_parts
from terrarium.kge.data.graph import TEST, TEST_GROUPS, TRAIN, VALIDATION, Graph, Triples
from terrarium.kge.models.scorer import Scorer, score_entities
from terrarium.kge.options import EvaluationOptions
from terrarium.kge.training.trainer import ScorerTrainer
from terrarium.training.torch.fabric import deterministic_algorithms
from terrarium.training.torch.packing import unpack

logger = logging.getLogger(__name__)


class Retrained(NamedTuple):
    """Result of a retraining.

    Attributes:
        scorer: the model after the last epoch, in evaluation mode.
        snapshots: the requested epochs, with preconditioners.
    """

    scorer: Scorer
    snapshots: list[Snapshot]


@dataclass(frozen=True, eq=False)
class Retrainer:
    """What all retrainings share.

    Attributes:
        graph: the graph that the model was trained on.
        training: options of that training.
        evaluation: knowledge graph evaluation options, of the device.
        epochs: number of epochs of each retraining.
    """

    graph: Graph
    training: TrainingRun
    evaluation: EvaluationOptions
    epochs: int

    def train(self, triples: Triples, seed: int, snapshot_epochs: Collection[int] = ()) -> Retrained:
        """Train a scorer on triples (n, 3), from a seed, and keep snapshots after some epochs."""
        parts = {TRAIN: triples} | dict.fromkeys((VALIDATION, TEST, TEST_GROUPS), triples[:0])
        graph = replace(self.graph, splits=parts)
        stopping = self.training.training.stopping.model_copy(update={"metric": "loss", "direction": "min"})
        changes = {"seed": seed, "max_epochs": self.epochs, "stopping": stopping}
        model = self.training.model.model_copy(update={"seed": seed})
        trainable = ScorerTrainer(graph, model, self.training.training.model_copy(update=changes), self.evaluation)
        snapshots, sums = [], find_parts(graph, model)
        for epoch in range(1, self.epochs + 1):
            learning_rate = trainable.epoch(epoch)["learning_rate"]
            if epoch in snapshot_epochs:
                optimizer = unpack(trainable.state())["optimizer"]
                scorer = copy.deepcopy(trainable.scorer).fold_ancestors().eval()
                preconditioner = read_preconditioner(scorer, optimizer)
                snapshots.append(Snapshot(epoch, learning_rate, scorer, preconditioner, sums))
        return Retrained(trainable.scorer.fold_ancestors().eval(), snapshots)

    def spaced_epochs(self, count: int) -> list[int]:
        """Return `count` evenly spaced epochs, including the last one."""
        return sorted({max(1, round(self.epochs * (i + 1) / count)) for i in range(count)})

    def log_probabilities(self, scorer: Scorer, triples: Triples) -> Float64Array:
        """Return log probabilities (T,) of triples (T, 3), the mean over their directions.

        The probability is the softmax over all entities, or the logistic function of the score if bce was trained.
        It is computed as a training is, with torch's reproducible algorithms, whatever another thread does.
        """
        device = scorer.entity.weight.device
        head, relation, tail = (torch.from_numpy(np.ascontiguousarray(column)).to(device) for column in triples.T)
        directions = [(head, relation, tail)]
        if self.training.model.inverse_relations:
            directions.append((tail, relation + scorer.num_relations, head))
        by_direction = []
        with deterministic_algorithms(), torch.inference_mode():
            for entity, predicate, target in directions:
                scored = score_entities(scorer(entity, predicate), scorer.entity.weight, scorer.bias)
                own = scored.gather(1, target[:, None])[:, 0]
                is_bce = self.training.training.loss.name == "bce"
                log_probability = functional.logsigmoid(own) if is_bce else own - scored.logsumexp(1)
                by_direction.append(log_probability.double().cpu().numpy())
        return np.mean(by_direction, axis=0)


def add_trainings(snapshots: Sequence[Snapshot], retrainer: Retrainer, num_trainings: int) -> list[Snapshot]:
    """Return snapshots of several trainings whose influences sum to the mean of the trainings' influences.

    Args:
        snapshots: of the training that there is.
        retrainer: makes the others, from the seeds that follow that training's.
        num_trainings: number of trainings, with the one that there is.

    Returns:
        Snapshots of the same epochs of every training, their learning rates divided by `num_trainings`.
    """
    train, seed = retrainer.graph.splits[TRAIN], retrainer.training.training.seed
    epochs = [snapshot.epoch for snapshot in snapshots]
    every = list(snapshots)
    for further in range(1, num_trainings):
        logger.info("Training %d of %d: seed %d, %d epochs", further + 1, num_trainings, seed + further, max(epochs))
        every += retrainer.train(train, seed + further, epochs).snapshots
    return [replace(each, learning_rate=each.learning_rate / num_trainings) for each in every]


class Retraining(NamedTuple):
    """One retraining: without which rows of the training triples, from which seed, and the triples (T, 3) to score."""

    removed: Int64Array
    seed: int
    queries: Triples


def retrain_without(retrainer: Retrainer, retraining: Retraining) -> Float64Array:
    """Retrain without some triples and return the log probabilities (T,) of the query triples."""
    kept = np.delete(retrainer.graph.splits[TRAIN], retraining.removed, axis=0)
    scorer = retrainer.train(kept, retraining.seed).scorer
    return retrainer.log_probabilities(scorer, retraining.queries)
