"""What a training is given, and what its losses need of it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.build import patristic_distance
from terrarium.hyperbolic.evaluation.distortion import sample_pairs
from terrarium.hyperbolic.geometry.ball import Layout, pairwise
from terrarium.hyperbolic.options import TrainingOptions
from terrarium.hyperbolic.training.sampling.pairs import PairSampler, class_weights

UNIT_PAIRS = 20_000
"""Pairs that the unit of length is fitted to."""
_TINY, _SMALLEST_SPREAD = 1e-12, 0.1


@dataclass(frozen=True, eq=False)
class Problem:
    """The data and the options of a training.

    Attributes:
        tree: N nodes.
        ancestor, descendant, difference: (P,) rows of the pairs and their depth differences.
        target: (N,) target radii.
        initial: the layout that training starts from.
        max_radius: largest radius.
        options: loss, sampler, optimizer and schedule.
        root_distance: (N,) path lengths from the root, for joint; None where every link has length 1.
    """

    tree: Hierarchy
    ancestor: NDArray[np.int32]
    descendant: NDArray[np.int32]
    difference: NDArray[np.int16]
    target: Float64Array
    initial: Layout
    max_radius: float
    options: TrainingOptions
    root_distance: Float64Array | None = None

    def pair_sampler(self) -> PairSampler:
        """Return what chooses the pairs of each epoch."""
        return PairSampler(self.tree, self.descendant, self.difference, self.options)

    def epoch_rng(self, epoch: int) -> np.random.Generator:
        """Return the source of randomness for the order of an epoch's pairs."""
        return np.random.default_rng([self.options.seed, epoch])


def data_fingerprints(problem: Problem) -> dict[str, str | None]:
    """Return the fingerprints of the data that decide the result of a training."""
    root_distance = problem.root_distance
    return {
        "taxa": problem.tree.fingerprint(),
        "pairs": sha256(problem.ancestor.tobytes() + problem.descendant.tobytes()).hexdigest(),
        "target_radius": sha256(problem.target.tobytes()).hexdigest(),
        "root_distance": None if root_distance is None else sha256(root_distance.tobytes()).hexdigest(),
    }


class JointTerms(NamedTuple):
    """What the loss joint adds to the detour softmax; both weights are 0 for the other losses.

    Attributes:
        edge_weight: weight of the edge term.
        stress_weight: weight of the stress.
        offset, unit: the wanted distance of two nodes is offset + unit * path length.
        spread: standard deviation of the wanted distances.
        root_distance: (N,) path lengths from the root.
    """

    edge_weight: float
    stress_weight: float
    offset: float
    unit: float
    spread: float
    root_distance: Float64Array


def pair_weights(problem: Problem) -> Float64Array:
    """Return the (P,) weights of the pairs by `loss.pair_weights`; a batch divides by their mean."""
    if problem.options.loss.pair_weights == "uniform":
        return np.ones(len(problem.difference))
    weight: Float64Array = np.sqrt(problem.difference + 1.0)
    return weight


def pair_class_weights(problem: Problem) -> Float64Array:
    """Return the (P,) class weights of the pairs; ones without `loss.class_weights`."""
    if not problem.options.loss.class_weights:
        return np.ones(len(problem.difference))
    return class_weights(problem.tree, problem.descendant)


def total_weights(problem: Problem) -> Float64Array:
    """Return the (P,) products of pair and class weights."""
    if not problem.options.loss.class_weights:
        return pair_weights(problem)
    return pair_weights(problem) * pair_class_weights(problem)


def margin_coefficients(problem: Problem) -> tuple[float, float]:
    """Return (base, slope); the margin of a pair is base + slope * depth difference."""
    by_depth = problem.options.loss.depth_margin
    if by_depth is None:
        return problem.options.loss.margin, 0.0
    return by_depth.min, (by_depth.max - by_depth.min) / problem.tree.max_depth


def joint_terms(problem: Problem) -> JointTerms:
    """Return the weights and the wanted distances of the loss joint.

    Offset and unit are the least-squares line through the initial layout's distances on a sample of pairs. The line has
    an offset because two points far from the origin are nearer than the sum of their radii by a constant that depends
    on the angle between them.
    """
    tree, loss = problem.tree, problem.options.loss
    root_distance = tree.depth.astype(np.float64) if problem.root_distance is None else problem.root_distance
    if loss.name != "joint":
        return JointTerms(0.0, 0.0, 0.0, 1.0, 1.0, root_distance)
    a, b = sample_pairs(len(tree), UNIT_PAIRS, problem.options.seed)
    path = patristic_distance(tree, root_distance, a, b)
    deviation = path - path.mean()
    distance = pairwise(problem.initial, a, b)
    unit = abs(float(distance @ deviation)) / max(float(deviation @ deviation), _TINY)
    offset, spread = float(distance.mean() - unit * path.mean()), max(unit * float(path.std()), _SMALLEST_SPREAD)
    return JointTerms(loss.edge_weight, loss.stress_weight, offset, unit, spread, root_distance)


def uncounted_epochs(problem: Problem) -> int:
    """Return how many first epochs have losses that cannot be compared with later ones.

    These are the burn-in, and all phases of the curriculum but the last.
    """
    return max(problem.options.schedule.burn_in_epochs, problem.pair_sampler().last_phase_start - 1)
