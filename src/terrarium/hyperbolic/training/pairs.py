"""Which pairs an epoch trains, and how much each counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Floats
from terrarium.hyperbolic.options import Curriculum, Phase

Positions = NDArray[np.int64]

_AUTO = ((0.0, 0.0), (0.2, 0.25), (0.4, 0.5))
_AUTO_ALL = 0.6
CLASS_WEIGHT_LIMIT = 10.0


def phases(curriculum: Curriculum, epochs: int, deepest: int) -> list[Phase]:
    """The phases of a curriculum; `auto` depends on the number of epochs and on the depth K of the tree.

    auto: difference 1 at first, K / 4 from 20 % of the epochs, K / 2 from 40 %, any from 60 %.
    """
    if curriculum != "auto":
        return curriculum
    graded = [
        Phase(epoch=max(1, int(share * epochs)), max_difference=max(1, int(part * deepest))) for share, part in _AUTO
    ]
    return [*graded, Phase(epoch=max(1, int(_AUTO_ALL * epochs)), max_difference=None)]


def max_difference(stages: list[Phase], epoch: int) -> int | None:
    """Largest depth difference in an epoch, by the last phase that has begun; None: any."""
    begun = [phase.max_difference for phase in stages if phase.epoch <= epoch]
    return begun[-1] if begun else None


def allowed(difference: NDArray[np.int16], only_parents: bool, limit: int | None) -> Positions | None:
    """Positions of the pairs that may be trained; None where all may."""
    if only_parents:
        return np.flatnonzero(difference == 1)
    return None if limit is None else np.flatnonzero(difference <= limit)


def stratified(
    difference: NDArray[np.int16], positions: Positions, share: float, rng: np.random.Generator
) -> Positions:
    """Of each depth difference max(1, share * size) pairs, without replacement."""
    shuffled = rng.permutation(positions)
    level = difference[shuffled]
    order = np.argsort(level, kind="stable")
    size = np.bincount(level)
    start = np.cumsum(size) - size
    place = np.arange(len(order)) - start[level[order]]
    return shuffled[order[place < np.maximum((share * size).astype(np.int64), 1)[level[order]]]]


def balanced(classes: NDArray[np.int64], positions: Positions, rng: np.random.Generator) -> Positions:
    """As many pairs of each class, in all as many as there are; with replacement where a class has fewer.

    Args:
        classes: (P,) class of each pair of the closure.
        positions: those to choose from.
        rng: randomness.
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


def class_of(tree: Hierarchy, rows: ArrayLike) -> NDArray[np.int64]:
    """Number of the ancestor-or-self at depth 1 of rows below the root; preorder keeps a class together."""
    tops = np.flatnonzero(tree.depth == 1)
    found: NDArray[np.int64] = np.searchsorted(tops, np.asarray(rows), side="right") - 1
    return found


def class_factors(tree: Hierarchy, rows: ArrayLike) -> Floats:
    """min(sqrt(largest class / own class), 10) of rows below the root, by the number of taxa (the documents)."""
    size = np.bincount(class_of(tree, np.arange(1, len(tree))))
    factor: Floats = np.minimum(np.sqrt(size.max() / size), CLASS_WEIGHT_LIMIT)
    return factor[class_of(tree, rows)]
