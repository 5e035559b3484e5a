"""The group of each taxon at a rank, such as its family."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from terrarium.common.arrays import Int32Array
from terrarium.hierarchy import Hierarchy


def group_labels(tree: Hierarchy, ranks: ArrayLike, rank: str) -> Int32Array:
    """Return the nearest ancestor of a rank for each node; a node of that rank is its own.

    Args:
        tree: N nodes.
        ranks: (N,) rank of each row of the tree: an array, a categorical or a series.
        rank: such as "order".

    Returns:
        (N,) rows, -1 where a node has no ancestor of the rank.

    Raises:
        ValueError: the number of ranks is not N.
    """
    has_rank = np.asarray(np.asarray(ranks) == rank)
    if has_rank.shape != (len(tree),):
        raise ValueError(f"{has_rank.size} ranks for {len(tree)} taxa: pass one rank per row of the hierarchy")
    labels = np.where(has_rank, np.arange(len(tree), dtype=np.int32), np.int32(-1))
    order, start = tree.levels()
    for depth in range(1, tree.max_depth + 1):
        rows = order[start[depth] : start[depth + 1]]
        labels[rows] = np.where(has_rank[rows], rows, labels[tree.parent[rows]])
    return labels


def metric_suffix(rank: str) -> str:
    """Return a rank as part of a metric's name: "species group" becomes species_group."""
    return rank.strip().lower().replace(" ", "_")
