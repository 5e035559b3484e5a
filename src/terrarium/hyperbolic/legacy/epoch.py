"""One epoch of the reference recipes' training, compiled.

Adam moves every row in every batch, also rows that the batch does not touch, by their momentum and by the radius
penalty. Only the touched rows are scaled back into the ball, so others leave it. The gradient of the loss is summed for
the touched rows only, in float64; penalty, clipping and Adam are fused into one pass over the table.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.legacy.adam import (
    Moments,
    Table,
    adam_pass,
    clip_factor,
    make_buffers,
    measure_rows,
    set_constants,
)
from terrarium.hyperbolic.legacy.gradients import BatchPoints, gather_points, margin_ranking_pair, pull_back_gradient
from terrarium.hyperbolic.legacy.projection import nudge_rows, project_all, project_rows
from terrarium.hyperbolic.training.cpu.slots import Slots, clear_slots, make_slots, slot_of, touched_rows
from terrarium.hyperbolic.training.diagnostics import EpochSums
from terrarium.hyperbolic.training.sampling.negatives import Pairs, SamplerSettings, sample_negatives
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import TreeArrays


class Task(NamedTuple):
    """What is trained on.

    Attributes:
        tree, pairs, sampler: see their classes. A pair's loss counts weight / mean weight of the batch * class weight.
        class_weight: (P,) class weights.
        margin, margin_slope: the margin is margin + margin_slope * depth difference.
    """

    tree: TreeArrays
    pairs: Pairs
    class_weight: Float64Array
    sampler: SamplerSettings
    margin: float
    margin_slope: float


class StepSettings(NamedTuple):
    """How rows move.

    Attributes:
        batch_size: pairs per batch.
        learning_rate: of Adam.
        radius_penalty: weight of the mean over all rows of (norm - target)^2.
        clip_norm: largest norm of the whole gradient; 0 does not clip.
        in_tangent_space: whether stored rows are log-map coordinates at the origin, which are never projected.
        nudge: fraction of the way to its target by which a touched row is moved after the step.
        limit: largest norm after a projection.
        project_all: whether all rows are projected after each batch.
        project_all_every: also every so many batches; 0 never.
    """

    batch_size: int
    learning_rate: float
    radius_penalty: float
    clip_norm: float
    in_tangent_space: bool
    nudge: float
    limit: float
    project_all: bool
    project_all_every: int


class _Drawn(NamedTuple):
    """Pairs of a batch as slots: (B, K) negatives, (B, 2) ancestor and descendant, (B,) how many negatives."""

    negatives: Int64Array
    ends: Int64Array
    counts: Int64Array


@njit(cache=True, fastmath=True, error_model="numpy")
def train_epoch(
    table: Table, moments: Moments, task: Task, order: Int64Array, settings: StepSettings, stream: Stream
) -> EpochSums:  # pragma: no cover - compiled
    """Train one epoch in place. Nothing is allocated in a batch.

    Args:
        table, moments, task, settings, stream: see their classes.
        order: positions of pairs in the order of training.

    Returns:
        Sums over the epoch, with the largest norm before a projection, and touched rows beyond the limit.
    """
    batch_size, in_tangent_space, limit = settings.batch_size, settings.in_tangent_space, settings.limit
    num_negatives = task.sampler.num_negatives
    dim, num_rows = table.points.shape
    capacity = batch_size * (num_negatives + 2)
    buffers, slots = make_buffers(table), make_slots(num_rows, capacity)
    local = BatchPoints(np.empty((capacity, dim)), np.empty(capacity), np.empty(capacity))
    gradient = np.zeros((capacity, dim))
    drawn = _Drawn(
        np.empty((batch_size, num_negatives), np.int64),
        np.empty((batch_size, 2), np.int64),
        np.empty(batch_size, np.int64),
    )
    strength = 2.0 * settings.radius_penalty / num_rows
    squared_sum = measure_rows(table, in_tangent_space)
    losses, weights, largest, beyond, moved = 0.0, 0.0, 0.0, 0, 0
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        clear_slots(slots, start)
        _draw_batch(task, batch, stream, slots, drawn)
        rows = touched_rows(slots)
        gather_points(table, rows, in_tangent_space, local)
        loss, weight = _batch_gradient(task, batch, local, drawn, gradient)
        pull_back_gradient(table, rows, in_tangent_space, gradient)
        clipped = clip_factor(table, rows, gradient, squared_sum, strength, settings.clip_norm)
        moments.steps[0] += 1
        set_constants(buffers.constants, strength, clipped, settings.learning_rate, moments.steps[0])
        _scatter(buffers.extra, rows, gradient)
        squared_sum, reached = adam_pass(table, moments, buffers, in_tangent_space)
        _clear(buffers.extra, rows, gradient)
        losses, weights, largest = losses + loss, weights + weight, max(largest, reached)
        moved += len(rows)
        if settings.nudge > 0.0:
            squared_sum += nudge_rows(table, rows, settings.nudge, in_tangent_space)
        if not in_tangent_space:
            grown, passed = project_rows(table, rows, limit)
            squared_sum += grown
            beyond += passed
            every = settings.project_all_every
            if settings.project_all or (every > 0 and (start // batch_size) % every == 0):
                squared_sum += project_all(table, limit)
    return EpochSums(losses, weights, largest, beyond, moved)


@njit(cache=True)
def _draw_batch(
    task: Task, batch: Int64Array, stream: Stream, slots: Slots, drawn: _Drawn
) -> None:  # pragma: no cover - compiled
    """Draw the negatives of the batch, and give all its rows slots."""
    for b in range(len(batch)):
        pair = batch[b]
        negatives = drawn.negatives[b]
        count = sample_negatives(task.tree, task.pairs, pair, task.sampler, stream, negatives)
        drawn.counts[b] = count
        drawn.ends[b, 0] = slot_of(task.pairs.ancestor[pair], slots)
        drawn.ends[b, 1] = slot_of(task.pairs.descendant[pair], slots)
        for j in range(count):
            negatives[j] = slot_of(negatives[j], slots)


@njit(cache=True)
def _batch_gradient(
    task: Task, batch: Int64Array, local: BatchPoints, drawn: _Drawn, gradient: Float64Array
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Add the gradient of the batch's loss; return the sums of weighted losses and of weights."""
    pairs, depth = task.pairs, task.tree.depth
    total = 0.0
    for b in range(len(batch)):
        total += pairs.weight[batch[b]]
    losses, weights = 0.0, 0.0
    for b in range(len(batch)):
        pair = batch[b]
        if drawn.counts[b] == 0:
            continue
        difference = depth[pairs.descendant[pair]] - depth[pairs.ancestor[pair]]
        margin = task.margin + task.margin_slope * difference
        share = pairs.weight[pair] * task.class_weight[pair] / total
        negatives = drawn.negatives[b, : drawn.counts[b]]
        losses += total * margin_ranking_pair(
            local, gradient, drawn.ends[b, 0], drawn.ends[b, 1], negatives, margin, share
        )
        weights += pairs.weight[pair]
    return losses, weights


@njit(cache=True)
def _scatter(
    extra: NDArray[np.floating], rows: Int64Array, gradient: Float64Array
) -> None:  # pragma: no cover - compiled
    for i in range(len(extra)):
        for s in range(len(rows)):
            extra[i, rows[s]] = gradient[s, i]


@njit(cache=True)
def _clear(
    extra: NDArray[np.floating], rows: Int64Array, gradient: Float64Array
) -> None:  # pragma: no cover - compiled
    for i in range(len(extra)):
        for s in range(len(rows)):
            extra[i, rows[s]] = 0.0
    gradient[: len(rows)] = 0.0
