"""Training of sense vectors: one epoch is a pass over the links, a validation, and a check of the growth rule."""

from __future__ import annotations

import logging
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from terrarium.common.arrays import Float32Array
from terrarium.common.vectors import normalize_rows
from terrarium.senses.data.relations import ANTONYM, RELATIONS
from terrarium.senses.models.initial import (
    adjacency,
    inherited_rows,
    opposed_rows,
    random_rows,
    spectral_rows,
    with_polar_columns,
)
from terrarium.senses.models.operators import fit_maps, polar_columns
from terrarium.senses.models.table import SenseTable
from terrarium.senses.models.threads import torch_threads
from terrarium.senses.options import ModelOptions, TrainingOptions
from terrarium.senses.training.batch_losses import (
    BatchLosses,
    LossMeter,
    add_taxonomy_loss,
    batch_losses,
    drop_taxonomy_pairs,
    gather_vectors,
    loss_weights,
)
from terrarium.senses.training.batches import Batch, adapt_batch_size, draw_batches, split_batch
from terrarium.senses.training.growth import GrowthController
from terrarium.senses.training.memory import (
    PART_SIZE,
    OutOfMemoryError,
    available_memory,
    format_bytes,
    training_memory,
)
from terrarium.senses.training.messages import log_losses, log_zeros
from terrarium.senses.training.problem import Axes, Problem
from terrarium.training.checkpointing.state import State
from terrarium.training.schedules import geometric_rate
from terrarium.training.torch.device import resolve_device
from terrarium.training.torch.fabric import deterministic_algorithms
from terrarium.training.torch.seeding import generator

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger(__name__)

VALIDATION_BATCH_SIZE = 4_096
_POLE = 0.5
"""Entry at which the words of a named axis start, before normalization."""


@dataclass(frozen=True, eq=False)
class Gradients:
    """Sums of gradients with the shapes of the table: rows and maps."""

    rows: Tensor
    maps: Tensor


