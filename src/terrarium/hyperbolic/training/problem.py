"""Everything that decides a training, and what every trainer reports of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.distortion import choose_pairs, path_lengths
from terrarium.hyperbolic.evaluation.norms import norm_numbers
from terrarium.hyperbolic.geometry.ball import Floats, Layout, norm_of_radius, pairwise
from terrarium.hyperbolic.options import Phase, TrainingOptions
from terrarium.hyperbolic.training import pairs as pair_choice

UNIT_PAIRS = 20_000
"""Pairs that the length of a step is fitted to."""
COUNTED_PAIRS = 4096
"""How many pairs of an epoch false negatives are counted on."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Everything that decides a training.

    Attributes:
        tree: N nodes.
        ancestor, descendant, difference: (P,) rows of the pairs and their depth differences.
        target: (N,) target radii.
        start: where the points begin.
        max_radius: largest radius.
        options: objective and optimiser.
        way: (N,) length of the way from the root to each node, for fine-tune; None: one a step.
    """

    tree: Hierarchy
    ancestor: NDArray[np.int32]
    descendant: NDArray[np.int32]
    difference: NDArray[np.int16]
    target: Floats
    start: Layout
    max_radius: float
    options: TrainingOptions
    way: Floats | None = None

    @property
    def weight(self) -> Floats:
        """(P,) weights of the pairs, of which a batch takes the mean as 1."""
        if self.options.loss.pair_weights == "uniform":
            return np.ones(len(self.difference))
        weight: Floats = np.sqrt(self.difference + 1.0)
        return weight

    @property
    def factor(self) -> Floats:
        """(P,) class weights of the pairs, all 1 without `class_weights`."""
        if not self.options.loss.class_weights:
            return np.ones(len(self.difference))
        return pair_choice.class_factors(self.tree, self.descendant)

    @property
    def whole_weight(self) -> Floats:
        """(P,) weights with the class weights in them; without these no second array is made."""
        return self.weight * self.factor if self.options.loss.class_weights else self.weight

    @property
    def margins(self) -> tuple[float, float]:
        """The margin of a pair is the first plus the second times its depth difference."""
        graded = self.options.loss.depth_margin
        if graded is None:
            return self.options.loss.margin, 0.0
        return graded.min, (graded.max - graded.min) / self.tree.max_depth

    @cached_property
    def stretch(self) -> tuple[float, float, Floats]:
        """Of fine-tune, else with strength 0: strength, unit and lengths of the ways from the root.

        The unit is the hyperbolic length of a step of length 1 that fits the start best, by the squared relative
        errors of a sample of pairs.
        """
        way = self.tree.depth.astype(np.float64) if self.way is None else self.way
        if self.options.loss.name != "fine_tune":
            return 0.0, 1.0, way
        a, b = choose_pairs(len(self.tree), UNIT_PAIRS, self.options.seed)
        ratio = pairwise(self.start, a, b) / path_lengths(self.tree, way, a, b)
        return self.options.loss.distortion_weight, float(ratio @ ratio / ratio.sum()), way

    @property
    def uncounted_epochs(self) -> int:
        """First epochs whose loss says nothing about later ones: burn-in, and all phases but the last."""
        started = self._phases[-1].epoch - 1 if self._phases else 0
        return max(self.options.schedule.burn_in_epochs, started)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Positions of the pairs of one epoch in their order; depends on seed and epoch alone.

        Of the closure the curriculum and `pairs` choose, of these `epoch_fraction`, of those `class_balanced`. For the
        objectives closure and slack the pairs of a descendant follow each other, since they share their negatives.
        """
        rng = np.random.default_rng([self.options.seed, epoch])
        limit = pair_choice.max_difference(self._phases, epoch)
        chosen = pair_choice.allowed(self.difference, self.options.sampler.pairs == "parent_child", limit)
        if self.options.sampler.epoch_fraction < 1.0:
            chosen = self._all if chosen is None else chosen
            chosen = pair_choice.stratified(self.difference, chosen, self.options.sampler.epoch_fraction, rng)
        if self.options.sampler.class_balanced:
            chosen = pair_choice.balanced(self._classes, self._all if chosen is None else chosen, rng)
        if self.options.loss.name == "margin_ranking":
            return rng.permutation(len(self.ancestor) if chosen is None else chosen)
        chosen = self._all if chosen is None else chosen
        place = rng.permutation(len(self.tree))
        return chosen[np.argsort(place[self.descendant[chosen]], kind="stable")]

    def learning_rate(self, epoch: int) -> float:
        """Geometric from the first epoch's rate to the last one's, times `burn_in_factor` in the burn-in."""
        first, last = self.options.optimizer.learning_rate, self.options.schedule.final_learning_rate
        share = (epoch - 1) / max(self.options.max_epochs - 1, 1)
        factor = self.options.schedule.burn_in_factor if epoch <= self.options.schedule.burn_in_epochs else 1.0
        return float(factor * first * (last / first) ** share)

    @property
    def _all(self) -> NDArray[np.int64]:
        return np.arange(len(self.ancestor))

    @cached_property
    def _classes(self) -> NDArray[np.int64]:
        return pair_choice.class_of(self.tree, self.descendant)

    @cached_property
    def _phases(self) -> list[Phase]:
        return pair_choice.phases(self.options.sampler.curriculum, self.options.max_epochs, self.tree.max_depth)


