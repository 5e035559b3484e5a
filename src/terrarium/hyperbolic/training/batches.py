"""The batches of the PyTorch trainer: negatives drawn by the compiled sampler, the same as in the compiled kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from terrarium.common.arrays import BoolArray, Int64Array
from terrarium.hyperbolic.data.build import patristic_distance
from terrarium.hyperbolic.training.diagnostics import training_pairs
from terrarium.hyperbolic.training.problem import Problem, joint_terms, margin_coefficients
from terrarium.hyperbolic.training.sampling.edge_negatives import sample_edge_batch
from terrarium.hyperbolic.training.sampling.negatives import sample_batch, sampler_settings
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import tree_arrays
from terrarium.hyperbolic.training.torch.objectives import JointBatch, PairBatch


class WeightedBatch(NamedTuple):
    """Pairs as rows of the whole table, and their (B,) weights."""

    pairs: PairBatch
    weight: Tensor


class HostBatches:
    """Batches made on the CPU."""

    def __init__(self, problem: Problem) -> None:
        """Prepare for the pairs of a training."""
        self._problem, self._sampler = problem, sampler_settings(problem.options)
        self._tree, self._pairs = tree_arrays(problem.tree), training_pairs(problem)
        self._joint = joint_terms(problem)
        self._in_groups = problem.options.loss.name != "margin_ranking"

    def epoch(self, order: Int64Array, epoch: int) -> Iterator[WeightedBatch]:
        """Yield the batches of an epoch, whose pairs are at the positions `order`."""
        size = self._problem.options.batch_size
        for start in range(0, len(order), size):
            yield self._batch(order[start : start + size], Stream(self._problem.options.seed, epoch))

    def _batch(self, positions: Int64Array, stream: Stream) -> WeightedBatch:
        problem = self._problem
        ancestor, descendant = (rows[positions].astype(np.int64) for rows in (problem.ancestor, problem.descendant))
        first, group = self._groups(descendant)
        anchor = (descendant if self._in_groups else ancestor)[first]
        negatives = np.zeros((len(first), self._sampler.num_negatives), np.int64)
        counts = sample_batch(self._tree, self._pairs, positions[first], self._sampler, stream, negatives)
        present = np.arange(negatives.shape[1]) < counts[:, None]
        negatives = np.where(present, negatives, anchor[:, None])
        base, slope = margin_coefficients(problem)
        margin = base + slope * problem.difference[positions].astype(np.float64)
        joint = self._joint_batch(anchor, negatives, present, stream) if problem.options.loss.name == "joint" else None
        pairs = PairBatch(
            ancestor=torch.from_numpy(ancestor),
            descendant=torch.from_numpy(descendant),
            group=torch.from_numpy(group),
            anchor=torch.from_numpy(anchor),
            negatives=torch.from_numpy(negatives),
            present=torch.from_numpy(present),
            margin=torch.from_numpy(margin),
            joint=joint,
        )
        return WeightedBatch(pairs, torch.from_numpy(self._pairs.weight[positions]))

    def _groups(self, descendant: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Return the first place of each group, and the group of each pair."""
        if not self._in_groups:
            each = np.arange(len(descendant))
            return each, each
        is_first = np.diff(descendant, prepend=-1) != 0
        return np.flatnonzero(is_first), np.cumsum(is_first) - 1

    def _joint_batch(self, anchor: Int64Array, negatives: Int64Array, present: BoolArray, stream: Stream) -> JointBatch:
        tree, terms, num_edge = self._tree, self._joint, self._sampler.num_edge
        parent = tree.parent[anchor].astype(np.int64)
        walks = np.zeros((2, len(anchor), num_edge), np.int64)
        counts, usable = sample_edge_batch(tree, anchor, np.where(present, negatives, -1), stream, walks)
        walk_present = np.arange(num_edge) < counts[..., None]
        sides = np.stack([anchor, parent])
        neighbours = tree.child_start[sides + 1] - tree.child_start[sides] + (sides > 0)
        path = patristic_distance(self._problem.tree, terms.root_distance, anchor[:, None], negatives)
        uniform = present & (np.arange(negatives.shape[1]) >= self._sampler.num_hard)
        walks = np.where(walk_present, walks, sides[..., None])
        return JointBatch(
            parent=torch.from_numpy(parent),
            walks=torch.from_numpy(walks),
            walk_present=torch.from_numpy(walk_present),
            negative_present=torch.from_numpy(usable),
            neighbours=torch.from_numpy(neighbours),
            wanted=torch.from_numpy(terms.offset + terms.unit * path),
            uniform=torch.from_numpy(uniform),
            spread=torch.tensor(terms.spread, dtype=torch.float64),
        )
