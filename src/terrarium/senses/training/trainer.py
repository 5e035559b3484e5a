"""The training of sense vectors: an epoch of batches, a validation, and a look at whether to grow."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from terrarium.senses.data.relations import ANTONYM, RELATIONS
from terrarium.senses.models.initial import initial_rows
from terrarium.senses.models.table import SenseTable
from terrarium.senses.options import ModelOptions, TrainingOptions
from terrarium.senses.training.batch_losses import (
    Leaves,
    Losses,
    Sums,
    add_taxonomy,
    batch_losses,
    chunks,
    without_taxonomy,
)
from terrarium.senses.training.batches import Batch, Shape, batches
from terrarium.senses.training.growth import (
    GrowthState,
    adapted_batch,
    after_growth,
    available_memory,
    decide,
    memory_need,
)
from terrarium.senses.training.messages import describe_columns, gigabytes
from terrarium.senses.training.problem import Problem, antonyms_of
from terrarium.training.checkpointing.state import State
from terrarium.training.torch.device import resolve_device
from terrarium.training.torch.fabric import deterministic_algorithms
from terrarium.training.torch.seeding import generator

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger(__name__)

CHUNK = 16_384
"""Links whose scores are held at once; a larger batch is taken in such parts."""
VALIDATION_BATCH = 4_096


class MemoryShortError(MemoryError):
    """A training that would not fit into memory, refused before it starts."""


class SenseTrainer:
    """A `Trainable`: the table of vectors, the rule of growth, and the data."""

    def __init__(self, problem: Problem, model: ModelOptions, training: TrainingOptions) -> None:
        self._problem, self._model, self._options = problem, model, training
        device = resolve_device(training.device)
        self._check_memory(model.dim)
        if training.batch_size > len(problem.train):
            notice = "Batch size %d exceeds the %d links there are: an epoch is one step. Lower training.batch_size"
            logger.warning(notice, training.batch_size, len(problem.train))
        start = self._inherit(model.dim, model.generality, generator(model.seed, "start"))
        self.table = SenseTable(start, problem.offsets, training.sparsity_target, device)
        self._antonyms = antonyms_of(problem.train)
        self._validation_antonyms = antonyms_of(problem.validation)
        self._growth, self._pending = GrowthState(), 0
        self._weights = {
            "link": 1.0,
            "direction": training.direction_weight,
            "taxonomy": training.taxonomy_weight,
            "opposition": training.opposition_weight,
            "polarity": training.polarity_weight,
            "consistency": training.consistency_weight,
        }

    @property
    def batch_size(self) -> int:
        """Links a batch at the present dimension, at most all there are."""
        adapted = self._options.batch_size
        if self._options.adaptive_batch:
            adapted = adapted_batch(adapted, self._model.dim, self.table.dim)
        return min(adapted, len(self._problem.train))

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train, validate and decide about growth; columns are added at the start of the next epoch."""
        self._prepare(epoch)
        rate = self._rate(epoch)
        with deterministic_algorithms():
            train = self._train(epoch, rate)
            self.table.choose()
            valid = self._validate()
        added, pruned = self._consider(epoch, valid["loss"])
        self._log_losses(train, valid)
        return {
            "loss": train["loss"],
            "items": float(len(self._problem.train)),
            "validation_loss": valid["loss"],
            "dim": float(self.table.dim),
            "exact_zeros": 1 - float(self.table.kept.double().mean()),
            **{f"{name}_loss": value for name, value in train.items() if name != "loss"},
            **{f"validation_{name}_loss": value for name, value in valid.items() if name != "loss"},
            "batch_size": float(self.batch_size),
            "active_columns": self._active() * self.table.dim,
            "parameters": float(self.table.parameters),
            "columns_added_next": float(added),
            "columns_pruned_next": float(pruned),
            "learning_rate": rate,
        }

    def state(self) -> State:
        """Table, rule of growth, and what the next epoch will change."""
        metadata = {"growth": self._growth.as_json(), "pending": self._pending}
        return State(self.table.state().tensors, metadata)

    def load(self, state: State) -> None:
        """Become what `state` gave, at its dimension."""
        self.table.load(state)
        self._growth = GrowthState(**state.metadata["growth"])
        self._pending = state.metadata["pending"]

    def weights(self) -> State:
        """Codes of the synsets with exact zeros, offsets of senses, and the relations."""
        import torch

        table = self.table
        every = torch.arange(table.synsets, device=table.device)
        tensors = {
            "codes": torch.cat([table.codes(part) for part in torch.split(every, CHUNK)]),
            "offsets": table.rows[table.synsets : -1].clone(),
            "scale": table.scale.clone(),
            "shift": table.shift.clone(),
            "polar": table.polar.clone(),
        }
        arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
        return State(arrays, {"lexicon": self._problem.fingerprint, "relations": list(RELATIONS)})

    def _prepare(self, epoch: int) -> None:
        """Do what the last epoch decided, now that its state has been saved."""
        if self._pending > 0:
            self._grow(epoch - 1)
        elif self._pending < 0:
            self.table.prune(self._used())
        self._pending = 0

    def _grow(self, epoch: int) -> None:
        before, table = self.batch_size, self.table
        columns = self._inherit(self._pending, 0.0, generator(self._model.seed, "columns", epoch))
        table.grow(columns, self._options.growth.new_column_share)
        if self.batch_size != before:
            logger.info("  Adapted batch size to %d for %d dimensions", self.batch_size, table.dim)
        logger.info("  The optimiser's state is kept; patience starts anew")
        if table.dim >= self._options.growth.max_dim:
            logger.info("  Maximum dimensions reached (%d)", table.dim)

    def _inherit(self, dim: int, generality: float, rng: np.random.Generator) -> NDArray[np.float32]:
        """Rows to start from; antonyms are no reason to start alike."""
        links = self._problem.train
        close = links.take(np.flatnonzero(links.relation % len(RELATIONS) != ANTONYM))
        return initial_rows(self._problem.taxonomy, close.head, close.tail, dim, self._model.init, generality, rng)

    def _consider(self, epoch: int, validation: float) -> tuple[int, int]:
        options, table = self._options.growth, self.table
        decision = decide(
            options,
            self._growth,
            epoch=epoch,
            dim=table.dim,
            active=self._active(),
            validation=validation,
            seed=self._options.seed,
        )
        self._growth, add = decision.state, decision.add
        if decision.reason:
            describe_columns(logger, epoch, table.column_density(), self._active())
            logger.info("  Growth: %s", decision.reason)
        if add and not self._fits(table.dim + add):
            add = 0
        settled = not self._growth.changed or epoch - self._growth.changed > options.expand_interval
        unused = int((~self._used()).sum()) if decision.reason and not add and settled else 0
        if add:
            logger.info("[Epoch %d] Adding %d dimensions (%d -> %d)", epoch, add, table.dim, table.dim + add)
            self._growth = after_growth(self._growth, epoch, table.dim, add, validation)
        elif unused:
            logger.info(
                "[Epoch %d] Removing %d unused dimensions (%d -> %d)", epoch, unused, table.dim, table.dim - unused
            )
        self._pending = add or -unused
        return add, unused

    def _fits(self, dim: int) -> bool:
        need, free = self._need(dim), available_memory(self._options.memory_limit_gb)
        if need <= free:
            return True
        reason = (
            f"{dim} dimensions need {gigabytes(need)} and {gigabytes(free)} are free: lower growth.expand_by or "
            "batch_size, or raise memory_limit_gb"
        )
        logger.warning("  Growth refused: %s", reason)
        self._growth = GrowthState(**{**self._growth.as_json(), "closed": reason})
        return False

    def _check_memory(self, dim: int) -> None:
        need, free = self._need(dim), available_memory(self._options.memory_limit_gb)
        if need > free:
            raise MemoryShortError(
                f"senses.model.dim {dim} needs {gigabytes(need)} and {gigabytes(free)} are free: lower model.dim or "
                "training.batch_size, or raise training.memory_limit_gb"
            )

    def _need(self, dim: int) -> int:
        rows = self._problem.synsets + self._problem.offsets + 1
        batch = min(self._options.batch_size, len(self._problem.train))
        return memory_need(rows, dim, batch, CHUNK, self._options.negatives, documented=False)

    def _active(self) -> float:
        return float((self.table.column_energy() >= self._options.growth.saturation_threshold).mean())

    def _used(self) -> Tensor:
        """Columns above the limit of pruning; of the polar ones one stays at least."""
        import torch

        energy = torch.from_numpy(self.table.column_energy()).to(self.table.device)
        used = energy >= self._options.growth.prune_below
        if not bool((used & self.table.polar).any()):
            used |= self.table.polar
        return used

    def _rate(self, epoch: int) -> float:
        """Geometric from the first to the last epoch that may be."""
        first, last = self._options.learning_rate, self._options.learning_rate_end
        return first * (last / first) ** ((epoch - 1) / max(self._options.max_epochs - 1, 1))

    def _shape(self, links: int) -> Shape:
        options = self._options
        return Shape(links, options.negatives, options.taxonomic_pairs, options.antonym_pairs, options.near_share)

    def _train(self, epoch: int, rate: float) -> dict[str, float]:
        import torch

        rng = generator(self._options.seed, "epoch", epoch)
        gradient, sums = torch.zeros_like(self.table.rows), Sums(self._weights)
        drawn = batches(self._problem.train, self._antonyms, self._problem, self._shape(self.batch_size), rng)
        for batch in drawn:
            touched = []
            by_scale, by_shift = torch.zeros_like(self.table.scale), torch.zeros_like(self.table.shift)
            for part in chunks(batch, CHUNK):
                rows, losses = self._backward(part, gradient, by_scale, by_shift)
                touched.append(rows)
                sums.add(losses)
            rows = torch.unique(torch.cat(touched))
            self.table.step(rows, gradient, rate, self._options.offset_penalty)
            self.table.step_relations(by_scale, by_shift, rate * self._options.relation_rate)
        return sums.means()

    def _validate(self) -> dict[str, float]:
        """The same losses on held-out pairs, with the same negatives and pairs in each epoch."""
        import torch

        problem, sums = self._problem, Sums(self._weights)
        rng = generator(self._options.seed, "validation")
        shape = self._shape(VALIDATION_BATCH)
        with torch.no_grad():
            for batch in batches(problem.validation, self._validation_antonyms, problem, shape, rng, held_out=True):
                leaves = Leaves(self.table, batch, problem.axes)
                sums.add(batch_losses(self.table, batch, problem.axes, leaves, self._options))
        return sums.means()

    def _backward(self, batch: Batch, gradient: Tensor, by_scale: Tensor, by_shift: Tensor) -> tuple[Tensor, Losses]:
        """Add the gradients of a batch; the rows touched, and the losses."""
        import torch

        table, axes = self.table, self._problem.axes
        compiled = table.device.type == "cpu"
        taken = without_taxonomy(batch) if compiled else batch
        scale, shift = table.scale, table.shift
        table.scale, table.shift = scale.clone().requires_grad_(), shift.clone().requires_grad_()
        leaves = Leaves(table, taken, axes, trained=True)
        losses = batch_losses(table, taken, axes, leaves, self._options)
        targets = [table.scale, table.shift, *(leaf for _, leaf in leaves.pairs)]
        found = torch.autograd.grad(losses.total(self._weights, len(batch.links)), targets, allow_unused=True)
        table.scale, table.shift = scale, shift
        by_scale += found[0]
        by_shift += found[1]
        for (rows, _), part in zip(leaves.pairs, found[2:], strict=True):
            if part is not None:
                gradient.index_add_(0, rows, part)
        touched = [rows for rows, _ in leaves.pairs]
        if compiled:
            losses.parts["taxonomy"] = add_taxonomy(table, batch, gradient, self._options)
            touched += [torch.from_numpy(batch.first), torch.from_numpy(batch.second)]
        return torch.cat(touched), losses

    def _log_losses(self, train: dict[str, float], valid: dict[str, float]) -> None:
        for name, numbers in (("Train", train), ("Val  ", valid)):
            parts = ", ".join(f"{part}: {value:.4f}" for part, value in numbers.items() if part != "loss")
            logger.info("  %s - total: %.4f, %s", name, numbers["loss"], parts)
        low, high = (f"{share:.0%}" for share in self._options.sparsity_range)
        zeros = 1 - float(self.table.kept.double().mean())
        logger.info("  Sparsity: %.1f%% exact zeros (target: %s to %s)", 100 * zeros, low, high)
