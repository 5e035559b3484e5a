"""The model as something that the shared training loop can train."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from terrarium.common.arrays import Float32Array, Int64Array
from terrarium.kge.data.ancestors import Ancestors, find_parts, is_trained
from terrarium.kge.data.graph import HEAD, RELATION, TRAIN, VALIDATION, Graph, Triples
from terrarium.kge.data.queries import KnownAnswers, QueryIndex, SelectedAnswers, training_queries
from terrarium.kge.data.sampling import EntitySampler, SampledEntities
from terrarium.kge.evaluation.ranking import rank_triples
from terrarium.kge.models.entities import AncestorSum
from terrarium.kge.models.scorer import (
    build_scorer,
    compute_moduli,
    export_scorer,
    relation_query,
    score_entities,
    upcast_half,
)
from terrarium.kge.options import VALIDATION_METRICS, EvaluationOptions, ModelOptions, TrainingOptions
from terrarium.kge.training import memory
from terrarium.kge.training.collapse import SAMPLE, prediction_entropy
from terrarium.kge.training.defaults import default_n3_weight, fill_dim, fill_training
from terrarium.kge.training.losses import (
    BatchAnswers,
    LossSpec,
    chunked_mean_loss,
    mean_loss,
    n3_penalty,
    relation_loss,
)
from terrarium.kge.training.precision import resolve_precision
from terrarium.training.batching import split_batches, split_part
from terrarium.training.checkpointing.state import State
from terrarium.training.options import TorchOptions
from terrarium.training.torch.fabric import TorchTrainable
from terrarium.training.torch.processes import ALONE, World
from terrarium.training.torch.seeding import generator

PROBE_ROWS = (4, 8)
"""Sizes of the two batches from which the memory of a full batch is extrapolated."""


class NothingToTrainError(ValueError):
    """A graph that is too small to train on."""


class Batch(NamedTuple):
    """B rows: queries (B,) and their answers (K,) with counts and weights (B,), see `BatchAnswers`.

    `size` is the number of rows of the whole batch, of which this is one process's part. `sample` is what is read of
    the table of entities (see `SampledEntities`; entities are then positions in its rows), or None for all of it.
    """

    size: int
    entity: Tensor
    relation: Tensor
    answer_row: Tensor
    answer_entity: Tensor
    answer_counts: Tensor
    weight: Tensor
    sample: tuple[Tensor, ...] | None = None

    @property
    def answers(self) -> BatchAnswers:
        """The answers as the losses want them."""
        return BatchAnswers(self.answer_row, self.answer_entity, self.answer_counts, self.weight)


class ScorerTrainer(TorchTrainable):
    """A scorer trained on the queries of the training triples and measured on validation triples.

    Attributes:
        queries: the rows of an epoch.
        scorer: the model.
        cleanup: empties the cache of a GPU.
    """

    def __init__(
        self,
        graph: Graph,
        model: ModelOptions,
        training: TrainingOptions,
        evaluation: EvaluationOptions,
        world: World = ALONE,
    ) -> None:
        """Build the scorer on its device; with several processes in `world`, each trains on its rows of every batch.

        Raises:
            NothingToTrainError: fewer than two rows, or no validation triple to measure `stopping.metric` on.
        """
        model, training = fill_dim(graph, model), fill_training(graph, training)
        self._graph, self._options, self._evaluation = graph, training, evaluation
        self.queries = self.make_queries(graph, model, training)
        if len(self.queries) < 2:
            raise NothingToTrainError("there are fewer than two rows to train on: give more training triples")
        self._n3_weight = default_n3_weight(graph) if training.loss.n3_weight is None else training.loss.n3_weight
        self._loss_spec = LossSpec(training.loss.name, training.loss.label_smoothing)
        self._validation = self._choose_validation()
        self._known = KnownAnswers(graph.known_triples, graph.num_relations)
        self._batch_size = training.batch_size or len(self.queries)
        self.cleanup = memory.CacheCleanup(training.memory.cleanup_interval if training.memory.cleanup else 0)
        ancestors = choose_ancestors(graph, model)
        self.scorer = build_scorer(model, graph.num_entities, graph.num_relations, ancestors)
        self._sampler = (
            EntitySampler(graph.num_entities, training.num_negatives, ancestors) if training.num_negatives else None
        )
        self._has_sparse_updates = training.optimizer.name == "adagrad" and world.size == 1
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
            seed=training.seed,
            world=world,
            make_scheduler=partial(torch.optim.lr_scheduler.ExponentialLR, gamma=training.schedule.learning_rate_decay),
            export=self._export_scorer,
        )

    @staticmethod
    def make_queries(graph: Graph, model: ModelOptions, training: TrainingOptions) -> QueryIndex:
        """Return the rows of an epoch."""
        return training_queries(
            graph.splits[TRAIN][is_trained(graph, model)],
            graph.num_relations,
            train_type=training.train_type or "KvsAll",
            inverse_relations=model.inverse_relations,
        )

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch.

        Returns:
            loss; `VALIDATION_METRICS` and prediction_entropy (see `collapse`), NaN in epochs that are not measured;
            cleanup_released_mb with cleanup; and the numbers of `TorchTrainable.epoch`.
        """
        self.cleanup.released_mb = 0.0
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sparse invariant checks")
            numbers = super().epoch(epoch)
        metrics = dict.fromkeys((*VALIDATION_METRICS, "prediction_entropy"), math.nan)
        is_due = epoch == self._options.max_epochs or epoch % self._options.validation.interval == 0
        if len(self._validation) and is_due and math.isfinite(numbers["loss"]):
            complete = self.scorer.fold_ancestors()
            ranks = rank_triples(complete, self._validation, self._known, self._evaluation)
            head, tail = (1 / ranks).mean(axis=0)
            values = ((head + tail) / 2, head, tail, (ranks <= 10).mean())
            metrics = dict(zip(VALIDATION_METRICS, (float(value) for value in values), strict=True))
            sample = self._validation[:SAMPLE]
            metrics["prediction_entropy"] = prediction_entropy(complete, sample[:, HEAD], sample[:, RELATION])
        released = {"cleanup_released_mb": self.cleanup.released_mb} if self._options.memory.cleanup else {}
        return {"loss": numbers.pop("loss"), **metrics, **released, **numbers}

    def measure_saved_mb(self) -> memory.SavedMemory:
        """Return what a full batch keeps for the backward pass; the scorer stays as it is.

        The memory is linear in the rows. Two small batches with one answer per query give the line, so that measuring
        never causes the peak of memory.
        """
        batch_size = min(self._batch_size, len(self.queries))
        sizes = sorted({min(size, batch_size) for size in PROBE_ROWS})
        saved = np.array([self._measure_rows(size) for size in sizes])
        slope = (saved[1] - saved[0]) / (sizes[1] - sizes[0]) if len(sizes) == 2 else np.zeros(2)
        checkpointed, plain = saved[-1] + slope * (batch_size - sizes[-1])
        return memory.SavedMemory(float(checkpointed), float(plain))

    def _measure_rows(self, size: int) -> memory.SavedMemory:
        """Return what the first `size` rows keep."""
        rows = np.arange(size)
        first, ones = self.queries.answers[self.queries.offsets[rows]], np.ones(size, np.int64)
        answers = SelectedAnswers(rows, first, ones)
        batch = self._make_batch(size, rows, answers, ones.astype(np.float32), self._draw(0, 0, rows))
        batch = Batch(*self._fabric.to_device(batch))
        return memory.measure_saved_mb(
            self.scorer, lambda checkpointing: self._loss_of(self._model, batch, checkpointing), self._fabric
        )

    def _choose_validation(self) -> Triples:
        """Return the validation triples to measure on."""
        triples, count = self._graph.splits[VALIDATION], self._options.validation.max_triples
        if not len(triples) and self._options.stopping.metric.startswith("validation"):
            raise NothingToTrainError(
                f"training.stopping.metric is {self._options.stopping.metric} and there are no validation triples: "
                "give some, or set it to loss and training.stopping.direction to min"
            )
        if not 0 < count < len(triples):
            return triples
        return triples[np.sort(generator(self._options.seed, "validation").permutation(len(triples))[:count])]

    def _make_optimizer(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        kind = torch.optim.Adam if self._options.optimizer.name == "adam" else torch.optim.Adagrad
        return kind(parameters, lr=self._options.optimizer.learning_rate)

    def _batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the rows of an epoch in an order of its own."""
        order = generator(self._options.seed, "order", epoch).permutation(len(self.queries))
        batches = split_batches(order, self._batch_size, max(2, self._world.size))
        for number, rows in enumerate(batches):
            own = split_part(rows, self._world.rank, self._world.size)
            answers = self.queries.select_answers(own)
            share = len(own) * self._world.size / len(rows)
            weight = (self._query_weights(answers.counts) * share).astype(np.float32)
            yield self._make_batch(len(rows), own, answers, weight, self._draw(epoch, number, rows))
            self.cleanup.after_batch()

    def _draw(self, epoch: int, number: int, rows: Int64Array) -> SampledEntities | None:
        """Return the entities that a batch reads, the same in all processes; None for all."""
        if self._sampler is None:
            return None
        rng = generator(self._options.seed, "negatives", epoch, number)
        return self._sampler.draw(rng, self.queries.select_answers(rows).entity, self.queries.entity[rows])

    def _make_batch(
        self,
        size: int,
        rows: Int64Array,
        answers: SelectedAnswers,
        weight: Float32Array,
        sampled: SampledEntities | None,
    ) -> Batch:
        entity, relation, answer = self.queries.entity[rows], self.queries.relation[rows], answers.entity
        if sampled is not None:
            entity, answer = sampled.positions(entity), sampled.positions(answer)
        arrays = (entity, relation, answers.row, answer, answers.counts, weight)
        sample = None if sampled is None else tuple(torch.from_numpy(array) for array in sampled)
        return Batch._make((size, *map(torch.from_numpy, arrays), sample))

    def _query_weights(self, counts: Int64Array) -> np.ndarray:
        if self._options.query_weight == "by_num_answers":
            return counts / self.queries.mean_answers
        return np.ones(len(counts))

    def _batch_loss(self, model: Any, batch: Any) -> tuple[Tensor, int]:
        batch = Batch(*batch)
        return self._loss_of(model, batch, self._options.memory.gradient_checkpointing), batch.size

    def _loss_of(self, model: Any, batch: Batch, checkpointing: bool) -> Tensor:
        """Return the weighted mean loss of the rows, with the penalty."""
        loss, answers, (own, table) = self._options.loss, batch.answers, self._read_entities(batch)
        query = (memory.run_checkpointed if checkpointing else _run)(model, batch.entity, batch.relation, table)
        if batch.sample is not None:
            value = self._sampled_loss(query, table, batch, batch.sample)
        elif chunk_size := self._options.memory.entity_chunk_size:
            value = chunked_mean_loss(query, table, self.scorer.bias, answers, self._loss_spec, chunk_size)
        else:
            scores = score_entities(query, table, self.scorer.bias)
            value = mean_loss(upcast_half(scores), answers, self._loss_spec)
        if loss.relation_weight:
            value = value + loss.relation_weight * self._relation_loss(batch, table)
        return value + self._n3_weight * self._penalty(batch, own) if self._n3_weight else value

    def _read_entities(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return own vectors and embeddings, of all entities or of those that the batch reads."""
        weight = self.scorer.entity.weight
        if batch.sample is None:
            return weight, self.scorer.entity_table()
        rows, _, _, entity, ancestor = batch.sample
        own = torch.nn.functional.embedding(rows, weight, sparse=self._has_sparse_updates)
        return own, AncestorSum.add(own, entity, ancestor)

    def _sampled_loss(self, query: Tensor, table: Tensor, batch: Batch, sample: tuple[Tensor, ...]) -> Tensor:
        rows, scored, counts, *_ = sample
        bias = None if self.scorer.bias is None else self.scorer.bias[rows[scored]]
        column = torch.empty(len(rows), dtype=torch.long, device=rows.device)
        column[scored] = torch.arange(len(scored), device=rows.device)
        answers = batch.answers._replace(entity=column[batch.answer_entity])
        return mean_loss(upcast_half(score_entities(query, table[scored], bias)), answers, self._loss_spec, counts)

    def _relation_loss(self, batch: Batch, entities: Tensor) -> Tensor:
        heads, tails = entities[batch.entity[batch.answer_row]], entities[batch.answer_entity]
        query = relation_query(heads, tails, self.scorer.options.name)
        return relation_loss(query, self.scorer.relation.weight, batch.relation, batch.answers)

    def _penalty(self, batch: Batch, own: Tensor) -> Tensor:
        """Return the N3 penalty; with ancestors it is of own vectors, so what relatives share costs less."""
        name = self.scorer.options.name
        head, tail = compute_moduli(own[batch.entity], name), compute_moduli(own[batch.answer_entity], name)
        relation = compute_moduli(self.scorer.relation.weight[batch.relation], name)
        return n3_penalty(head, relation, tail, batch.answers)

    def _export_scorer(self, _: Any) -> State:
        return export_scorer(self.scorer, self._graph.fingerprint)


def choose_ancestors(graph: Graph, model: ModelOptions) -> Ancestors | None:
    """Return what entity embeddings are sums of, or None for plain embeddings.

    Raises:
        NothingToTrainError: the model asks for ancestors and the graph has no hierarchy relation, or for words and the
            entities have no names.
    """
    if model.entity_encoder == "words" and graph.names is None:
        raise NothingToTrainError(
            "model.entity_encoder is words, and the names of the entities are their ids: give names, or set "
            "model.entity_encoder to lookup"
        )
    if model.entity_encoder in {"ancestors", "ancestors_and_words"} and graph.hierarchy is None:
        raise NothingToTrainError(
            f"model.entity_encoder is {model.entity_encoder}, and the graph has no relation from an entity to its "
            "parent: name it in source.hierarchy_relation, or set model.entity_encoder to lookup"
        )
    return find_parts(graph, model)


def _run(model: torch.nn.Module, entity: Tensor, relation: Tensor, table: Tensor) -> Tensor:
    query: Tensor = model(entity, relation, table)
    return query
