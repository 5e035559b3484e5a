"""The scorer as something that the shared loop can train."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from terrarium.kge.data.graph import TRAIN, VALIDATION, Graph, Triples
from terrarium.kge.data.queries import KnownAnswers, training_queries
from terrarium.kge.evaluation.ranking import rank_triples
from terrarium.kge.models.scorer import build_scorer, compute_moduli, export_scorer, score_entities, upcast_half
from terrarium.kge.options import VALIDATION_METRICS, EvaluationOptions, ModelOptions, TrainingOptions
from terrarium.kge.training import memory
from terrarium.kge.training.losses import BatchAnswers, chunked_mean_loss, mean_loss, n3_penalty
from terrarium.kge.training.precision import resolve_precision
from terrarium.training.batching import split_batches
from terrarium.training.checkpointing.state import State
from terrarium.training.options import TorchOptions
from terrarium.training.torch.fabric import TorchTrainable
from terrarium.training.torch.seeding import generator, seed_everything

PROBED = (4, 8)
"""Rows of the two batches that say what a row keeps for the way back."""


class NothingToTrainError(ValueError):
    """A graph that is too small for a training."""


class ScorerTrainer(TorchTrainable):
    """A scorer trained on the questions of the training triples, measured on validation triples."""

    def __init__(
        self, graph: Graph, model: ModelOptions, training: TrainingOptions, evaluation: EvaluationOptions
    ) -> None:
        """Build the scorer on its device.

        Raises:
            NothingToTrainError: fewer than two rows, or no validation triple though one is wanted.
        """
        self._graph, self._options, self._evaluation = graph, training, evaluation
        self.queries = training_queries(
            graph.splits[TRAIN],
            graph.num_relations,
            train_type=training.train_type,
            inverse_relations=model.inverse_relations,
        )
        if len(self.queries) < 2:
            raise NothingToTrainError("there are fewer than two rows to train on: give more training triples")
        self._validation = self._choose_validation()
        self._known = KnownAnswers(graph.known_triples, graph.num_relations)
        self.cleanup = memory.CacheCleanup(training.memory.cleanup_interval if training.memory.cleanup else 0)
        self.scorer = build_scorer(model, graph.num_entities, graph.num_relations)
        seed_everything(training.seed)  # dropout draws from the global generator, which is part of the checkpoints
        super().__init__(
            self.scorer,
            self._make_optimizer,
            self._batches,
            self._batch_loss,
            TorchOptions(
                device=training.device,
                precision=resolve_precision(training.precision, training.device),
                clip_norm=training.optimizer.clip_norm,
            ),
            make_scheduler=partial(torch.optim.lr_scheduler.ExponentialLR, gamma=training.schedule.learning_rate_decay),
            export=self._export_scorer,
        )

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch; loss, and every so many epochs filtered MRR and Hits@10 on validation triples."""
        self.cleanup.released_mb = 0.0
        numbers = super().epoch(epoch)
        found = dict.fromkeys(VALIDATION_METRICS, math.nan)
        last = epoch == self._options.max_epochs
        due = last or epoch % self._options.validation.interval == 0
        if len(self._validation) and due and math.isfinite(numbers["loss"]):
            ranks = rank_triples(self.scorer, self._validation, self._known, self._evaluation)
            head, tail = (1 / ranks).mean(axis=0)
            found = dict(zip(VALIDATION_METRICS, ((head + tail) / 2, head, tail, (ranks <= 10).mean()), strict=True))
        released = {"cleanup_released_mb": self.cleanup.released_mb} if self._options.memory.cleanup else {}
        return {"loss": numbers.pop("loss"), **found, **released, **numbers}

    def saved_by_checkpointing(self) -> tuple[float, float]:
        """MB that a batch keeps for the way back, with and without checkpointing; the scorer stays as it is.

        What is kept is a + b x rows: two batches of few rows with an answer each give the line, so that the report
        itself never makes the peak of memory.
        """
        whole = min(self._options.batch_size, len(self.queries))
        sizes = sorted({min(size, whole) for size in PROBED})
        kept = np.array([self._kept(size) for size in sizes])
        slope = (kept[1] - kept[0]) / (sizes[1] - sizes[0]) if len(sizes) == 2 else np.zeros(2)
        with_it, without = kept[-1] + slope * (whole - sizes[-1])
        return float(with_it), float(without)

    def _kept(self, size: int) -> tuple[float, float]:
        """MB that the first rows keep, with and without checkpointing."""
        rows = np.arange(size)
        arrays = (self.queries.entity[rows], self.queries.relation[rows])
        ones = np.ones(size, np.int64)
        answers = (rows, self.queries.answers[self.queries.offsets[rows]], ones, ones.astype(np.float32))
        batch = self._fabric.to_device(tuple(torch.from_numpy(array) for array in (*arrays, *answers)))
        return memory.measure_saved_mb(
            self.scorer, lambda checkpointing: self._loss_of(self._model, batch, checkpointing)[0], self._fabric
        )

    def _choose_validation(self) -> Triples:
        """The validation triples that the epochs are measured on."""
        valid, count = self._graph.splits[VALIDATION], self._options.validation.max_triples
        if not len(valid) and self._options.stopping.metric.startswith("validation"):
            raise NothingToTrainError(
                f"training.stopping.metric is {self._options.stopping.metric} and there are no validation triples: "
                "give some, or set it to loss and training.stopping.direction to min"
            )
        if not 0 < count < len(valid):
            return valid
        return valid[np.sort(generator(self._options.seed, "validation").permutation(len(valid))[:count])]

    def _make_optimizer(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        kind = torch.optim.Adam if self._options.optimizer.name == "adam" else torch.optim.Adagrad
        return kind(parameters, lr=self._options.optimizer.learning_rate)

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        """Entities, relations and answers of the rows, in an order of the epoch's own."""
        order = generator(self._options.seed, "order", epoch).permutation(len(self.queries))
        for rows in split_batches(order, self._options.batch_size):
            *answers, count = self.queries.select_answers(rows)
            weight = (
                count / self.queries.mean_answers
                if self._options.query_weight == "by_num_answers"
                else np.ones(len(rows))
            )
            arrays = (self.queries.entity[rows], self.queries.relation[rows], *answers, count)
            yield *(torch.from_numpy(array) for array in arrays), torch.from_numpy(weight.astype(np.float32))
            self.cleanup.after_batch()

    def _batch_loss(self, model: Any, batch: Any) -> tuple[Tensor, int]:
        return self._loss_of(model, batch, self._options.memory.gradient_checkpointing)

    def _loss_of(self, model: Any, batch: tuple[Tensor, ...], checkpointing: bool) -> tuple[Tensor, int]:
        """The mean loss of a batch's rows, and how many they are."""
        entity, relation, *given = batch
        answers, options = BatchAnswers(*given), self._options
        query = memory.run_checkpointed(model, entity, relation) if checkpointing else model(entity, relation)
        table, bias = self.scorer.entity.weight, self.scorer.bias
        settings = (options.loss.name, options.loss.label_smoothing)
        if options.memory.entity_chunk_size:
            value = chunked_mean_loss(query, table, bias, answers, *settings, options.memory.entity_chunk_size)
        else:
            value = mean_loss(upcast_half(score_entities(query, table, bias)), answers, *settings)
        if options.loss.n3_weight:
            value = value + options.loss.n3_weight * self._penalty(entity, relation, answers)
        return value, len(entity)

    def _penalty(self, entity: Tensor, relation: Tensor, answers: BatchAnswers) -> Tensor:
        kind = self.scorer.options.name
        of_entity, of_relation = self.scorer.entity.weight, self.scorer.relation.weight
        head, tail = compute_moduli(of_entity[entity], kind), compute_moduli(of_entity[answers.entity], kind)
        return n3_penalty(head, compute_moduli(of_relation[relation], kind), tail, answers)

    def _export_scorer(self, _: Any) -> State:
        return export_scorer(self.scorer, self._graph.fingerprint)
