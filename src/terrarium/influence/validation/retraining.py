"""Training again on other triples, for validation: no checkpoints on disk, no stopping, a given number of epochs."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from terrarium.common.arrays import Float64Array
from terrarium.influence.data.checkpoints import Snapshot, Training
from terrarium.influence.similarity.exact_preconditioner import scales
from terrarium.kge.data.graph import TEST, TEST_GROUPS, TRAIN, VALIDATION, Graph, Triples
from terrarium.kge.models.scorer import Scorer, score_entities
from terrarium.kge.options import EvaluationOptions
from terrarium.kge.training.trainer import ScorerTrainer
from terrarium.training.torch.packing import unpack


@dataclass(frozen=True, eq=False)
class Retrainer:
    """What all retrainings share."""

    graph: Graph
    training: Training
    evaluation: EvaluationOptions
    epochs: int

    def train(self, triples: Triples, seed: int, keep: Collection[int] = ()) -> tuple[Scorer, list[Snapshot]]:
        """The scorer after the epochs, and states after the epochs in `keep`."""
        parts = {TRAIN: triples} | dict.fromkeys((VALIDATION, TEST, TEST_GROUPS), triples[:0])
        graph = Graph(self.graph.num_entities, self.graph.num_relations, parts)
        stopping = self.training.training.stopping.model_copy(update={"metric": "loss", "direction": "min"})
        changes = {"seed": seed, "max_epochs": self.epochs, "stopping": stopping}
        model = self.training.model.model_copy(update={"seed": seed})
        trainable = ScorerTrainer(graph, model, self.training.training.model_copy(update=changes), self.evaluation)
        kept = []
        for epoch in range(1, self.epochs + 1):
            rate = trainable.epoch(epoch)["learning_rate"]
            if epoch in keep:
                optimiser = unpack(trainable.state())["optimizer"]
                scorer = copy.deepcopy(trainable.scorer).eval()
                kept.append(Snapshot(epoch, rate, scorer, scales(scorer, optimiser)))
        return trainable.scorer.eval(), kept

    def kept(self, count: int) -> list[int]:
        """`count` epochs evenly apart, the last one among them."""
        return sorted({max(1, round(self.epochs * (i + 1) / count)) for i in range(count)})


def values(scorer: Scorer, triples: Triples, training: Training) -> Float64Array:
    """(T,) log probabilities of triples, the sides' mean: among all answers for softmax, yes or no for bce."""
    device = scorer.entity.weight.device
    head, relation, tail = (torch.from_numpy(np.ascontiguousarray(column)).to(device) for column in triples.T)
    asked = [(head, relation, tail)]
    if training.model.inverse_relations:
        asked.append((tail, relation + scorer.num_relations, head))
    found = []
    with torch.inference_mode():
        for entity, of_relation, target in asked:
            given = score_entities(scorer(entity, of_relation), scorer.entity.weight, scorer.bias)
            own = given.gather(1, target[:, None])[:, 0]
            reached = functional.logsigmoid(own) if training.training.loss.name == "bce" else own - given.logsumexp(1)
            found.append(reached.double().cpu().numpy())
    return np.mean(found, axis=0)
