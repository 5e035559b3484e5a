"""Training through PyTorch, for GPUs: the same losses, negatives and row-wise optimizer as the compiled kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from terrarium.common.arrays import Int64Array
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.training.batches import HostBatches, WeightedBatch
from terrarium.hyperbolic.training.diagnostics import EpochSums, describe_layout, false_negative_fraction
from terrarium.hyperbolic.training.problem import Problem
from terrarium.hyperbolic.training.sampling.tree_arrays import tree_arrays
from terrarium.hyperbolic.training.schedule import LearningRateSchedule
from terrarium.hyperbolic.training.torch.device_batches import DeviceBatches, can_sample_on_device
from terrarium.hyperbolic.training.torch.objectives import PairBatch, Table, pair_losses
from terrarium.hyperbolic.training.torch.riemannian_adam import RiemannianRowAdam
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


class TorchTrainer(TorchTrainable):
    """The table trained by autograd; only the rows of a batch get gradients, state and steps."""

    def __init__(self, problem: Problem, device: str, *, sample_on_device: bool | None = None) -> None:
        """Put the problem's initial layout on the device.

        Args:
            problem: the training.
            device: where to train.
            sample_on_device: where batches are made; by default on a GPU wherever `DeviceBatches` can.
        """
        self._problem = problem
        self._pair_sampler, self._schedule = problem.pair_sampler(), LearningRateSchedule(problem.options)
        self._table = PointTable(problem.initial)
        super().__init__(
            self._table,
            self._make_optimizer,
            self._batches,
            self._batch_loss,
            TorchOptions(device=device, precision="64-true", clip_norm=0.0),
            export=self._export_table,
        )
        place = self._fabric.device
        on_device = place.type == "cuda" if sample_on_device is None else sample_on_device
        on_device = on_device and can_sample_on_device(problem)
        self._source = DeviceBatches(problem, place) if on_device else HostBatches(problem)
        self._target = torch.tensor(problem.target, device=place)

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
            "false_negatives": false_negative_fraction(self._problem, tree_arrays(self._problem.tree), order, epoch),
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

    def _batches(self, epoch: int) -> Iterator[WeightedBatch]:
        return self._source.epoch(self._order(epoch), epoch)

    def _batch_loss(self, model: Any, batch: WeightedBatch) -> tuple[Tensor, int, dict[str, Tensor]]:
        """Return what the batch minimises, the number of pairs, and the sums that the epoch's loss is made of.

        The radius penalty is added to the gradient, not to the value: it counts on the rows that the loss moves.
        """
        weight = batch.weight
        rows, pairs = renumber(batch.pairs)
        radius, direction = model(rows)
        points = torch.cat([radius[:, None], direction], dim=1)
        if points.requires_grad:
            points.register_hook(  # type: ignore[no-untyped-call]
                lambda gradient: self._penalized(rows, points.detach(), gradient)
            )
        losses = pair_losses(self._problem.options.loss, Table(points[:, 0], points[:, 1:]), pairs)
        weighted = (losses * weight).sum()
        used = (weight * pairs.present.any(1)[pairs.group]).sum()
        return weighted / weight.sum(), len(weight), {"weighted_loss": weighted, "weight": used}

    def _penalized(self, rows: Tensor, points: Tensor, gradient: Tensor) -> Tensor:
        """Return the gradient of the loss plus that of the radius penalty, on the rows where the first is not 0."""
        options = self._problem.options
        if not options.optimizer.train_radius or options.loss.radius_penalty == 0.0:
            return gradient
        touched = (gradient != 0.0).any(1)
        off = (points[:, 0] - self._target[rows]) * touched
        penalty = 2.0 * options.loss.radius_penalty * off / touched.sum().clamp_min(1)
        return torch.cat([gradient[:, :1] + penalty[:, None], gradient[:, 1:]], dim=1)

    def _export_table(self, _: Any) -> State:
        return pack_weights(self._problem.tree, self._table.layout())


def renumber(pairs: PairBatch) -> tuple[Tensor, PairBatch]:
    """Return the (R,) rows of the table that a batch names, and the batch in places among these rows."""
    joint = pairs.joint
    named = [pairs.ancestor, pairs.descendant, pairs.anchor, pairs.negatives]
    named += [] if joint is None else [joint.parent, joint.walks]
    rows, place = torch.unique(torch.cat([part.reshape(-1) for part in named]), return_inverse=True)
    parts = place.split([part.numel() for part in named])
    places = [part.reshape(whole.shape) for part, whole in zip(parts, named, strict=True)]
    ancestor, descendant, anchor, negatives = places[:4]
    if joint is not None:
        joint = joint._replace(parent=places[4], walks=places[5])
    return rows, pairs._replace(
        ancestor=ancestor, descendant=descendant, anchor=anchor, negatives=negatives, joint=joint
    )
