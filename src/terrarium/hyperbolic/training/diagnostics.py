"""What the history records of the points and the negatives after an epoch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Int64Array
from terrarium.hyperbolic.evaluation.norms import norm_statistics
from terrarium.hyperbolic.geometry.ball import Layout, norm_of_radius
from terrarium.hyperbolic.training.problem import Problem, total_weights
from terrarium.hyperbolic.training.sampling.negatives import Pairs, sample_batch, sampler_settings
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import TreeArrays

COUNTED_PAIRS = 4096
"""How many pairs of an epoch false negatives are counted on."""


class EpochSums(NamedTuple):
    """What an epoch of training adds up.

    Attributes:
        loss, weight: weighted losses and weights of the pairs that have negatives.
        max_reached: largest radius (of legacy_adam: norm) that a step reached before it was limited.
        num_beyond: steps of rows that were limited.
        num_moved: steps of rows.
    """

    loss: float
    weight: float
    max_reached: float
    num_beyond: int
    num_moved: int

    @property
    def mean_loss(self) -> float:
        """Weighted mean of the losses, without penalties; 0 where no pair has negatives."""
        return float(self.loss) / max(float(self.weight), 1e-300)


def training_pairs(problem: Problem) -> Pairs:
    """Return the pairs with their total weights."""
    return Pairs(problem.ancestor, problem.descendant, total_weights(problem))


def false_negative_fraction(problem: Problem, tree: TreeArrays, positions: Int64Array, epoch: int) -> float:
    """Return the fraction of negatives below their pair's ancestor, on the first pairs of an epoch.

    Args:
        problem: the training.
        tree: its arrays.
        positions: positions of the epoch's pairs.
        epoch: its number, from 1.
    """
    batch, settings = positions[:COUNTED_PAIRS], sampler_settings(problem.options)
    negatives = np.zeros((len(batch), settings.num_negatives), np.int64)
    pairs = Pairs(problem.ancestor, problem.descendant, np.zeros(0))
    counts = sample_batch(tree, pairs, batch, settings, Stream(problem.options.seed, epoch), negatives)
    present = np.arange(settings.num_negatives) < counts[:, None]
    below = problem.tree.is_ancestor(problem.ancestor[batch, None], negatives) & present
    return float(below.sum() / max(present.sum(), 1))


def describe_layout(problem: Problem, layout: Layout, sums: EpochSums, num_pairs: int) -> dict[str, float]:
    """Return what the history records of a layout after an epoch.

    The limit of the radius counts as the projection: `fraction_outside_before_projection` is the fraction of steps that
    would have passed it.

    Args:
        problem: the training.
        layout: the points after the epoch.
        sums: of the epoch.
        num_pairs: pairs of the epoch.
    """
    norm = norm_of_radius(layout.radius)
    rows_per_batch = sums.num_moved / -(-num_pairs // problem.options.batch_size)
    return {
        **norm_statistics(problem.tree.depth, norm),
        "max_radius": float(layout.radius.max()),
        "max_norm_before_projection": float(max(norm_of_radius(sums.max_reached), norm.max())),
        "fraction_outside_before_projection": sums.num_beyond / max(sums.num_moved, 1),
        "rows_per_batch": rows_per_batch,
        "rows_moved_per_batch": rows_per_batch,
    }
