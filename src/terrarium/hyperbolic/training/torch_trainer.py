"""Training through PyTorch, for GPUs: the same losses, negatives and row-wise optimizer as the compiled kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.hyperbolic.data.build import patristic_distance
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.training.diagnostics import (
    EpochSums,
    describe_layout,
    false_negative_fraction,
    training_pairs,
)
from terrarium.hyperbolic.training.objectives import PairBatch, pair_losses
from terrarium.hyperbolic.training.problem import Problem, fit_distortion, margin_coefficients
from terrarium.hyperbolic.training.riemannian_adam import RiemannianRowAdam
from terrarium.hyperbolic.training.sampling.negatives import sample_batch, sampler_settings
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import tree_arrays
from terrarium.hyperbolic.training.schedule import LearningRateSchedule
from terrarium.hyperbolic.training.weights import pack_weights
from terrarium.training.checkpointing.state import State
from terrarium.training.options import TorchOptions
from terrarium.training.torch.fabric import TorchTrainable


class PointTable(torch.nn.Module):
    """Radii and directions as sparse embeddings."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        radius, direction = torch.tensor(layout.radius)[:, None], torch.tensor(layout.direction)
        count, dim = direction.shape
        self.radius = torch.nn.Embedding(count, 1, sparse=True, _weight=radius)
        self.direction = torch.nn.Embedding(count, dim, sparse=True, _weight=direction)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return radii (R,) and directions (R, d) of rows."""
        return self.radius(rows).squeeze(-1), self.direction(rows)

    def layout(self) -> Layout:
        """Return the points as arrays."""
        radius, direction = self.radius.weight.detach(), self.direction.weight.detach()
        return Layout(radius.squeeze(-1).cpu().numpy().copy(), direction.cpu().numpy().copy())


class _Batch(NamedTuple):
    """What a batch reads: (R,) rows of the table, the weights of its pairs, and the pairs as places in `rows`."""

    rows: Tensor
    weight: Tensor
    pairs: PairBatch


class TorchTrainer(TorchTrainable):
    """The table trained by autograd; only the rows of a batch get gradients, state and steps."""

    def __init__(self, problem: Problem, device: str) -> None:
        """Put the problem's initial layout on the device."""
        self._problem = problem
        self._pair_sampler, self._schedule = problem.pair_sampler(), LearningRateSchedule(problem.options)
        self._tree, self._pairs = tree_arrays(problem.tree), training_pairs(problem)
        self._sampler, self._distortion = sampler_settings(problem.options), fit_distortion(problem)
        self._table = PointTable(problem.initial)
        self._target = torch.tensor(problem.target)
        super().__init__(
            self._table,
            self._make_optimizer,
            self._batches,
            self._batch_loss,
            TorchOptions(device=device, precision="64-true", clip_norm=0.0),
            export=self._export_table,
        )

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch; the loss is that of the compiled kernel."""
        for group in self._optimizer.param_groups:
            group["lr"] = self._schedule.rate(epoch)
        numbers = super().epoch(epoch)
        optimizer: Any = self._optimizer
        sums = EpochSums(numbers.pop("weighted_loss"), numbers.pop("weight"), *optimizer.pop_counts())
        order = self._order(epoch)
        return {
            **numbers,
            "loss": sums.mean_loss,
            "items": float(len(order)),
            **describe_layout(self._problem, self._table.layout(), sums, len(order)),
            "false_negatives": false_negative_fraction(self._problem, self._tree, order, epoch),
        }

    def _order(self, epoch: int) -> Int64Array:
        return self._pair_sampler.epoch(epoch, self._problem.epoch_rng(epoch))

    def _make_optimizer(self, parameters: Any) -> RiemannianRowAdam:
        radius, direction = parameters
        options = self._problem.options.optimizer
        return RiemannianRowAdam(
            radius,
            direction,
            lr=options.learning_rate,
            max_radius=self._problem.max_radius,
            train_radius=options.train_radius,
            adaptive=options.name == "riemannian_adam",
        )

    def _batches(self, epoch: int) -> Iterator[_Batch]:
        """Yield batches with negatives by the compiled sampler, renumbered to the rows of the batch."""
        options, num_negatives = self._problem.options, self._sampler.num_negatives
        order, stream = self._order(epoch), Stream(options.seed, epoch)
        base, slope = margin_coefficients(self._problem)
        for start in range(0, len(order), options.batch_size):
            batch = order[start : start + options.batch_size]
            negatives = np.zeros((len(batch), num_negatives), np.int64)
            counts = sample_batch(self._tree, self._pairs, batch, self._sampler, stream, negatives)
            present = np.arange(num_negatives) < counts[:, None]
            ends = np.stack([self._problem.ancestor[batch], self._problem.descendant[batch]])
            kept = counts > 0
            rows, place = np.unique(np.concatenate([ends[:, kept].ravel(), negatives[present]]), return_inverse=True)
            local_ends, local_negatives = np.zeros_like(ends, dtype=np.int64), np.zeros_like(negatives)
            local_ends[:, kept] = place[: 2 * kept.sum()].reshape(2, -1)
            local_negatives[present] = place[2 * kept.sum() :]
            margin = base + slope * self._problem.difference[batch].astype(np.float64)
            arrays = (*local_ends, local_negatives, present, margin, *self._wanted(ends, negatives))
            pairs = PairBatch(*(torch.from_numpy(array) for array in arrays))
            yield _Batch(torch.from_numpy(rows), torch.from_numpy(self._pairs.weight[batch]), pairs)

    def _wanted(self, ends: NDArray[np.integer], negatives: Int64Array) -> tuple[Float64Array, Float64Array]:
        """Return the wanted distances of pairs, 0 for none, and of negatives; zeros where no loss reads them."""
        weight, unit, root_distance = self._distortion
        if weight == 0.0:
            return np.zeros(ends.shape[1]), np.zeros(negatives.shape)
        tree, (a, d) = self._problem.tree, ends
        is_above = (a < d) & (d < tree.end[a])
        wanted = unit * patristic_distance(tree, root_distance, d[:, None], negatives)
        return unit * (root_distance[d] - root_distance[a]) * is_above, wanted

    def _batch_loss(self, model: Any, batch: _Batch) -> tuple[Tensor, int, dict[str, Tensor]]:
        """Return what the batch minimises, the number of pairs, and the sums that the epoch's loss is made of."""
        options, weight, pairs = self._problem.options, batch.weight, batch.pairs
        if not len(batch.rows):
            nothing = model.radius.weight.sum() * 0.0
            return nothing, len(weight), {"weighted_loss": nothing, "weight": nothing}
        radius, direction = model(batch.rows)
        losses, active = pair_losses(options.loss, radius, direction, pairs)
        touched = self._touched(len(batch.rows), pairs, active)
        radius.register_hook(lambda gradient: torch.where(touched, gradient, 0.0))
        direction.register_hook(lambda gradient: torch.where(touched[:, None], gradient, 0.0))
        weighted = (losses * weight).sum()
        value = weighted / weight.sum()
        if options.optimizer.train_radius and options.loss.radius_penalty > 0.0 and touched.any():
            off = radius - self._target.to(radius.device)[batch.rows]
            value = value + options.loss.radius_penalty * off.square()[touched].mean()
        return value, len(weight), {"weighted_loss": weighted, "weight": (weight * pairs.present.any(1)).sum()}

    def _touched(self, num_rows: int, pairs: PairBatch, active: Tensor) -> Tensor:
        """Return (R,) which rows of the batch the loss gives a gradient."""
        loss = self._problem.options.loss
        moves_always = (loss.name != "margin_ranking" and loss.positive_weight > 0.0) or self._distortion.weight > 0.0
        moved = pairs.present.any(1) if moves_always else active.any(1)
        touched = torch.zeros(num_rows, dtype=torch.bool, device=active.device)
        for rows in (pairs.ancestor[moved], pairs.descendant[moved], pairs.negatives[active]):
            touched[rows] = True
        return touched

    def _export_table(self, _: Any) -> State:
        return pack_weights(self._problem.tree, self._table.layout())
