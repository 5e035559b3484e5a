"""Which group of a rank each taxon belongs to."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terrarium.hierarchy import Hierarchy


def group_labels(tree: Hierarchy, ranks: ArrayLike, rank: str) -> NDArray[np.int32]:
    """(N,) row of the nearest ancestor-or-self of a rank, -1 where there is none.

    Args:
        tree: N nodes.
        ranks: (N,) rank of each row of the tree, any of array, categorical or series.
        rank: such as "order".

    Raises:
        ValueError: not one rank a node.
    """
    is_rank = np.asarray(np.asarray(ranks) == rank)
    if is_rank.shape != (len(tree),):
        raise ValueError(f"{is_rank.size} ranks for {len(tree)} taxa: pass one rank a row of the hierarchy")
    labels = np.where(is_rank, np.arange(len(tree), dtype=np.int32), np.int32(-1))
    order, start = tree.levels()
    for depth in range(1, tree.max_depth + 1):
        rows = order[start[depth] : start[depth + 1]]
        labels[rows] = np.where(is_rank[rows], rows, labels[tree.parent[rows]])
    return labels


def metric_suffix(rank: str) -> str:
    """The rank as part of a metric's name: "species group" becomes species_group."""
    return rank.strip().lower().replace(" ", "_")
