"""Training through PyTorch, for GPUs: the same objective, negatives and row-wise optimiser as the compiled kernel."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrarium.hyperbolic.evaluation.distortion import path_lengths
from terrarium.hyperbolic.geometry.ball import Floats, Layout
from terrarium.hyperbolic.training import cpu_kernel as kernel
from terrarium.hyperbolic.training.negatives import TreeArrays
from terrarium.hyperbolic.training.objectives import pair_losses
from terrarium.hyperbolic.training.problem import Problem, diagnostics, draw_options, false_negatives
from terrarium.hyperbolic.training.riemannian_adam import RiemannianRowAdam
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
        """Radii (R,) and directions (R, d) of rows."""
        return self.radius(rows).squeeze(-1), self.direction(rows)

    def layout(self) -> Layout:
        """The points as arrays."""
        radius, direction = self.radius.weight.detach(), self.direction.weight.detach()
        return Layout(radius.squeeze(-1).cpu().numpy().copy(), direction.cpu().numpy().copy())


class TorchTrainer(TorchTrainable):
    """The table trained by autograd; only the rows of a batch get gradients, state and steps."""

    def __init__(self, problem: Problem, device: str) -> None:
        """Put the problem's layout on the device."""
        self._problem = problem
        self._tree = TreeArrays.of(problem.tree).as_tuple()
        self._pairs = (problem.ancestor, problem.descendant, problem.whole_weight)
        self._table = PointTable(problem.start)
        self._target = torch.tensor(problem.target)
        self._sums = (0.0, 0.0)
        super().__init__(
            self._table,
            self._make_optimizer,
            self._batches,
            self._batch_loss,
            TorchOptions(device=device, precision="64-true", clip_norm=0.0),
            export=self._export_table,
        )

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch; loss as in the compiled kernel."""
        rate = self._problem.learning_rate(epoch)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._sums = (0.0, 0.0)
        numbers = super().epoch(epoch)
        optimizer: Any = self._optimizer
        largest, beyond, moved = optimizer.pop_counts()
        order = self._problem.order(epoch)
        return {
            "loss": float(self._sums[0]) / max(float(self._sums[1]), 1e-300),
            "items": float(len(order)),
            **diagnostics(self._problem, self._table.layout(), largest, beyond, moved, len(order)),
            "false_negatives": false_negatives(self._problem, self._tree, order, epoch),
            **{name: value for name, value in numbers.items() if name not in {"loss", "items"}},
        }

    def _make_optimizer(self, parameters: Any) -> RiemannianRowAdam:
        radius, direction = parameters
        options = self._problem.options
        return RiemannianRowAdam(
            radius,
            direction,
            lr=options.optimizer.learning_rate,
            max_radius=self._problem.max_radius,
            train_radius=options.optimizer.train_radius,
            adaptive=options.optimizer.name == "riemannian_adam",
        )

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        """Pairs and negatives by the compiled sampler, renumbered to the rows of the batch."""
        options = self._problem.options
        order = self._problem.order(epoch)
        choice = draw_options(options)
        for start in range(0, len(order), options.batch_size):
            batch = order[start : start + options.batch_size]
            negatives = np.zeros((len(batch), options.sampler.num_negatives), np.int64)
            counts = kernel.draw_batch(self._tree, self._pairs, batch, choice, (options.seed, epoch), negatives)
            present = np.arange(options.sampler.num_negatives) < counts[:, None]
            pairs = np.stack([self._problem.ancestor[batch], self._problem.descendant[batch]])
            kept = counts > 0
            used = np.concatenate([pairs[:, kept].ravel(), negatives[present]])
            rows, position = np.unique(used, return_inverse=True)
            local_pairs, local = np.zeros_like(pairs, dtype=np.int64), np.zeros_like(negatives)
            local_pairs[:, kept] = position[: 2 * kept.sum()].reshape(2, -1)
            local[present] = position[2 * kept.sum() :]
            base, slope = self._problem.margins
            margin = base + slope * self._problem.difference[batch].astype(np.float64)
            weight, wanted = self._pairs[2][batch], self._wanted(pairs, negatives)
            arrays = (rows, *local_pairs, local, present, weight, margin, *wanted)
            yield tuple(torch.from_numpy(array) for array in arrays)

    def _wanted(self, pairs: NDArray[np.integer], negatives: NDArray[np.integer]) -> tuple[Floats, Floats]:
        """Of fine-tune the wanted distances of the pairs, 0 for none, and of the negatives; else zeros."""
        strength, unit, way = self._problem.stretch
        if strength == 0.0:
            return np.zeros(pairs.shape[1]), np.zeros(negatives.shape)
        tree, (a, d) = self._problem.tree, pairs
        above = (a < d) & (d < tree.end[a])
        return unit * (way[d] - way[a]) * above, unit * path_lengths(tree, way, d[:, None], negatives)

    def _batch_loss(self, model: Any, batch: Any) -> tuple[Tensor, int]:
        rows, ancestor, descendant, negatives, present, weight, margin, *wanted = batch
        options = self._problem.options
        strength = self._problem.stretch[0]
        if not len(rows):
            return model.radius.weight.sum() * 0.0, len(weight)
        radius, direction = model(rows)
        loss = partial(
            pair_losses,
            options.loss.name,
            ancestor=ancestor,
            descendant=descendant,
            negatives=negatives,
            present=present,
            margin=margin,
            temperature=options.loss.temperature,
            pull=options.loss.positive_weight,
            stretch=(strength, *wanted) if strength > 0.0 else None,
        )
        with torch.no_grad():
            losses, active = loss(radius, direction)
            touched = self._touched(len(rows), ancestor, descendant, negatives, active, present)
            self._sums = (self._sums[0] + (losses * weight).sum(), self._sums[1] + (weight * present.any(1)).sum())
        radius = torch.where(touched, radius, radius.detach())
        direction = torch.where(touched[:, None], direction, direction.detach())
        losses, _ = loss(radius, direction)
        value = (losses * weight).sum() / weight.sum()
        if options.optimizer.train_radius and options.loss.radius_penalty > 0.0 and touched.any():
            target = self._target.to(rows.device)[rows]
            value = value + options.loss.radius_penalty * (radius - target).square()[touched].mean()
        return value, len(weight)

    def _touched(
        self, count: int, ancestor: Tensor, descendant: Tensor, negatives: Tensor, active: Tensor, present: Tensor
    ) -> Tensor:
        """(R,) which rows of the batch the objective gives a gradient."""
        options = self._problem.options
        pulling = (
            options.loss.name != "margin_ranking" and options.loss.positive_weight > 0.0
        ) or self._problem.stretch[0] > 0.0
        pushing = present.any(1) if pulling else active.any(1)
        touched = torch.zeros(count, dtype=torch.bool, device=ancestor.device)
        for rows in (ancestor[pushing], descendant[pushing], negatives[active]):
            touched[rows] = True
        return touched

    def _export_table(self, _: Any) -> State:
        return pack_weights(self._problem.tree, self._table.layout())
