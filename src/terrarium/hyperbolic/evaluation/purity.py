"""Nearest-neighbour purity: how many of a taxon's nearest neighbours are in its own group, compared with chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import group_labels, metric_suffix
from terrarium.hyperbolic.evaluation.kernels.purity import same_group_shares
from terrarium.hyperbolic.evaluation.kernels.ranks import point_table
from terrarium.hyperbolic.geometry.ball import Layout

_METRICS = (
    "purity",
    "purity_chance",
    "purity_ceiling",
    "purity_macro",
    "purity_macro_chance",
    "purity_permuted",
)
_COLUMNS = ("rank", "taxa", "groups", "neighbours", *_METRICS)
PERMUTED_SAMPLE = 3000
"""Most taxa among which the purity of permuted directions is measured."""


def purity_table(
    tree: Hierarchy,
    layout: Layout,
    taxon_ranks: ArrayLike,
    ranks: Sequence[str],
    *,
    num_neighbors: int,
    max_taxa: int,
    seed: int,
) -> pd.DataFrame:
    """Measure nearest-neighbour purity at each rank that has at least two groups.

    Args:
        tree: N nodes.
        layout: their points.
        taxon_ranks: (N,) rank of each node.
        ranks: ranks to measure.
        num_neighbors: k, the number of nearest neighbours by hyperbolic distance.
        max_taxa: most taxa per rank, drawn from those that have a group there; neighbours are searched among them.
        seed: seed of the samples and of the permutation.

    Returns:
        One row per rank: rank, taxa (in the sample), groups, neighbours (k, or less if the sample is small), purity
        (mean over taxa of the share of neighbours in the own group), purity_chance (expected with shuffled labels),
        purity_ceiling (the most that the sizes of the groups allow), purity_macro and purity_macro_chance (means over
        the groups with two or more taxa), purity_permuted (purity with the directions permuted among the taxa of each
        depth: what radii alone give).
    """
    rows = []
    permuted = permute_directions(layout, tree.depth, seed)
    for rank in ranks:
        labels = group_labels(tree, taxon_ranks, rank)
        chosen = _sample(np.flatnonzero(labels >= 0), max_taxa, seed)
        own = labels[chosen]
        if len(np.unique(own)) < 2:
            continue
        k = min(num_neighbors, len(chosen) - 1)
        shares = neighbour_shares(_part(layout, chosen), own, k)
        few = _sample(chosen, PERMUTED_SAMPLE, seed)
        baseline = neighbour_shares(_part(permuted, few), labels[few], min(k, len(few) - 1)).mean()
        rows.append({"rank": rank, "neighbours": k, **_summarize(shares, own, k), "purity_permuted": float(baseline)})
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def purity_metrics(table: pd.DataFrame) -> dict[str, float]:
    """Return the metrics of a table as <metric>_<rank>, such as purity_order and purity_chance_order, where defined.

    Args:
        table: from `purity_table`.
    """
    values = {
        f"{column}_{metric_suffix(str(rank))}": float(value)
        for column in _METRICS
        for rank, value in zip(table["rank"], table[column], strict=True)
    }
    return {name: value for name, value in values.items() if np.isfinite(value)}


def permute_directions(layout: Layout, depth: NDArray[np.integer], seed: int) -> Layout:
    """Return the layout with its directions permuted among the rows of each depth; radii stay."""
    shuffled = np.random.default_rng(seed).permutation(len(depth))
    source = shuffled[np.argsort(depth[shuffled], kind="stable")]
    direction = np.empty_like(layout.direction)
    direction[np.argsort(depth, kind="stable")] = layout.direction[source]
    return Layout(layout.radius, direction)


def neighbour_shares(layout: Layout, labels: NDArray[np.integer], k: int) -> Float64Array:
    """Return the share of each point's k nearest others that have its label; ties at the k-th count in proportion.

    Args:
        layout: n points.
        labels: (n,) integers.
        k: at most n - 1.

    Returns:
        (n,) shares.

    Raises:
        ValueError: k is outside 1 .. n - 1, or the layout is broken.
    """
    if not 1 <= k < len(labels):
        raise ValueError(f"{k} neighbours among {len(labels)} points: choose 1 to {len(labels) - 1}")
    shares = np.zeros(len(labels))
    same_group_shares(point_table(layout, len(labels)), np.asarray(labels, np.int64), k, shares)
    return shares


def _part(layout: Layout, rows: NDArray[np.integer]) -> Layout:
    return Layout(layout.radius[rows], layout.direction[rows])


def _sample(rows: Int64Array, limit: int, seed: int) -> Int64Array:
    if len(rows) <= limit:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, limit, replace=False))


def _summarize(shares: Float64Array, labels: NDArray[np.integer], k: int) -> dict[str, float]:
    """Average over taxa and over groups; the chance that a neighbour is in a group of size s is (s - 1) / (n - 1)."""
    _, group, size = np.unique(labels, return_inverse=True, return_counts=True)
    chance = (size - 1) / (len(labels) - 1)
    has_others = size > 1
    mean = np.bincount(group, shares) / size
    return {
        "taxa": len(labels),
        "groups": len(size),
        "purity": float(shares.mean()),
        "purity_chance": float(chance[group].mean()),
        "purity_ceiling": float((np.minimum(size - 1, k) / k)[group].mean()),
        "purity_macro": float(mean[has_others].mean()) if has_others.any() else float("nan"),
        "purity_macro_chance": float(chance[has_others].mean()) if has_others.any() else float("nan"),
    }
