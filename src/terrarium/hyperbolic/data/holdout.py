"""Choose what is held out of training: taxa, or links between taxa that stay.

Links follow Ganea et al. (2018). The transitive reduction is always trained on. Of the remaining pairs of the closure,
one fraction is held out for validation, as many for test, and a further fraction may join the training set. Pairs of
the root are left out, since every taxon descends from it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.common.arrays import BoolArray, Int32Array, Int64Array
from terrarium.hierarchy import Hierarchy

logger = logging.getLogger(__name__)

LEAF, CLADE = "leaf", "clade"
_MIN_DEPTH = 2
"""Taxa above this depth have too few candidate parents for a test to be meaningful."""
_WARN_BELOW = 0.9
"""Fraction of the requested holdout below which a warning is logged."""
_MAX_REDRAWS = 32


class HoldoutError(ValueError):
    """A hierarchy from which nothing can be held out."""


@dataclass(frozen=True, eq=False)
class TaxaHoldout:
    """Taxa that stay, and the roots of the subtrees that are held out.

    Attributes:
        keep: (N,) mask of the rows that stay.
        rows: (W,) rows of held-out leaves and of the roots of held-out clades.
        kind: (W,) "leaf" or "clade".
    """

    keep: BoolArray
    rows: Int32Array
    kind: NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class LabelledPairs:
    """Pairs of taxa to classify.

    Attributes:
        ancestor: (n,) rows of the claimed ancestors.
        descendant: (n,) rows of the claimed descendants.
        label: (n,) whether the first is an ancestor of the second.
    """

    ancestor: Int32Array
    descendant: Int32Array
    label: BoolArray

    def table(self, tree: Hierarchy) -> pd.DataFrame:
        """Return ancestor and descendant (ids), and label."""
        ids = tree.ids.astype(np.int32)
        columns = {"ancestor": ids[self.ancestor], "descendant": ids[self.descendant], "label": self.label}
        return pd.DataFrame(columns)

    @classmethod
    def from_table(cls, tree: Hierarchy, table: pd.DataFrame) -> LabelledPairs:
        """Return the pairs of a table that `table` returned.

        Args:
            tree: the taxa.
            table: columns ancestor, descendant (ids) and label (bool).
        """
        return cls(tree.rows(table["ancestor"]), tree.rows(table["descendant"]), table["label"].to_numpy(bool))


@dataclass(frozen=True, eq=False)
class LinkSplit:
    """Links for training, validation and test.

    Attributes:
        reduction: (B,) positions in `Hierarchy.closure()` of the transitive reduction, without links of the root.
        train: (T,) positions of the training pairs, including the reduction.
        validation: true pairs with their corruptions.
        test: the same for the test.
    """

    reduction: Int64Array
    train: Int64Array
    validation: LabelledPairs
    test: LabelledPairs


def hold_out_taxa(
    tree: Hierarchy, *, leaf_fraction: float, clade_fraction: float, max_clade_size: int, seed: int
) -> TaxaHoldout:
    """Choose disjoint clades, then leaves. Each has a depth of at least 2 and leaves a sibling in the tree.

    Args:
        tree: N nodes; clades are formed by first parents.
        leaf_fraction: fraction of the leaves to hold out.
        clade_fraction: fraction of all taxa to hold out as whole clades.
        max_clade_size: taxa in the largest clade to hold out; the smallest has 2.
        seed: seed of the choice.

    Raises:
        HoldoutError: nothing can be held out.
    """
    rng = np.random.default_rng(seed)
    size = tree.end - np.arange(len(tree))
    is_deep = tree.depth >= _MIN_DEPTH
    is_leaf = size == 1
    is_leaf[tree.extra_parent] = False
    is_clade = is_deep & (size > 1) & (size <= max_clade_size)
    remaining = _Remaining(tree)
    clades = remaining.remove(rng.permutation(np.flatnonzero(is_clade)), clade_fraction * len(tree), "taxa in clades")
    leaves = remaining.remove(
        rng.permutation(np.flatnonzero(is_deep & is_leaf)), leaf_fraction * int(is_leaf.sum()), "leaves"
    )
    if not clades and not leaves:
        raise HoldoutError(
            "no taxon can be held out: none is at least two levels down and leaves a sibling, or the fractions are 0; "
            "raise holdout.leaf_fraction or choose a larger part"
        )
    kind = np.array([CLADE] * len(clades) + [LEAF] * len(leaves))
    return TaxaHoldout(remaining.keep, np.array([*clades, *leaves], np.int32), kind)


def split_links(
    tree: Hierarchy, *, link_fraction: float, train_fraction: float, num_corruptions: int, seed: int
) -> LinkSplit:
    """Split the closure without the pairs of the root.

    Args:
        tree: N nodes.
        link_fraction: fraction of the pairs outside the transitive reduction to hold out for validation; as many are
            held out for test.
        train_fraction: fraction of these pairs that joins the training set.
        num_corruptions: false pairs per end of each true pair.
        seed: seed of the split and the corruptions.

    Raises:
        HoldoutError: too few pairs are outside the reduction.
    """
    rng = np.random.default_rng(seed)
    ancestor, descendant, difference = tree.closure()
    in_reduction = (ancestor > 0) & _in_reduction(tree, ancestor, descendant, difference)
    others = rng.permutation(np.flatnonzero((ancestor > 0) & ~in_reduction))
    held_out, train = int(link_fraction * len(others)), int(train_fraction * len(others))
    if held_out < 1 or train > len(others) - 2 * held_out:
        raise HoldoutError(
            f"only {len(others):,} pairs are outside the transitive reduction: too few for twice {link_fraction:g} and "
            f"{train_fraction:g} of them; change holdout.link_fraction or holdout.link_train_fraction, or choose a "
            "deeper part"
        )
    test, validation = others[:held_out], others[held_out : 2 * held_out]
    reduction = np.flatnonzero(in_reduction)
    return LinkSplit(
        reduction=reduction,
        train=np.sort(np.concatenate([reduction, others[2 * held_out : 2 * held_out + train]])),
        validation=_with_corruptions(tree, ancestor[validation], descendant[validation], num_corruptions, rng),
        test=_with_corruptions(tree, ancestor[test], descendant[test], num_corruptions, rng),
    )


class _Remaining:
    """The tree while subtrees are removed from it."""

    def __init__(self, tree: Hierarchy) -> None:
        self.tree = tree
        self.keep = np.ones(len(tree), bool)
        self.num_children = np.bincount(tree.parent[1:], minlength=len(tree))

    def remove(self, candidates: Int64Array, target: float, what: str) -> list[int]:
        """Remove the subtrees of candidates in turn until `target` taxa are removed; return their roots."""
        roots: list[int] = []
        removed = 0
        for row in candidates:
            if removed >= target:
                break
            subtree, parent = slice(row, self.tree.end[row]), self.tree.parent[row]
            if self.keep[subtree].all() and self.num_children[parent] > 1:
                self.keep[subtree] = False
                self.num_children[parent] -= 1
                removed += int(self.tree.end[row] - row)
                roots.append(int(row))
        if removed < _WARN_BELOW * target:
            logger.warning("Held out only %d of %d %s: the others would leave no sibling", removed, target, what)
        return roots


def _in_reduction(
    tree: Hierarchy, ancestor: Int32Array, descendant: Int32Array, difference: NDArray[np.int16]
) -> BoolArray:
    """Return (P,) whether a pair is in the transitive reduction: its parent is no ancestor of another parent."""
    is_link = difference == 1
    if tree.is_tree:
        return is_link
    child, parent = tree.links()
    start = np.searchsorted(child, np.arange(len(tree) + 1))
    redundant = [
        int(node) * len(tree) + int(upper)
        for node in np.unique(tree.extra_child)
        for upper in parent[start[node] : start[node + 1]]
        if tree.is_ancestor(upper, parent[start[node] : start[node + 1]]).any()
    ]
    is_link &= ~np.isin(descendant.astype(np.int64) * len(tree) + ancestor, redundant)
    return is_link


def _with_corruptions(
    tree: Hierarchy, ancestor: Int32Array, descendant: Int32Array, num_corruptions: int, rng: np.random.Generator
) -> LabelledPairs:
    """Return the true pairs, then those with another descendant, then those with another ancestor.

    A taxon that would form a true pair with every other taxon gets no corruption.
    """
    kept_ancestor, drawn_descendant = _redraw(tree, np.repeat(ancestor, num_corruptions), rng, is_above=True)
    kept_descendant, drawn_ancestor = _redraw(tree, np.repeat(descendant, num_corruptions), rng, is_above=False)
    ancestors = np.concatenate([ancestor, kept_ancestor, drawn_ancestor])
    descendants = np.concatenate([descendant, drawn_descendant, kept_descendant])
    return LabelledPairs(ancestors, descendants, np.arange(len(ancestors)) < len(ancestor))


def _redraw(
    tree: Hierarchy, fixed: Int32Array, rng: np.random.Generator, *, is_above: bool
) -> tuple[Int32Array, Int32Array]:
    """Return the fixed ends, and for each a uniform row other than the root that makes a false pair."""
    drawn = np.zeros(len(fixed), np.int32)
    open_places = np.arange(len(fixed))
    for _ in range(_MAX_REDRAWS):
        drawn[open_places] = rng.integers(1, len(tree), len(open_places))
        open_places = open_places[~_is_false(tree, fixed[open_places], drawn[open_places], is_above)]
        if not len(open_places):
            return fixed, drawn
    candidates = np.arange(1, len(tree), dtype=np.int32)
    for end in np.unique(fixed[open_places]):
        places = open_places[fixed[open_places] == end]
        allowed = candidates[_is_false(tree, end, candidates, is_above)]
        drawn[places] = rng.choice(allowed, len(places)) if len(allowed) else -1
    return fixed[drawn >= 0], drawn[drawn >= 0]


def _is_false(tree: Hierarchy, fixed: Int32Array, other: Int32Array, is_above: bool) -> BoolArray:
    above, below = (fixed, other) if is_above else (other, fixed)
    return (above != below) & ~tree.is_ancestor(above, below)
