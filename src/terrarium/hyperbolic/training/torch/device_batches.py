"""Batches made on the device: the tree and the pairs are copied once, all draws are vectorized there.

The distributions are those of the compiled sampler, but not its numbers: a draw that is rejected is not repeated, its
place stays empty.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from terrarium.common.arrays import Int64Array
from terrarium.hyperbolic.training.batches import WeightedBatch
from terrarium.hyperbolic.training.diagnostics import training_pairs
from terrarium.hyperbolic.training.problem import Problem, joint_terms
from terrarium.hyperbolic.training.sampling.edge_negatives import MAX_STEPS_DOWN, MAX_STEPS_UP
from terrarium.hyperbolic.training.sampling.negatives import UNRELATED, sampler_settings
from terrarium.hyperbolic.training.sampling.tree_arrays import tree_arrays
from terrarium.hyperbolic.training.torch.objectives import JointBatch, PairBatch

_EPOCH_STEP = 1_000_003


def can_sample_on_device(problem: Problem) -> bool:
    """Return whether `DeviceBatches` has the sampler: trees, with true negatives."""
    return problem.tree.is_tree and sampler_settings(problem.options).sampler == UNRELATED


class DeviceBatches:
    """Batches of a softmax loss on a tree, made on the device."""

    def __init__(self, problem: Problem, device: torch.device) -> None:
        """Copy the tree and the pairs to the device."""
        tree, pairs, terms = tree_arrays(problem.tree), training_pairs(problem), joint_terms(problem)
        self._device, self._options, self._sampler = device, problem.options, sampler_settings(problem.options)
        self._parent, self._end, self._depth, self._child, self._child_start = (
            torch.as_tensor(array, dtype=torch.int64, device=device)
            for array in (tree.parent, tree.end, tree.depth, tree.child, tree.child_start)
        )
        self._ancestor, self._descendant = (
            torch.as_tensor(rows, dtype=torch.int64, device=device) for rows in (pairs.ancestor, pairs.descendant)
        )
        self._weight = torch.as_tensor(pairs.weight, device=device)
        self._root_distance = torch.as_tensor(terms.root_distance, device=device)
        self._offset, self._unit = terms.offset, terms.unit
        self._spread = torch.tensor(terms.spread, dtype=torch.float64, device=device)
        self._random = torch.Generator(device)

    def epoch(self, order: Int64Array, epoch: int) -> Iterator[WeightedBatch]:
        """Yield the batches of an epoch, whose pairs are at the positions `order`."""
        self._random.manual_seed(self._options.seed * _EPOCH_STEP + epoch)
        positions = torch.as_tensor(order, device=self._device)
        for start in range(0, len(order), self._options.batch_size):
            yield self._batch(positions[start : start + self._options.batch_size])

    def _batch(self, positions: Tensor) -> WeightedBatch:
        ancestor, descendant = self._ancestor[positions], self._descendant[positions]
        anchor, group = torch.unique_consecutive(descendant, return_inverse=True)
        hard, hard_present = self._hard(anchor)
        far, far_present = self._unrelated(anchor, self._sampler.num_negatives - self._sampler.num_hard)
        negatives, present = torch.cat([hard, far], 1), torch.cat([hard_present, far_present], 1)
        negatives = torch.where(present, negatives, anchor[:, None])
        joint = self._joint(anchor, negatives, present) if self._options.loss.name == "joint" else None
        margin = torch.zeros_like(self._weight[positions])
        pairs = PairBatch(ancestor, descendant, group, anchor, negatives, present, margin, joint)
        return WeightedBatch(pairs, self._weight[positions])

    def _below(self, limit: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Draw integers from 0 to limit - 1; 0 where the limit is 0."""
        drawn = torch.rand(shape, dtype=torch.float64, device=self._device, generator=self._random)
        return (drawn * limit).long().clamp_max((limit - 1).clamp_min(0))

    def _unrelated(self, anchor: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Draw (G, count) rows outside the subtrees of (G,) anchors, and say which are no ancestors."""
        inside = (self._end[anchor] - anchor)[:, None]
        pool = len(self._end) - inside
        row = self._below(pool, (len(anchor), count))
        row = torch.where(row >= anchor[:, None], row + inside, row).clamp_max(len(self._end) - 1)
        return row, (pool > 0) & ~self._is_related(anchor[:, None], row)

    def _hard(self, anchor: Tensor) -> tuple[Tensor, Tensor]:
        """Draw (G, num_hard) children of near ancestors, and say which are unrelated."""
        shape = len(anchor), self._sampler.num_hard
        depth = self._depth[anchor][:, None]
        up = self._below(depth.clamp_max(self._sampler.num_ancestors), shape) + 1
        row = self._child_of(self._climb(anchor[:, None].expand(shape), up))
        return row, (depth > 0) & ~self._is_related(anchor[:, None], row)

    def _climb(self, row: Tensor, steps: Tensor) -> Tensor:
        """Return the ancestors so many steps up, at most the root."""
        for step in range(int(steps.max()) if steps.numel() else 0):
            row = torch.where(step < steps, self._parent[row].clamp_min(0), row)
        return row

    def _child_of(self, row: Tensor) -> Tensor:
        """Draw a child of each row; a leaf is returned as it is."""
        first = self._child_start[row]
        count = self._child_start[row + 1] - first
        child = self._child[(first + self._below(count, tuple(row.shape))).clamp_max(len(self._child) - 1)]
        return torch.where(count > 0, child, row)

    def _is_related(self, a: Tensor, b: Tensor) -> Tensor:
        return ((a <= b) & (b < self._end[a])) | ((b <= a) & (a < self._end[b]))

    def _is_edge_negative(self, row: Tensor, candidate: Tensor) -> Tensor:
        return (candidate != row) & (self._parent[row] != candidate) & (self._parent[candidate] != row)

    def _joint(self, anchor: Tensor, negatives: Tensor, present: Tensor) -> JointBatch:
        parent = self._parent[anchor]
        sides = torch.stack([anchor, parent])
        start = sides[..., None].expand(*sides.shape, self._sampler.num_edge)
        up = self._below(torch.full_like(start, MAX_STEPS_UP + 1), tuple(start.shape))
        down = self._below(torch.full_like(start, MAX_STEPS_DOWN + 1), tuple(start.shape))
        down = torch.where(up == 0, MAX_STEPS_DOWN, down)
        walks = self._climb(start, up)
        for step in range(MAX_STEPS_DOWN):
            walks = torch.where(step < down, self._child_of(walks), walks)
        place = torch.arange(negatives.shape[1], device=self._device)
        return JointBatch(
            parent=parent,
            walks=walks,
            walk_present=self._is_edge_negative(start, walks),
            negative_present=self._is_edge_negative(sides[..., None], negatives[None]) & present,
            neighbours=self._child_start[sides + 1] - self._child_start[sides] + (sides > 0),
            wanted=self._offset + self._unit * self._path_length(anchor[:, None].expand_as(negatives), negatives),
            uniform=present & (place >= self._sampler.num_hard),
            spread=self._spread,
        )

    def _path_length(self, a: Tensor, b: Tensor) -> Tensor:
        """Return path lengths between rows; in preorder the later row is no ancestor of the other."""
        x, y = a, b
        while bool((x != y).any()):
            x, y = torch.where(x > y, self._parent[x], x), torch.where(y > x, self._parent[y], y)
        return self._root_distance[a] + self._root_distance[b] - 2.0 * self._root_distance[x]
