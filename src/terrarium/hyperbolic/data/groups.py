"""Groups of taxa: those of a rank, such as families, or of a level of the tree; and which ranks to look at."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terrarium.common.arrays import Int32Array
from terrarium.hierarchy import Hierarchy

MAIN_RANKS = ("superkingdom", "kingdom", "phylum", "class", "order", "family", "genus", "species")
"""The ranks that every taxonomist uses; they are chosen before others."""
NO_RANKS = frozenset({"no rank", "clade", ""})
"""What sources write where a taxon has no rank of its own."""
AUTO = "auto"
"""Stands for the ranks that `choose_ranks` or `choose_disk_rank` would choose."""
_LEVEL = re.compile(r"level (\d+)")
_MIN_COVERAGE = 0.5
"""Fraction of the taxa that the groups of an automatic rank must hold."""
_SMALL_GROUP = 2
_MIN_COLOURS = 3


def group_labels(tree: Hierarchy, ranks: ArrayLike, rank: str) -> Int32Array:
    """Return the nearest ancestor of a rank for each node; a node of that rank is its own.

    Args:
        tree: N nodes.
        ranks: (N,) rank of each row of the tree: an array, a categorical or a series.
        rank: such as "order"; "level 2" means the ancestors at depth 2, whatever their rank.

    Returns:
        (N,) rows, -1 where a node has no ancestor of the rank.

    Raises:
        ValueError: the number of ranks is not N.
    """
    level = level_of(rank)
    has_rank = tree.depth == level if level is not None else np.asarray(np.asarray(ranks) == rank)
    if has_rank.shape != (len(tree),):
        raise ValueError(f"{has_rank.size} ranks for {len(tree)} taxa: pass one rank per row of the hierarchy")
    labels = np.where(has_rank, np.arange(len(tree), dtype=np.int32), np.int32(-1))
    for rows in tree.rows_by_depth():
        labels[rows] = np.where(has_rank[rows], rows, labels[tree.parent[rows]])
    return labels


def level_of(rank: str) -> int | None:
    """Return the depth that a rank such as "level 2" names; None for the name of a rank."""
    match = _LEVEL.fullmatch(rank)
    return int(match[1]) if match else None


def metric_suffix(rank: str) -> str:
    """Return a rank as part of a metric's name: "species group" becomes species_group."""
    return rank.strip().lower().replace(" ", "_")


def choose_ranks(tree: Hierarchy, ranks: ArrayLike, *, min_group_size: int, count: int = 4) -> list[str]:
    """Choose the ranks to report: the highest ones with enough groups.

    A rank has enough groups if at least two have `min_group_size` taxa and these hold half of all taxa. The main ranks
    (superkingdom to species) come before the others. If no rank has enough groups, levels of the tree take their place;
    if none has, groups of two taxa are enough.

    Args:
        tree: N nodes.
        ranks: (N,) rank of each row.
        min_group_size: fewest taxa of a group that counts.
        count: most ranks to return.

    Returns:
        Names for `group_labels`, the highest first; empty if nothing has two groups.
    """
    for size in dict.fromkeys((min_group_size, _SMALL_GROUP)):
        for names in (_named_ranks(ranks), _level_names(tree)):
            found = [spread for spread in _spreads(tree, ranks, names, size) if spread.groups > 1]
            found.sort(key=lambda spread: (spread.rank not in MAIN_RANKS and level_of(spread.rank) is None, spread.depth))
            if found:
                return [spread.rank for spread in sorted(found[:count], key=lambda spread: spread.depth)]
    return []


def choose_disk_rank(tree: Hierarchy, ranks: ArrayLike) -> str:
    """Choose the rank that colours a picture: the highest one with three groups that each hold 1 % of the taxa.

    Args:
        tree: N nodes.
        ranks: (N,) rank of each row.

    Returns:
        A name for `group_labels`; "level 1" if no rank and no level has enough groups.
    """
    size = max(_SMALL_GROUP, len(tree) // 100)
    for fewest in (_MIN_COLOURS, 2):
        for names in (_named_ranks(ranks), _level_names(tree)):
            found = [spread for spread in _spreads(tree, ranks, names, size) if spread.groups >= fewest]
            if found:
                return min(found, key=lambda spread: (spread.rank not in MAIN_RANKS, spread.depth)).rank
    return "level 1"


class _Spread(NamedTuple):
    """How many groups of some size a rank has, and its mean depth."""

    rank: str
    groups: int
    depth: float


def _spreads(tree: Hierarchy, ranks: ArrayLike, names: list[str], size: int) -> list[_Spread]:
    """Return the ranks whose groups of at least `size` taxa hold half of all taxa."""
    found = []
    for name in names:
        labels = group_labels(tree, ranks, name)
        tops, counts = np.unique(labels[labels >= 0], return_counts=True)
        is_large = counts >= size
        if counts[is_large].sum() >= _MIN_COVERAGE * len(tree):
            found.append(_Spread(name, int(is_large.sum()), float(tree.depth[tops].mean())))
    return found


def _named_ranks(ranks: ArrayLike) -> list[str]:
    names: NDArray[np.str_] = np.unique(np.asarray(ranks).astype(str))
    return [str(name) for name in names if name not in NO_RANKS]


def _level_names(tree: Hierarchy) -> list[str]:
    return [f"level {depth}" for depth in range(1, tree.max_depth)]
