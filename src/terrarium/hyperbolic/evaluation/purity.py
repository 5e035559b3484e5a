"""Whether a taxon's nearest neighbours belong to its group, beside chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import group_labels, metric_suffix
from terrarium.hyperbolic.evaluation.reconstruction import point_table
from terrarium.hyperbolic.geometry.ball import Floats, Layout

_COLUMNS = (
    *("rank", "taxa", "groups", "neighbours", "purity", "purity_chance", "purity_ceiling"),
    *("purity_macro", "purity_macro_chance", "purity_permuted"),
)
NULL_SAMPLE = 3000
"""Taxa among which the purity of permuted directions is taken, at most."""


def purity(
    tree: Hierarchy, layout: Layout, ranks: ArrayLike, wanted: Sequence[str], *, neighbours: int, sample: int, seed: int
) -> pd.DataFrame:
    """Nearest-neighbour purity at each wanted rank that has two groups or more; other ranks have no row.

    Per rank, among at most `sample` random taxa that have a group there, exactly: the share of a taxon's nearest by
    hyperbolic distance that are of its group.

    Returns:
        Columns rank, taxa (in the sample), groups, neighbours (k, less if the sample is small), purity (mean over
        taxa), purity_chance (expected with the labels shuffled), purity_ceiling (the most that group sizes allow),
        purity_macro and purity_macro_chance (mean over groups of two or more of the group's mean), purity_permuted
        (the same purity with the directions permuted among the taxa of each depth: what radii alone would give).
    """
    rows = []
    permuted = permute_directions(layout, tree.depth, seed)
    for rank in wanted:
        labels = group_labels(tree, ranks, rank)
        chosen = _sample(np.flatnonzero(labels >= 0), sample, seed)
        found = labels[chosen]
        if len(np.unique(found)) < 2:
            continue
        k = min(neighbours, len(chosen) - 1)
        shares = neighbour_shares(_part(layout, chosen), found, k)
        few = _sample(chosen, NULL_SAMPLE, seed)
        null = neighbour_shares(_part(permuted, few), labels[few], min(k, len(few) - 1)).mean()
        rows.append({"rank": rank, "neighbours": k, **_summary(shares, found, k), "purity_permuted": float(null)})
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def purity_metrics(table: pd.DataFrame) -> dict[str, float]:
    """purity_<rank>, purity_chance_<rank>, purity_ceiling_<rank>, purity_macro_<rank>, purity_macro_chance_<rank>,
    purity_permuted_<rank>."""
    found: dict[str, float] = {}
    for column in _COLUMNS[4:]:
        for rank, value in zip(table["rank"], table[column], strict=True):
            found[f"{column}_{metric_suffix(str(rank))}"] = float(value)
    return {name: value for name, value in found.items() if np.isfinite(value)}


def permute_directions(layout: Layout, depth: NDArray[np.integer], seed: int) -> Layout:
    """The layout with its directions permuted among the rows of each depth; radii stay."""
    shuffled = np.random.default_rng(seed).permutation(len(depth))
    source = shuffled[np.argsort(depth[shuffled], kind="stable")]
    direction = np.empty_like(layout.direction)
    direction[np.argsort(depth, kind="stable")] = layout.direction[source]
    return Layout(layout.radius, direction)


def neighbour_shares(layout: Layout, labels: NDArray[np.integer], k: int) -> Floats:
    """(n,) share of the k nearest other points with the same label; ties at the k-th distance count in proportion.

    Args:
        layout: n points.
        labels: (n,) integers.
        k: at most n - 1.

    Raises:
        ValueError: a k outside 1 .. n - 1, or a layout that is broken.
    """
    from terrarium.hyperbolic.evaluation.purity_kernel import same_group_shares

    if not 1 <= k < len(labels):
        raise ValueError(f"{k} neighbours among {len(labels)} points: choose 1 to {len(labels) - 1}")
    shares = np.zeros(len(labels))
    same_group_shares(point_table(layout, len(labels)), np.asarray(labels, np.int64), k, shares)
    return shares


def _part(layout: Layout, rows: NDArray[np.integer]) -> Layout:
    return Layout(layout.radius[rows], layout.direction[rows])


def _sample(rows: NDArray[np.int64], limit: int, seed: int) -> NDArray[np.int64]:
    if len(rows) <= limit:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, limit, replace=False))


def _summary(shares: Floats, labels: NDArray[np.integer], k: int) -> dict[str, float]:
    """Averages over taxa and over groups; with shuffled labels a neighbour is of a group of s by (s - 1) / (n - 1)."""
    _, group, size = np.unique(labels, return_inverse=True, return_counts=True)
    chance = (size - 1) / (len(labels) - 1)
    several = size > 1
    mean = np.bincount(group, shares) / size
    return {
        "taxa": len(labels),
        "groups": len(size),
        "purity": float(shares.mean()),
        "purity_chance": float(chance[group].mean()),
        "purity_ceiling": float((np.minimum(size - 1, k) / k)[group].mean()),
        "purity_macro": float(mean[several].mean()) if several.any() else float("nan"),
        "purity_macro_chance": float(chance[several].mean()) if several.any() else float("nan"),
    }
