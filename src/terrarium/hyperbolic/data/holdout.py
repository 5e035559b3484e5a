"""What is kept out of training, to be found again: taxa, or links between taxa that stay.

Links after Ganea et al. (2018): the transitive reduction is always trained on; of the other pairs of the closure a
share each is kept for validation and for test, and a share may join the training. Pairs of the root are left out, as
everything is below it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrarium.hierarchy import Hierarchy

logger = logging.getLogger(__name__)

LEAF, CLADE = "leaf", "clade"
_ENOUGH = 0.9
"""A smaller part of what should be withheld is worth a warning."""
_LEAST_DEPTH = 2
"""Taxa above it have too few candidates for a parent to say anything."""

_TRIES = 32


class WithholdingError(ValueError):
    """A hierarchy with nothing to withhold."""


@dataclass(frozen=True, eq=False)
class WithheldTaxa:
    """Which taxa stay, and the tops of the parts that do not.

    Attributes:
        keep: (N,) rows that stay.
        rows: (W,) rows of withheld leaves and of the tops of withheld clades.
        kind: (W,) leaf or clade.
    """

    keep: NDArray[np.bool_]
    rows: NDArray[np.int32]
    kind: NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class LinkSample:
    """Pairs to be told apart.

    Attributes:
        ancestor, descendant: (n,) rows.
        true: (n,) whether the first is an ancestor of the second.
    """

    ancestor: NDArray[np.int32]
    descendant: NDArray[np.int32]
    true: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class LinkSplit:
    """Links for training, validation and test.

    Attributes:
        basic: (B,) positions in `Hierarchy.closure()` of the transitive reduction, without the root's.
        train: (T,) positions of the pairs of the training, the basic ones among them.
        validation, test: true pairs, each with its corruptions.
    """

    basic: NDArray[np.int64]
    train: NDArray[np.int64]
    validation: LinkSample
    test: LinkSample


def withhold_taxa(
    tree: Hierarchy, *, leaf_share: float, clade_share: float, clade_size: int, seed: int
) -> WithheldTaxa:
    """Choose disjoint clades, then leaves; the parent of each keeps another child, and its depth is two at least.

    Args:
        tree: N nodes; clades are those of the first parents.
        leaf_share: share of the leaves to withhold.
        clade_share: share of all taxa to withhold in clades of 2 to `clade_size` taxa.
        seed: of the choice.

    Raises:
        WithholdingError: nothing can be withheld.
    """
    rng = np.random.default_rng(seed)
    size = tree.end - np.arange(len(tree))
    deep = tree.depth >= _LEAST_DEPTH
    keep = np.ones(len(tree), bool)
    children = np.bincount(tree.parent[1:], minlength=len(tree))
    state = tree, keep, children
    leaf = size == 1
    leaf[tree.extra_parent] = False
    small = deep & (size > 1) & (size <= clade_size)
    clades = _take(*state, rng.permutation(np.flatnonzero(small)), clade_share * len(tree), "taxa of whole clades")
    leaves = _take(*state, rng.permutation(np.flatnonzero(deep & leaf)), leaf_share * int(leaf.sum()), "leaves")
    if not clades and not leaves:
        raise WithholdingError(
            "no taxon can be withheld: none lies two levels down with a sibling that stays, or the shares are 0; "
            "raise holdout.leaf_fraction or choose a larger part"
        )
    kind = np.array([CLADE] * len(clades) + [LEAF] * len(leaves))
    return WithheldTaxa(keep, np.array([*clades, *leaves], np.int32), kind)


def split_links(tree: Hierarchy, *, link_share: float, train_share: float, corruptions: int, seed: int) -> LinkSplit:
    """Split the closure without the root.

    Args:
        tree: N nodes.
        link_share: share of the pairs beyond the reduction for validation, and as much for test.
        train_share: share of them that joins the training.
        corruptions: false pairs for each end of a true one.
        seed: of the split and the corruptions.

    Raises:
        WithholdingError: too few pairs beyond the reduction.
    """
    rng = np.random.default_rng(seed)
    ancestor, descendant, difference = tree.closure()
    basic = (ancestor > 0) & _is_basic(tree, ancestor, descendant, difference)
    others = rng.permutation(np.flatnonzero((ancestor > 0) & ~basic))
    held, train = int(link_share * len(others)), int(train_share * len(others))
    if held < 1 or train > len(others) - 2 * held:
        raise WithholdingError(
            f"{len(others):,} pairs lie beyond the links: too few for shares of {link_share:g} twice and "
            f"{train_share:g}; change holdout.link_fraction or holdout.link_train_fraction, or choose a deeper part"
        )
    test, validation, rest = others[:held], others[held : 2 * held], others[2 * held : 2 * held + train]
    reduction = np.flatnonzero(basic)
    return LinkSplit(
        basic=reduction,
        train=np.sort(np.concatenate([reduction, rest])),
        validation=_with_corruptions(tree, ancestor[validation], descendant[validation], corruptions, rng),
        test=_with_corruptions(tree, ancestor[test], descendant[test], corruptions, rng),
    )


def _take(
    tree: Hierarchy,
    keep: NDArray[np.bool_],
    children: NDArray[np.int64],
    candidates: NDArray[np.int64],
    wanted: float,
    what: str,
) -> list[int]:
    """Withhold the subtrees of candidates, in turn, until `wanted` rows are; `keep` and `children` follow."""
    tops: list[int] = []
    taken = 0
    for row in candidates:
        if taken >= wanted:
            break
        part, above = slice(row, tree.end[row]), tree.parent[row]
        if keep[part].all() and children[above] > 1:
            keep[part] = False
            children[above] -= 1
            taken += int(tree.end[row] - row)
            tops.append(int(row))
    if taken < _ENOUGH * wanted:
        logger.warning(
            "Of %d %s to withhold only %d could be: the others have no sibling that stays", wanted, what, taken
        )
    return tops


def _is_basic(
    tree: Hierarchy, ancestor: NDArray[np.int32], descendant: NDArray[np.int32], difference: NDArray[np.int16]
) -> NDArray[np.bool_]:
    """(P,) whether a pair of the closure is of the reduction: a link whose parent is above no other parent."""
    direct = difference == 1
    if tree.is_tree:
        return direct
    child, parent = tree.links()
    start = np.searchsorted(child, np.arange(len(tree) + 1))
    long_way = [
        int(node) * len(tree) + int(upper)
        for node in np.unique(tree.extra_child)
        for upper in parent[start[node] : start[node + 1]]
        if tree.is_ancestor(upper, parent[start[node] : start[node + 1]]).any()
    ]
    direct &= ~np.isin(descendant.astype(np.int64) * len(tree) + ancestor, long_way)
    return direct


def _with_corruptions(
    tree: Hierarchy,
    ancestor: NDArray[np.int32],
    descendant: NDArray[np.int32],
    corruptions: int,
    rng: np.random.Generator,
) -> LinkSample:
    """The true pairs, then for each as many with another descendant and as many with another ancestor.

    An end that no other taxon could take without making a true pair gives none.
    """
    other_below = _redraw(tree, np.repeat(ancestor, corruptions), rng, is_above=True)
    other_above = _redraw(tree, np.repeat(descendant, corruptions), rng, is_above=False)
    return LinkSample(
        np.concatenate([ancestor, other_below[0], other_above[1]]),
        np.concatenate([descendant, other_below[1], other_above[0]]),
        np.arange(len(ancestor) + len(other_below[0]) + len(other_above[0])) < len(ancestor),
    )


def _redraw(
    tree: Hierarchy, fixed: NDArray[np.int32], rng: np.random.Generator, *, is_above: bool
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The fixed ends, and for each a uniform row but the root such that no pair is true or a taxon with itself."""
    drawn = np.zeros(len(fixed), np.int32)
    todo = np.arange(len(fixed))
    for _ in range(_TRIES):
        drawn[todo] = rng.integers(1, len(tree), len(todo))
        todo = todo[~_is_false(tree, fixed[todo], drawn[todo], is_above)]
        if not len(todo):
            return fixed, drawn
    everyone = np.arange(1, len(tree), dtype=np.int32)
    for end in np.unique(fixed[todo]):
        places = todo[fixed[todo] == end]
        free = everyone[_is_false(tree, end, everyone, is_above)]
        drawn[places] = rng.choice(free, len(places)) if len(free) else -1
    return fixed[drawn >= 0], drawn[drawn >= 0]


def _is_false(tree: Hierarchy, fixed: NDArray[np.int32], other: NDArray[np.int32], is_above: bool) -> NDArray[np.bool_]:
    above, below = (fixed, other) if is_above else (other, fixed)
    return (above != below) & ~tree.is_ancestor(above, below)