class SenseTrainer:
    """A `Trainable` of sense vectors."""

    def __init__(self, problem: Problem, model: ModelOptions, training: TrainingOptions) -> None:
        """Build the initial table.

        Args:
            problem: the data.
            model: dimensions and initial vectors.
            training: everything else.

        Raises:
            OutOfMemoryError: the training would not fit into memory.
        """
        self._problem, self._model, self._options = problem, model, training
        self._links = problem.links["train"]
        device = resolve_device(training.device)
        self._require_memory()
        if training.batch_size > len(self._links):
            logger.warning(
                "Batch size %d exceeds the number of links (%d), so an epoch is one step: lower "
                "senses.training.batch_size",
                training.batch_size,
                len(self._links),
            )
        rng = generator(model.seed, "start")
        initial = self._initial_rows(0, model.dim, rng, specificity=model.specificity_column)
        if problem.axes is not None:
            _turn_to_poles(initial, problem.axes)
        self.table = SenseTable(initial, problem.offsets, training.sparsity.zero_fraction, device)
        links, codes = self._links, self.table.all_codes().cpu().numpy()
        self.table.set_maps(fit_maps(codes, links.head, links.tail, links.relation, len(self.table.maps)))
        self.growth = GrowthController(training.growth, training.seed)
        self._weights = loss_weights(training)

    @property
    def batch_size(self) -> int:
        """Links per batch at the present dimension."""
        size = min(self._options.batch_size, len(self._links))
        return adapt_batch_size(size, self._model.dim, self.table.dim) if self._options.adaptive_batch_size else size

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train and validate one epoch, then decide about growth, which happens at the start of the next epoch.

        Returns:
            loss, validation_loss and their parts (such as link_loss, validation_link_loss), items, dim, exact_zeros
            (fraction), batch_size, parameters, columns_added_next, columns_pruned_next, learning_rate.
        """
        self._resize(epoch)
        rate = geometric_rate(
            self._options.optimizer.learning_rate,
            self._options.schedule.final_learning_rate,
            epoch,
            self._options.schedule_length,
        )
        with deterministic_algorithms(), torch_threads(self._options.threads):
            train = self._train(epoch, rate)
            self.table.select_entries()
            validation = self.validate()
            trial = partial(self._trial_loss, epoch)
            self.growth.check(self.table, epoch, validation["loss"], trial, self._memory_refusal)
        zeros = 1 - float(self.table.kept.double().mean())
        log_losses(logger, train, validation)
        log_zeros(logger, zeros, self._options.sparsity.log_range)
        return {
            "loss": train["loss"],
            "items": float(len(self._links)),
            "validation_loss": validation["loss"],
            "dim": float(self.table.dim),
            "exact_zeros": zeros,
            **{f"{name}_loss": value for name, value in train.items() if name != "loss"},
            **{f"validation_{name}_loss": value for name, value in validation.items() if name != "loss"},
            "batch_size": float(self.batch_size),
            "parameters": float(self.table.parameters),
            "columns_added_next": float(max(self.growth.pending, 0)),
            "columns_pruned_next": float(max(-self.growth.pending, 0)),
            "learning_rate": rate,
        }

    def state(self) -> State:
        """Return the table, the growth rule's state, and the columns that the next epoch adds or removes."""
        return State(self.table.state().tensors, self.growth.state())

    def load(self, state: State) -> None:
        """Restore what `state` returned, at its dimension."""
        self.table.load(state)
        self.growth.load(state.metadata)

    def weights(self) -> State:
        """Return what is exported.

        Returns:
            Tensors codes (S, D) of the synsets with exact zeros, offsets (O, D) of senses, maps (2 R, 1 + D, D)
            of the relations, polar (D,); metadata lexicon (fingerprint) and relations (names).
        """
        table = self.table
        tensors = {
            "codes": table.all_codes(),
            "offsets": table.rows[table.synsets : -1].clone(),
            "maps": table.maps.clone(),
            "polar": table.polar.clone(),
        }
        arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
        return State(arrays, {"lexicon": self._problem.fingerprint, "relations": list(RELATIONS)})

    def validate(self, table: SenseTable | None = None) -> dict[str, float]:
        """Return the mean losses on the validation split, with the same negatives and pairs in every epoch.

        Args:
            table: to validate; None for the trainer's own.
        """
        import torch

        table = self.table if table is None else table
        problem, meter = self._problem, LossMeter(self._weights)
        rng = generator(self._options.seed, "validation")
        batches = draw_batches(problem, "validation", VALIDATION_BATCH_SIZE, self._options.sampler, rng)
        with torch.no_grad():
            for batch in batches:
                vectors = gather_vectors(table, batch, problem.axes)
                meter.add(batch_losses(table, vectors, table.maps, self._options.loss))
        return meter.means()

    def add_gradients(self, batch: Batch, gradients: Gradients) -> tuple[Tensor, BatchLosses]:
        """Add the gradients of a batch; return the rows they touch (with repetitions) and the losses."""
        import torch

        table, options = self.table, self._options.loss
        compiled = table.device.type == "cpu"
        differentiated = drop_taxonomy_pairs(batch) if compiled else batch
        vectors = gather_vectors(
            table, differentiated, self._problem.axes, trainable=True, link_weight=options.vector_link_weight
        )
        maps = table.maps.clone().requires_grad_()
        losses = batch_losses(table, vectors, maps, options)
        leaves = vectors.synset_leaf, vectors.offset_leaf
        by_map, *by_leaf = torch.autograd.grad(
            losses.total(self._weights, len(batch.links)),
            [maps, *(leaf.values for leaf in leaves)],
            allow_unused=True,
        )
        gradients.maps.add_(by_map)
        for leaf, gradient in zip(leaves, by_leaf, strict=True):
            if gradient is not None:
                gradients.rows.index_add_(0, leaf.rows, gradient)
        touched = [leaf.rows for leaf in leaves]
        if compiled:
            losses.sums["taxonomy"] = add_taxonomy_loss(table, batch, gradients.rows, options)
            touched += [torch.from_numpy(batch.first), torch.from_numpy(batch.second)]
        return torch.cat(touched), losses

    def memory_bytes(self, dim: int) -> int:
        """Return the bytes that training in `dim` dimensions takes at most."""
        rows = self._problem.synsets + self._problem.offsets + 1
        batch = min(self._options.batch_size, len(self._links))
        return training_memory(rows, dim, batch, self._options.sampler.num_negatives)

    def _train(self, epoch: int, rate: float) -> dict[str, float]:
        import torch

        table, options, meter = self.table, self._options, LossMeter(self._weights)
        rng = generator(options.seed, "epoch", epoch)
        by_row = torch.zeros_like(table.rows)
        for batch in draw_batches(self._problem, "train", self.batch_size, options.sampler, rng):
            gradients = Gradients(by_row, torch.zeros_like(table.maps))
            touched = []
            for part in split_batch(batch, PART_SIZE):
                rows, losses = self.add_gradients(part, gradients)
                touched.append(rows)
                meter.add(losses)
            table.step(
                torch.unique(torch.cat(touched)), by_row, rate, options.loss.sense_offset_penalty, options.threads
            )
            table.step_relations(gradients.maps, rate * options.optimizer.relation_lr_factor)
        return meter.means()

    def _resize(self, epoch: int) -> None:
        """Add or remove the columns that the last epoch decided on, now that its state is saved."""
        pending, before = self.growth.take_pending(), self.batch_size
        if pending < 0:
            self.table.prune(self.growth.used_columns(self.table))
        if pending <= 0:
            return
        self._grow(self.table, epoch - 1, pending)
        if self.batch_size != before:
            logger.info("  Adapted batch size to %d for %d dimensions", self.batch_size, self.table.dim)
        logger.info("  The optimizer state is kept; patience restarts")
        if self.table.dim >= self._options.growth.max_dim:
            logger.info("  Maximum dimensions reached (%d)", self.table.dim)

    def _grow(self, table: SenseTable, epoch: int, count: int) -> None:
        """Add the columns that follow those of a table, as decided after an epoch."""
        columns = self._initial_rows(table.dim, count, generator(self._model.seed, "columns", epoch))
        table.grow(columns, self._options.growth.new_column_energy)

    def _trial_loss(self, epoch: int, count: int) -> float:
        """Return the validation loss that the table would have with more columns; `grow` makes tensors of its own."""
        trial = copy(self.table)
        self._grow(trial, epoch, count)
        return self.validate(trial)["loss"]

    def _initial_rows(self, first: int, count: int, rng: np.random.Generator, specificity: float = 0.0) -> Float32Array:
        """Return unit rows for `count` columns, of which the table has `first` before."""
        taxonomy, links = self._problem.taxonomy, self._links
        if self._model.init == "random":
            return random_rows(taxonomy, count, rng)
        is_antonym = links.relation % len(RELATIONS) == ANTONYM
        alike, antonyms = (links.take(np.flatnonzero(chosen)) for chosen in (~is_antonym, is_antonym))
        if self._model.init == "inherited":
            return inherited_rows(taxonomy, alike.head, alike.tail, count, rng, specificity=specificity)
        polar, energy = polar_columns(first, count), self._model.antonym_energy
        opposed = int(polar.sum()) if energy > 0 else 0
        components = self._problem.spectral[:, first : first + count - opposed]
        rows = spectral_rows(taxonomy, components, rng, specificity=specificity)
        if not opposed:
            return rows
        alike_graph, antonym_graph = (adjacency(x.head, x.tail, self._problem.synsets) for x in (alike, antonyms))
        return with_polar_columns(rows, opposed_rows(alike_graph, antonym_graph, opposed, rng), polar, energy)

    def _memory_refusal(self, dim: int) -> str:
        """Return why training in `dim` dimensions does not fit into memory, or nothing if it does."""
        need, free = self.memory_bytes(dim), available_memory(self._options.memory_limit_gb)
        return f"needs {format_bytes(need)} and {format_bytes(free)} are free" if need > free else ""

    def _require_memory(self) -> None:
        refusal = self._memory_refusal(self._model.dim)
        if refusal:
            raise OutOfMemoryError(
                f"senses.model.dim {self._model.dim} {refusal}: lower model.dim or training.batch_size, or raise "
                "training.memory_limit_gb"
            )


def _turn_to_poles(rows: Float32Array, axes: Axes) -> None:
    """Move the words of the named axes towards their poles on the polar columns of unit rows (S, D), in place."""
    columns = np.flatnonzero(polar_columns(0, rows.shape[1]))
    if not len(columns):
        return
    column = columns[axes.word_axis % len(columns)]
    rows[axes.word, column] = axes.sign * np.maximum(np.abs(rows[axes.word, column]), _POLE)
    rows[axes.word] = normalize_rows(rows[axes.word])