def draw_options(options: TrainingOptions) -> tuple[int, int, int]:
    """What `kernel.draw` draws by: kind, near (for ranking the sampler) and reach."""
    from terrarium.hyperbolic.legacy.negatives import SAMPLERS
    from terrarium.hyperbolic.training import cpu_kernel as kernel

    if options.loss.name == "margin_ranking":
        return kernel.RANKING, SAMPLERS[options.sampler.negative_sampler], 0
    kind = kernel.CLOSURE if options.loss.name == "distance_softmax" else kernel.SLACK
    near = kernel.NOT_ABOVE if options.sampler.negative_sampler == "non_ancestors" else options.sampler.hard_negatives
    return kind, near, options.sampler.hard_negative_ancestors


def false_negatives(problem: Problem, tree: Any, order: NDArray[np.int64], epoch: int) -> float:
    """Share of the negatives that lie below the pair's ancestor, by the draws of the first pairs of an epoch.

    Args:
        problem: the training.
        tree: its `TreeArrays.as_tuple()`.
        order: positions of the epoch's pairs.
        epoch: its number.
    """
    from terrarium.hyperbolic.training import cpu_kernel as kernel

    batch, options = order[:COUNTED_PAIRS], problem.options
    drawn = np.zeros((len(batch), options.sampler.num_negatives), np.int64)
    pairs = (problem.ancestor, problem.descendant, problem.ancestor)
    counts = kernel.draw_batch(tree, pairs, batch, draw_options(options), (options.seed, epoch), drawn)
    there = np.arange(options.sampler.num_negatives) < counts[:, None]
    below = problem.tree.is_ancestor(problem.ancestor[batch, None], drawn) & there
    return float(below.sum() / max(there.sum(), 1))


def diagnostics(
    problem: Problem, layout: Layout, largest: float, beyond: int, moved: int, pairs: int
) -> dict[str, float]:
    """What the history keeps of the table after an epoch of so many pairs.

    The projection is the limit of the radius: `largest` is the largest radius that a step reached before it, `beyond`
    how many of the `moved` steps of rows would have passed it.
    """
    norm = norm_of_radius(layout.radius)
    rows = moved / -(-pairs // problem.options.batch_size)
    return {
        **norm_numbers(problem.tree.depth, norm),
        "max_radius": float(layout.radius.max()),
        "max_norm_before_projection": float(max(norm_of_radius(largest), norm.max())),
        "share_outside_before_projection": beyond / max(moved, 1),
        "rows_per_batch": rows,
        "rows_moved_per_batch": rows,
    }
