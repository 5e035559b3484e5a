"""Taxa that look misplaced: most of their nearest neighbours are in one other group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from terrarium.common.arrays import Int32Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import group_labels
from terrarium.hyperbolic.evaluation.purity import neighbour_shares
from terrarium.hyperbolic.geometry.ball import Layout, excess

COLUMNS = ("rank", "id", "name", "group", "own_fraction", "neighbour_group", "neighbour_fraction")
_MAJORITY = 0.5


def misplaced_taxa(
    tree: Hierarchy,
    layout: Layout,
    taxon_ranks: ArrayLike,
    names: ArrayLike,
    ranks: Sequence[str],
    *,
    num_neighbors: int,
    max_taxa: int,
    seed: int,
    limit: int = 10,
) -> pd.DataFrame:
    """List leaves of which most nearest leaves are in one other group, at each rank.

    Only leaves are looked at, since inner nodes near the root have neighbours in every group by design; and only groups
    that have more leaves than `num_neighbors`, since members of smaller ones must have other neighbours.

    Args:
        tree: N nodes.
        layout: their points.
        taxon_ranks: (N,) rank of each row.
        names: (N,) name of each row.
        ranks: ranks whose groups are compared.
        num_neighbors: number of nearest leaves.
        max_taxa: most leaves per rank, drawn at random; neighbours are searched among them.
        seed: seed of the draw.
        limit: most taxa per rank, those with the fewest neighbours of their own group first.

    Returns:
        rank, id, name, group, own_fraction (of the nearest leaves), neighbour_group (most frequent group among these)
        and neighbour_fraction.
    """
    named = np.asarray(names).astype(str)
    is_leaf = np.bincount(tree.links()[1], minlength=len(tree)) == 0
    tables = []
    for rank in ranks:
        labels = group_labels(tree, taxon_ranks, rank)
        rows = np.flatnonzero(is_leaf & (labels >= 0))
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:max_taxa])
        labels_of, size = np.unique(labels[rows], return_inverse=True, return_counts=True)[1:]
        if len(size) < 2 or len(rows) <= num_neighbors:
            continue
        part = Layout(layout.radius[rows], layout.direction[rows])
        own = neighbour_shares(part, labels[rows], num_neighbors)
        own[size[labels_of] <= num_neighbors] = 1.0
        worst = np.argsort(own, kind="stable")[: 4 * limit]
        worst = worst[own[worst] < _MAJORITY]
        other, fraction = _frequent_group(part, worst, labels[rows], num_neighbors)
        table = pd.DataFrame(
            {
                "rank": rank,
                "id": tree.ids[rows[worst]],
                "name": named[rows[worst]],
                "group": named[labels[rows[worst]]],
                "own_fraction": own[worst],
                "neighbour_group": named[other],
                "neighbour_fraction": fraction,
            }
        )
        tables.append(table[(fraction > _MAJORITY) & (other != labels[rows[worst]])].head(limit))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))


def _frequent_group(
    layout: Layout, queries: Int64Array, labels: Int32Array, k: int
) -> tuple[Int64Array, NDArray[np.float64]]:
    """Return the most frequent group among the k nearest points of each query, and its fraction of them."""
    group, fraction = np.zeros(len(queries), np.int64), np.zeros(len(queries))
    for place, query in enumerate(queries):
        apart = excess(layout.radius[query], layout.direction[query], layout.radius, layout.direction)
        apart[query] = np.inf
        found, count = np.unique(labels[np.argpartition(apart, k - 1)[:k]], return_counts=True)
        group[place], fraction[place] = found[count.argmax()], count.max() / k
    return group, fraction
