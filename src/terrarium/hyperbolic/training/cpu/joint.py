"""What the loss `joint` adds to the detour softmax, compiled; `training.objectives` states it in PyTorch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.training.cpu.gradients import (
    Group,
    LossSettings,
    Points,
    Scratch,
    SparseGradient,
    add_distance_gradient,
    distance_terms,
    softmax_group,
)
from terrarium.hyperbolic.training.cpu.slots import slot_of
from terrarium.hyperbolic.training.problem import JointTerms
from terrarium.hyperbolic.training.sampling.edge_negatives import append_edge_negatives, sample_walks
from terrarium.hyperbolic.training.sampling.negatives import SamplerSettings
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import TreeArrays


class EdgeWork(NamedTuple):
    """Buffers of the edge term.

    Attributes:
        negatives: (edge_negatives + num_negatives,) rows.
        scratch: numbers of each of these rows.
        positive: (1,) row.
        weight: (1,) its weight.
    """

    negatives: Int64Array
    scratch: Scratch
    positive: Int64Array
    weight: Float64Array


@njit(cache=True)
def make_edge_work(sampler: SamplerSettings) -> EdgeWork:  # pragma: no cover - compiled
    """Return buffers for the edge term."""
    size = sampler.num_edge + sampler.num_negatives
    scratch = Scratch(np.zeros(size), np.zeros(size), np.zeros(size))
    return EdgeWork(np.zeros(size, np.int64), scratch, np.zeros(1, np.int64), np.zeros(1))


@njit(cache=True, error_model="numpy")
def edge_group(
    points: Points,
    gradient: SparseGradient,
    tree: TreeArrays,
    anchor: int,
    group: Group,
    settings: tuple[LossSettings, JointTerms, SamplerSettings],
    stream: Stream,
    work: EdgeWork,
) -> float:  # pragma: no cover - compiled
    """Return the weighted edge loss between the anchor and its parent, seen from both ends; its gradient is added.

    From each end, the loss is -log softmax of the other end by distance among edge negatives of this end, over its
    number of neighbours, so that every taxon counts as in edge MAP.

    Args:
        points, gradient: see their classes.
        tree: the hierarchy.
        anchor: row below the root.
        group: its pairs and negatives; the sum of their weights is that of the edge.
        settings: loss (DISTANCE_SOFTMAX), weights and sampler.
        stream: seed and epoch.
        work: see its class.
    """
    loss, joint, sampler = settings
    parent = tree.parent[anchor]
    total = joint.edge_weight * group.weights.sum()
    value = 0.0
    for side in range(2):
        near, far = (anchor, parent) if side == 0 else (parent, anchor)
        key = 2 * anchor + side
        count = sample_walks(tree, near, sampler.num_edge, stream, key, work.negatives)
        count = append_edge_negatives(tree, near, group.negatives, work.negatives, count)
        if count == 0:
            continue
        neighbours = tree.child_start[near + 1] - tree.child_start[near] + (1 if near > 0 else 0)
        work.positive[0], work.weight[0] = far, total / neighbours
        edge = Group(work.positive, work.weight, work.negatives[:count])
        value += softmax_group(points, gradient, near, edge, work.scratch, loss)
    return value


@njit(cache=True, inline="always")
def _path_length(tree: TreeArrays, root_distance: Float64Array, a: int, b: int) -> float:  # pragma: no cover - compiled
    """Return the path length between rows by first parents; in preorder the later row is no ancestor of the other."""
    x, y = a, b
    while x != y:
        if x > y:
            x = tree.parent[x]
        else:
            y = tree.parent[y]
    return root_distance[a] + root_distance[b] - 2.0 * root_distance[x]


@njit(cache=True, error_model="numpy")
def stress_group(
    points: Points,
    gradient: SparseGradient,
    tree: TreeArrays,
    anchor: int,
    group: Group,
    joint: JointTerms,
    num_hard: int,
) -> float:  # pragma: no cover - compiled
    """Return the weighted stress between the anchor and its uniform negatives; its gradient is added.

    The stress of a pair is ((d - offset - unit * path length) / spread)^2; over the negatives the mean counts.

    Args:
        points, gradient: see their classes.
        tree: the hierarchy.
        anchor: row of the descendant.
        group: its pairs and negatives; the sum of their weights is that of the stress.
        joint: see its class.
        num_hard: negatives before this place are hard ones, which are not drawn uniformly.
    """
    uniform = group.negatives[num_hard:]
    if not len(uniform):
        return 0.0
    value = 0.0
    weight = joint.stress_weight * group.weights.sum() / (len(uniform) * joint.spread**2)
    for row in uniform:
        h, chord, distance = distance_terms(points, anchor, row)
        off = distance - joint.offset - joint.unit * _path_length(tree, joint.root_distance, anchor, row)
        value += weight * off * off
        pair = slot_of(anchor, gradient.slots), slot_of(row, gradient.slots)
        add_distance_gradient(points, gradient, (anchor, row), pair, h, chord, 2.0 * weight * off)
    return value
