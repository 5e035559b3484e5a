"""Which pairs an epoch trains, and how much each counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.options import Curriculum, Phase, TrainingOptions

_AUTO = ((0.0, 0.0), (0.2, 0.25), (0.4, 0.5))
_AUTO_ALL = 0.6
MAX_CLASS_WEIGHT = 10.0


class PairSampler:
    """Choose and order the pairs of each epoch.

    `sampler.pairs` and the curriculum choose among all pairs, `epoch_fraction` among these, `class_balanced` among
    those. For the losses in which the pairs of a descendant share negatives, they follow each other.
    """

    def __init__(
        self,
        tree: Hierarchy,
        descendant: NDArray[np.integer],
        difference: NDArray[np.integer],
        options: TrainingOptions,
    ) -> None:
        """Prepare for the P pairs of a training.

        Args:
            tree: N nodes.
            descendant, difference: (P,) rows of the descendants, and depth differences.
            options: the training's options.
        """
        self._tree, self._descendant, self._difference = tree, descendant, difference
        self._options = options.sampler
        self._in_groups = options.loss.name != "margin_ranking"
        self._phases = curriculum_phases(options.sampler.curriculum, options.schedule_length, tree.max_depth)
        self._classes = class_numbers(tree, descendant) if options.sampler.class_balanced else None

    @property
    def last_phase_start(self) -> int:
        """First epoch of the curriculum's last phase."""
        return self._phases[-1].epoch if self._phases else 1

    def epoch(self, epoch: int, rng: np.random.Generator) -> Int64Array:
        """Return the positions of an epoch's pairs in the order of training; randomness comes from `rng` only."""
        positions = self._allowed(epoch)
        if self._options.epoch_fraction < 1.0:
            positions = sample_stratified(self._difference, positions, self._options.epoch_fraction, rng)
        if self._classes is not None:
            positions = sample_balanced(self._classes, positions, rng)
        if not self._in_groups:
            return rng.permutation(positions)
        place = rng.permutation(len(self._tree))
        return positions[np.argsort(place[self._descendant[positions]], kind="stable")]

    def _allowed(self, epoch: int) -> Int64Array:
        if self._options.pairs == "parent_child":
            return np.flatnonzero(self._difference == 1)
        limit = max_difference(self._phases, epoch)
        return np.arange(len(self._difference)) if limit is None else np.flatnonzero(self._difference <= limit)


def curriculum_phases(curriculum: Curriculum, epochs: int, max_depth: int) -> list[Phase]:
    """Return the phases of a curriculum.

    `auto`: difference 1 at first, a quarter of `max_depth` from 20 % of the epochs, half from 40 %, any from 60 %.
    """
    if curriculum != "auto":
        return curriculum
    graded = [
        Phase(epoch=max(1, int(start * epochs)), max_difference=max(1, int(part * max_depth))) for start, part in _AUTO
    ]
    return [*graded, Phase(epoch=max(1, int(_AUTO_ALL * epochs)), max_difference=None)]


def max_difference(phases: list[Phase], epoch: int) -> int | None:
    """Return the largest depth difference in an epoch, by the last phase that has begun; None for any."""
    begun = [phase.max_difference for phase in phases if phase.epoch <= epoch]
    return begun[-1] if begun else None


def sample_stratified(
    difference: NDArray[np.integer], positions: Int64Array, fraction: float, rng: np.random.Generator
) -> Int64Array:
    """Draw a fraction of the pairs of each depth difference, at least one, without replacement.

    Args:
        difference: (P,) depth differences.
        positions: pairs to choose from.
        fraction: between 0 and 1.
        rng: source of randomness.
    """
    shuffled = rng.permutation(positions)
    level = difference[shuffled]
    order = np.argsort(level, kind="stable")
    size = np.bincount(level)
    start = np.cumsum(size) - size
    place = np.arange(len(order)) - start[level[order]]
    return shuffled[order[place < np.maximum((fraction * size).astype(np.int64), 1)[level[order]]]]


def sample_balanced(classes: Int64Array, positions: Int64Array, rng: np.random.Generator) -> Int64Array:
    """Draw equally many pairs of each class, in all about as many as there are; with replacement in small classes.

    Args:
        classes: (P,) class of each pair.
        positions: pairs to choose from.
        rng: source of randomness.
    """
    own = classes[positions]
    present = np.unique(own)
    each = max(len(positions) // len(present), 1)
    order = np.argsort(own, kind="stable")
    bounds = np.searchsorted(own[order], present, side="left"), np.searchsorted(own[order], present, side="right")
    chosen = []
    for first, last in zip(*bounds, strict=True):
        members = positions[order[first:last]]
        chosen.append(rng.choice(members, each, replace=len(members) < each))
    return np.concatenate(chosen)


def class_numbers(tree: Hierarchy, rows: ArrayLike) -> Int64Array:
    """Return the number of the class, the subtree at depth 1, of rows below the root."""
    tops = np.flatnonzero(tree.depth == 1)
    return np.asarray(np.searchsorted(tops, np.asarray(rows), side="right") - 1)


def class_weights(tree: Hierarchy, rows: ArrayLike) -> Float64Array:
    """Return min(sqrt(largest class / own class), 10) of rows below the root, by numbers of taxa."""
    size = np.bincount(class_numbers(tree, np.arange(1, len(tree))))
    weight: Float64Array = np.minimum(np.sqrt(size.max() / size), MAX_CLASS_WEIGHT)
    return weight[class_numbers(tree, rows)]
