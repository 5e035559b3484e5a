"""The original's training: fixed distances, no negatives, growth that always happens, an optimiser reset by it."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from terrarium.senses.legacy.data import NAMES
from terrarium.senses.legacy.kernel import adam_step, add_gradient
from terrarium.senses.models.sparsity import small_share
from terrarium.senses.options import ModelOptions, TrainingOptions
from terrarium.senses.training.growth import SATURATED_SHARE, adapted_batch, available_memory, memory_need
from terrarium.senses.training.messages import describe_columns, gigabytes
from terrarium.senses.training.trainer import MemoryShortError
from terrarium.training.checkpointing.state import State
from terrarium.training.torch.seeding import generator

logger = logging.getLogger(__name__)


class DocumentedTrainer:
    """A `Trainable` that follows the original, slips included (docs/senses.md lists them)."""

    def __init__(
        self, items: pd.DataFrame, edges: pd.DataFrame, model: ModelOptions, training: TrainingOptions
    ) -> None:
        self._start, self._options, self._seed = model.dim, training, model.seed
        largest = training.growth.max_dim if training.growth.enabled else model.dim
        need, free = (
            memory_need(len(items), largest, 0, 1, 0, documented=True),
            available_memory(training.memory_limit_gb),
        )
        if need > free:
            raise MemoryShortError(
                f"{largest} dimensions need {gigabytes(need)} and {gigabytes(free)} are free: lower model.dim and "
                "growth.max_dim, or raise training.memory_limit_gb"
            )
        targets = np.array([training.documented.targets.get(name, np.nan) for name in NAMES], np.float32)
        self._head, self._tail = edges["head"].to_numpy(np.int32), edges["tail"].to_numpy(np.int32)
        self._target = targets[edges["relation"].to_numpy()]
        self._train, self._valid = _split(len(edges), training.documented.validation_share, training.seed)
        draw = generator(model.seed, "start").standard_normal((len(items), model.dim), dtype=np.float32)
        self._rows = draw * np.float32(training.documented.init_std)
        self._reset()

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train, validate, and then grow: what is saved has columns that were not validated, as in the original."""
        batch = self._batch_size()
        distance, sparsity = self._descend(epoch, batch)
        valid = self._distance(self._valid)
        regulariser = self._options.documented.sparsity_weight * float(np.abs(self._rows).mean())
        dim, small = self._rows.shape[1], small_share(self._rows)
        logger.info("  Train - Total: %.4f, Distance: %.4f, Sparsity: %.4f", distance + sparsity, distance, sparsity)
        logger.info("  Val   - Total: %.4f, Distance: %.4f, Sparsity: %.4f", valid + regulariser, valid, regulariser)
        logger.info("  Sparsity: %.1f%% (target: 40-70%%)", 100 * small)
        added = self._grow(epoch)
        return {
            "loss": distance + sparsity,
            "items": float(len(self._train)),
            "validation_loss": valid + regulariser,
            "dim": float(dim),
            "share_below_0.01": small,
            "distance_loss": distance,
            "sparsity_loss": sparsity,
            "validation_distance_loss": valid,
            "batch_size": float(batch),
            "columns_added": float(added),
            "columns_added_next": 0.0,
            "parameters": float(self._rows.size),
            "learning_rate": self._options.learning_rate,
        }

    def state(self) -> State:
        """The table, Adam's moments and its count of steps."""
        tensors = {"rows": self._rows, "first": self._first, "second": self._second}
        return State(tensors, {"steps": self._steps})

    def load(self, state: State) -> None:
        """Become what `state` gave, at its dimension."""
        self._rows = np.array(state.tensors["rows"])
        self._gradient = np.zeros_like(self._rows)
        self._first, self._second = np.array(state.tensors["first"]), np.array(state.tensors["second"])
        self._steps = state.metadata["steps"]

    def weights(self) -> State:
        """A row an item."""
        return State({"items": self._rows.copy()}, {"lexicon": None})

    def _batch_size(self) -> int:
        size = self._options.batch_size
        if self._options.adaptive_batch:
            size = adapted_batch(size, self._start, self._rows.shape[1])
        return min(size, len(self._train))

    def _descend(self, epoch: int, batch: int) -> tuple[float, float]:
        options = self._options.documented
        order = generator(self._options.seed, "epoch", epoch).permutation(self._train)
        distances, sizes = [], []
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            total = add_gradient(
                *(self._rows, self._head[part], self._tail[part], self._target[part], 1 / len(part), self._gradient)
            )
            distances.append(total / len(part))
            sizes.append(options.sparsity_weight * float(np.abs(self._rows).mean()))
            self._steps += 1
            adam_step(
                *(self._rows, self._gradient, self._first, self._second, self._steps, self._options.learning_rate),
                *(options.clip_norm, options.sparsity_weight / self._rows.size),
            )
        return float(np.mean(distances)), float(np.mean(sizes))

    def _distance(self, places: np.ndarray) -> float:
        total = add_gradient(
            self._rows, self._head[places], self._tail[places], self._target[places], 0.0, self._gradient
        )
        return float(total) / max(len(places), 1)

    def _grow(self, epoch: int) -> int:
        growth, options = self._options.growth, self._options.documented
        dim = self._rows.shape[1]
        if not growth.enabled or dim >= growth.max_dim or epoch % growth.expand_interval:
            return 0
        density = (np.abs(self._rows) > options.activity_threshold).mean(axis=0)
        saturated = int((density >= growth.saturation_threshold).sum())
        if saturated < int(SATURATED_SHARE * dim):
            return 0
        add = min(growth.expand_by, growth.max_dim - dim)
        logger.info("[Epoch %d] Adding %d dimensions (%d -> %d)", epoch, add, dim, dim + add)
        describe_columns(logger, epoch, density, saturated / dim)
        draw = generator(self._seed, "columns", epoch).standard_normal((len(self._rows), add), dtype=np.float32)
        self._rows = np.concatenate([self._rows, draw * np.float32(options.new_column_std)], axis=1)
        self._reset()
        logger.info("  Adapted batch size to %d for %d dimensions", self._batch_size(), dim + add)
        logger.info("  Reinitialized optimizer with new dimensions")
        if dim + add >= growth.max_dim:
            logger.info("  Maximum dimensions reached (%d)", dim + add)
        return add

    def _reset(self) -> None:
        self._gradient = np.zeros_like(self._rows)
        self._first, self._second, self._steps = np.zeros_like(self._rows), np.zeros_like(self._rows), 0


def _split(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges at random into training and validation, mirrors and duplicates apart, as the original does."""
    order = generator(seed, "documented split").permutation(count).astype(np.int32)
    held = int(count * share)
    return order[held:], order[:held]
