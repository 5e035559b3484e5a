"""NAOMI-II's training: fixed target distances, no negatives, growth at every check, an optimizer reset by it."""

from __future__ import annotations

import logging
from hashlib import sha256

import numpy as np
import pandas as pd

from terrarium.common.arrays import Int32Array
from terrarium.senses.legacy.data import EDGE_RELATIONS
from terrarium.senses.legacy.kernel import adam_step, add_gradient
from terrarium.senses.legacy.options import ReferenceModelOptions, ReferenceTrainingOptions
from terrarium.senses.models.sparsity import small_fraction
from terrarium.senses.training.batches import adapt_batch_size
from terrarium.senses.training.memory import OutOfMemoryError, available_memory, format_bytes
from terrarium.senses.training.messages import log_columns
from terrarium.training.checkpointing.state import State
from terrarium.training.torch.seeding import generator

logger = logging.getLogger(__name__)

SATURATED_FRACTION = 0.8
"""Fraction of the columns that must be active before more are added."""

_SPLIT_STREAM = "documented split"
"""Name of the random stream of the split. Another name would give another split."""


class ReferenceTrainer:
    """A `Trainable` that follows NAOMI-II including its faults, which docs/senses.md lists."""

    def __init__(
        self,
        items: pd.DataFrame,
        edges: pd.DataFrame,
        model: ReferenceModelOptions,
        training: ReferenceTrainingOptions,
    ) -> None:
        """Draw the initial table.

        Args:
            items: one row per item.
            edges: columns relation, head and tail.
            model: dimensions and initial entries.
            training: everything else.

        Raises:
            OutOfMemoryError: the training would not fit into memory.
        """
        self._start_dim, self._options, self._seed = model.dim, training, model.seed
        self._require_memory(len(items))
        targets = np.array([training.targets.get(name, np.nan) for name in EDGE_RELATIONS], np.float32)
        self._head, self._tail = edges["head"].to_numpy(np.int32), edges["tail"].to_numpy(np.int32)
        self._target = targets[edges["relation"].to_numpy()]
        order = generator(training.seed, _SPLIT_STREAM).permutation(len(edges)).astype(np.int32)
        held_out = int(len(edges) * training.val_fraction)
        self._train, self._validation = order[held_out:], order[:held_out]
        draw = generator(model.seed, "start").standard_normal((len(items), model.dim), dtype=np.float32)
        self._rows = draw * np.float32(model.init_std)
        self._fingerprint = items_fingerprint(items)
        self._reset_optimizer()

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train and validate one epoch and then grow: the state that is saved has columns that were not validated."""
        batch = self._batch_size()
        distance, sparsity = self._descend(epoch, batch)
        validation = self._mean_error(self._validation)
        regularization = self._options.sparsity_weight * float(np.abs(self._rows).mean())
        dim, small = self._rows.shape[1], small_fraction(self._rows)
        for name, error, penalty in (("Train", distance, sparsity), ("Val  ", validation, regularization)):
            logger.info("  %s - Total: %.4f, Distance: %.4f, Sparsity: %.4f", name, error + penalty, error, penalty)
        logger.info("  Sparsity: %.1f%% (target: 40-70%%)", 100 * small)
        added = self._grow(epoch)
        return {
            "loss": distance + sparsity,
            "items": float(len(self._train)),
            "validation_loss": validation + regularization,
            "dim": float(dim),
            "fraction_below_0.01": small,
            "distance_loss": distance,
            "sparsity_loss": sparsity,
            "validation_distance_loss": validation,
            "batch_size": float(batch),
            "columns_added": float(added),
            "columns_added_next": 0.0,
            "parameters": float(self._rows.size),
            "learning_rate": self._options.learning_rate,
        }

    def state(self) -> State:
        """Return the table, Adam's moments and its count of steps."""
        tensors = {"rows": self._rows, "first": self._first, "second": self._second}
        return State(tensors, {"steps": self._steps})

    def load(self, state: State) -> None:
        """Restore what `state` returned, at its dimension."""
        self._rows = np.array(state.tensors["rows"])
        self._gradient = np.zeros_like(self._rows)
        self._first, self._second = np.array(state.tensors["first"]), np.array(state.tensors["second"])
        self._steps = state.metadata["steps"]

    def weights(self) -> State:
        """Return the tensor items (V, D) and the fingerprint of the items."""
        return State({"items": self._rows.copy()}, {"items": self._fingerprint})

    def _require_memory(self, items: int) -> None:
        growth = self._options.growth
        largest = growth.max_dim if growth.enabled else self._start_dim
        # table, gradient, Adam's two moments and a checkpoint's copy
        need, free = 5 * items * largest * 4, available_memory(self._options.memory_limit_gb)
        if need > free:
            raise OutOfMemoryError(
                f"{largest} dimensions need {format_bytes(need)} and {format_bytes(free)} are free: lower model.dim "
                "and growth.max_dim, or raise training.memory_limit_gb, of senses.reference"
            )

    def _batch_size(self) -> int:
        size = self._options.batch_size
        if self._options.adaptive_batch_size:
            size = adapt_batch_size(size, self._start_dim, self._rows.shape[1])
        return min(size, len(self._train))

    def _descend(self, epoch: int, batch: int) -> tuple[float, float]:
        """Train on all edges once; return the mean squared error and the mean sparsity term over the batches."""
        options = self._options
        order = generator(options.seed, "epoch", epoch).permutation(self._train)
        errors, penalties = [], []
        for start in range(0, len(order), batch):
            edges = order[start : start + batch]
            errors.append(self._add_gradient(edges, 1 / len(edges)) / len(edges))
            penalties.append(options.sparsity_weight * float(np.abs(self._rows).mean()))
            self._steps += 1
            adam_step(
                self._rows,
                self._gradient,
                self._first,
                self._second,
                self._steps,
                options.learning_rate,
                options.clip_norm,
                options.sparsity_weight / self._rows.size,
            )
        return float(np.mean(errors)), float(np.mean(penalties))

    def _mean_error(self, edges: Int32Array) -> float:
        return float(self._add_gradient(edges, 0.0)) / max(len(edges), 1)

    def _add_gradient(self, edges: Int32Array, scale: float) -> float:
        total: float = add_gradient(
            self._rows, self._head[edges], self._tail[edges], self._target[edges], scale, self._gradient
        )
        return total

    def _grow(self, epoch: int) -> int:
        """Add columns if it is time; return how many."""
        growth, dim = self._options.growth, self._rows.shape[1]
        if not growth.enabled or dim >= growth.max_dim or epoch % growth.expand_interval:
            return 0
        density = (np.abs(self._rows) > growth.activity_threshold).mean(axis=0)
        saturated = int((density >= growth.saturation_threshold).sum())
        if saturated < int(SATURATED_FRACTION * dim):
            return 0
        add = min(growth.expand_by, growth.max_dim - dim)
        logger.info("[Epoch %d] Adding %d dimensions (%d -> %d)", epoch, add, dim, dim + add)
        log_columns(logger, epoch, density, f"saturated: {saturated}")
        draw = generator(self._seed, "columns", epoch).standard_normal((len(self._rows), add), dtype=np.float32)
        self._rows = np.concatenate([self._rows, draw * np.float32(growth.new_column_std)], axis=1)
        self._reset_optimizer()
        logger.info("  Adapted batch size to %d for %d dimensions", self._batch_size(), dim + add)
        logger.info("  Reinitialized optimizer with new dimensions")
        if dim + add >= growth.max_dim:
            logger.info("  Maximum dimensions reached (%d)", dim + add)
        return add

    def _reset_optimizer(self) -> None:
        self._gradient = np.zeros_like(self._rows)
        self._first, self._second, self._steps = np.zeros_like(self._rows), np.zeros_like(self._rows), 0


def items_fingerprint(items: pd.DataFrame) -> str:
    """Return a sha256 of the names of the items, which weights belong to."""
    return sha256("\n".join(items["item"]).encode()).hexdigest()
