"""One epoch of mini-batch training, compiled.

Per batch: the gradient of the loss at the frozen points, summed per touched row, then one Riemannian step of these
rows. Work and memory grow with the batch, not with the table. With one thread the same seed gives the same bits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.training.cpu.gradients import (
    DISTANCE_SOFTMAX,
    MARGIN_RANKING,
    Group,
    LossSettings,
    Points,
    Scratch,
    SparseGradient,
    add_radius_penalty,
    margin_ranking_pair,
    softmax_group,
)
from terrarium.hyperbolic.training.cpu.joint import EdgeWork, edge_group, make_edge_work, stress_group
from terrarium.hyperbolic.training.cpu.slots import clear_slots, make_slots, touched_rows
from terrarium.hyperbolic.training.cpu.step import Moments, StepSettings, step_rows
from terrarium.hyperbolic.training.diagnostics import EpochSums
from terrarium.hyperbolic.training.problem import JointTerms
from terrarium.hyperbolic.training.sampling.negatives import Pairs, SamplerSettings, sample_negatives
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import TreeArrays


class Task(NamedTuple):
    """What is trained on, and by which loss.

    Attributes:
        tree, pairs, loss, sampler, joint: see their classes.
        target: (N,) target radii.
    """

    tree: TreeArrays
    pairs: Pairs
    target: Float64Array
    loss: LossSettings
    sampler: SamplerSettings
    joint: JointTerms


class _Work(NamedTuple):
    """Buffers that the batches share: (k,) negatives, their scratch, (B,) positives and weights of a group, edges."""

    negatives: Int64Array
    scratch: Scratch
    positives: Int64Array
    weights: Float64Array
    edge: EdgeWork


@njit(cache=True, error_model="numpy")
def _ranking_batch(
    points: Points, gradient: SparseGradient, task: Task, batch: Int64Array, total: float, stream: Stream, work: _Work
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Add the gradients of a batch of MARGIN_RANKING; return the sums of weighted losses and of weights.

    Pairs without negatives count in neither.
    """
    tree, pairs, loss = task.tree, task.pairs, task.loss
    losses, weights = 0.0, 0.0
    for p in range(len(batch)):
        pair = batch[p]
        k = sample_negatives(tree, pairs, pair, task.sampler, stream, work.negatives)
        if k > 0:
            a, d, w = pairs.ancestor[pair], pairs.descendant[pair], pairs.weight[pair]
            margin = loss.margin + loss.margin_slope * (tree.depth[d] - tree.depth[a])
            losses += margin_ranking_pair(points, gradient, a, d, work.negatives[:k], margin, w / total) * total
            weights += w
    return losses, weights


@njit(cache=True, error_model="numpy")
def _softmax_batch(
    points: Points, gradient: SparseGradient, task: Task, batch: Int64Array, total: float, stream: Stream, work: _Work
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Do the same as `_ranking_batch` for the softmax losses, by groups of pairs of one descendant."""
    pairs, positives, shares = task.pairs, work.positives, work.weights
    edge_loss = LossSettings(DISTANCE_SOFTMAX, 0.0, 0.0, task.loss.inverse_temperature, 0.0)
    losses, weights = 0.0, 0.0
    p = 0
    while p < len(batch):
        anchor = pairs.descendant[batch[p]]
        count, sum_weights = 0, 0.0
        while p + count < len(batch) and pairs.descendant[batch[p + count]] == anchor:
            pair = batch[p + count]
            positives[count] = pairs.ancestor[pair]
            shares[count] = pairs.weight[pair] / total
            sum_weights += pairs.weight[pair]
            count += 1
        k = sample_negatives(task.tree, pairs, batch[p], task.sampler, stream, work.negatives)
        if k > 0:
            group = Group(positives[:count], shares[:count], work.negatives[:k])
            value = softmax_group(points, gradient, anchor, group, work.scratch, task.loss)
            if task.joint.edge_weight > 0.0:
                chosen = (edge_loss, task.joint, task.sampler)
                value += edge_group(points, gradient, task.tree, anchor, group, chosen, stream, work.edge)
            if task.joint.stress_weight > 0.0:
                num_hard = task.sampler.num_hard
                value += stress_group(points, gradient, task.tree, anchor, group, task.joint, num_hard)
            losses += value * total
            weights += sum_weights
        p += count
    return losses, weights


@njit(cache=True, nogil=True, error_model="numpy")
def train_epoch(
    points: Points, moments: Moments, task: Task, order: Int64Array, settings: StepSettings, stream: Stream
) -> EpochSums:  # pragma: no cover - compiled
    """Train one epoch in place.

    Args:
        points, moments, task, settings, stream: see their classes.
        order: positions of pairs in the order of training.

    Returns:
        Sums over the epoch.
    """
    num_rows, dim = points.direction.shape
    num_negatives, batch_size = task.sampler.num_negatives, settings.batch_size
    num_edge = 2 * task.sampler.num_edge if task.joint.edge_weight > 0.0 else 0
    capacity = min(batch_size * (num_negatives + num_edge + 2), num_rows)
    slots = make_slots(num_rows, capacity)
    gradient = SparseGradient(np.zeros((capacity, dim)), np.zeros(capacity), slots)
    scratch = Scratch(np.zeros(num_negatives), np.zeros(num_negatives), np.zeros(num_negatives))
    edge = make_edge_work(task.sampler)
    work = _Work(np.zeros(num_negatives, np.int64), scratch, np.zeros(batch_size, np.int64), np.zeros(batch_size), edge)
    losses, weights, largest, beyond, moved = 0.0, 0.0, 0.0, 0, 0
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        clear_slots(slots, start)
        total = task.pairs.weight[batch].sum()
        if task.loss.kind == MARGIN_RANKING:
            loss, weight = _ranking_batch(points, gradient, task, batch, total, stream, work)
        else:
            loss, weight = _softmax_batch(points, gradient, task, batch, total, stream, work)
        losses += loss
        weights += weight
        rows = touched_rows(slots)
        moved += len(rows)
        if settings.train_radius and settings.radius_penalty > 0.0:
            add_radius_penalty(rows, points.radius, task.target, gradient.radial, settings.radius_penalty)
        reached, passed = step_rows(points, moments, rows, gradient, settings)
        largest = max(largest, reached)
        beyond += passed
        gradient.angular[: len(rows)] = 0.0
        gradient.radial[: len(rows)] = 0.0
    return EpochSums(losses, weights, largest, beyond, moved)
