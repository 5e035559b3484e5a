"""Separation: mean distance between the groups of a rank over the mean distance within them, next to the tree's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from terrarium.common.arrays import Float64Array, Int32Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import group_labels, metric_suffix
from terrarium.hyperbolic.geometry.ball import Layout, pairwise

NEXT_MEMBERS = 19
NEXT_GROUPS = 9
PAIRS_PER_GROUP_PAIR = 100
_CHUNK = 1 << 19
_COLUMNS = (
    "rank",
    "groups",
    "members",
    "intra_pairs",
    "inter_pairs",
    "intra_mean",
    "intra_std",
    "inter_mean",
    "inter_std",
    "separation",
    "hop_intra_mean",
    "hop_inter_mean",
    "hop_separation",
)


@dataclass(frozen=True, eq=False)
class GroupPairs:
    """Pairs of taxa within and between groups.

    Attributes:
        intra: (P, 2) rows of pairs within a group.
        inter: (Q, 2) rows of pairs of different groups.
        groups: number of groups.
        members: number of taxa in them, before sampling.
    """

    intra: Int32Array
    inter: Int32Array
    groups: int
    members: int


def separation_table(
    tree: Hierarchy,
    layout: Layout,
    taxon_ranks: ArrayLike,
    ranks: Sequence[str],
    *,
    min_group_size: int,
    max_group_sample: int,
    seed: int,
) -> pd.DataFrame:
    """Measure separation at each rank that has at least two groups.

    Args:
        tree: N nodes.
        layout: their points.
        taxon_ranks: (N,) rank of each node.
        ranks: ranks to measure.
        min_group_size: fewest taxa of a group that counts.
        max_group_sample: most taxa drawn from a group.
        seed: seed of the draws.

    Returns:
        One row per rank: rank, groups, members, intra_pairs, inter_pairs, intra_mean, intra_std, inter_mean,
        inter_std, separation (mean inter over mean intra hyperbolic distance), hop_intra_mean, hop_inter_mean and
        hop_separation (the same for hops in the tree, over the same pairs). A ratio over a mean of 0 is NaN.
    """
    rows = []
    for rank in ranks:
        labels = group_labels(tree, taxon_ranks, rank)
        pairs = sample_group_pairs(
            tree, labels, min_group_size=min_group_size, max_group_sample=max_group_sample, seed=seed
        )
        if pairs is not None:
            rows.append({"rank": rank, **compare_pairs(tree, layout, pairs)})
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def separation_metrics(table: pd.DataFrame) -> dict[str, float]:
    """Return the ratios of a table as separation_<rank> and hop_separation_<rank>, where defined.

    Args:
        table: from `separation_table`.
    """
    metrics: dict[str, float] = {}
    for rank, value, hops in zip(table["rank"], table["separation"], table["hop_separation"], strict=True):
        metrics[f"separation_{metric_suffix(str(rank))}"] = float(value)
        metrics[f"hop_separation_{metric_suffix(str(rank))}"] = float(hops)
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def sample_group_pairs(
    tree: Hierarchy, labels: NDArray[np.integer], *, min_group_size: int, max_group_sample: int, seed: int
) -> GroupPairs | None:
    """Draw the pairs that separation compares; None with fewer than two groups.

    Groups of at least `min_group_size` members are taken in ascending order of their ids. Of each, at most
    `max_group_sample` members are drawn without replacement and shuffled. Pairs within a group: each member with up to
    19 next members. Pairs between groups: each group with up to 9 next groups, 100 random pairs each, or as many as
    there are.

    Args:
        tree: N nodes.
        labels: (N,) row of the taxon that names the group, -1 outside all groups.
        min_group_size: fewest members of a group.
        max_group_sample: most members drawn from a group.
        seed: seed of the draws.
    """
    rng = np.random.default_rng(seed)
    group, size = np.unique(labels[labels >= 0], return_counts=True)
    is_large = size >= min_group_size
    group, size = group[is_large], size[is_large]
    if len(group) < 2:
        return None
    by_id = np.argsort(tree.ids[group], kind="stable")
    group, size = group[by_id], size[by_id]
    member, taken = _sample_members(labels, group, size, max_group_sample, rng)
    start = np.cumsum(taken) - taken
    return GroupPairs(
        intra=member[_next_members(taken, start)],
        inter=member[_random_pairs(taken, start, rng)],
        groups=len(group),
        members=int(size.sum()),
    )


def compare_pairs(tree: Hierarchy, layout: Layout, pairs: GroupPairs) -> dict[str, float]:
    """Return the row of `separation_table` for pairs, without its rank.

    Args:
        tree: N nodes.
        layout: their points.
        pairs: from `sample_group_pairs`.
    """
    intra, inter = _distances(layout, pairs.intra), _distances(layout, pairs.inter)
    hop_intra, hop_inter = _mean_hops(tree, pairs.intra), _mean_hops(tree, pairs.inter)
    return {
        "groups": pairs.groups,
        "members": pairs.members,
        "intra_pairs": len(intra),
        "inter_pairs": len(inter),
        "intra_mean": float(intra.mean()),
        "intra_std": float(intra.std()),
        "inter_mean": float(inter.mean()),
        "inter_std": float(inter.std()),
        "separation": _ratio(float(inter.mean()), float(intra.mean())),
        "hop_intra_mean": hop_intra,
        "hop_inter_mean": hop_inter,
        "hop_separation": _ratio(hop_inter, hop_intra),
    }


def _sample_members(
    labels: NDArray, group: NDArray, size: NDArray, limit: int, rng: np.random.Generator
) -> tuple[Int32Array, Int64Array]:
    """Return members in random order, group after group, at most `limit` of each; and the number of each group."""
    position = np.full(int(labels.max()) + 1, -1, np.int64)
    position[group] = np.arange(len(group))
    shuffled = rng.permutation(np.flatnonzero(labels >= 0)).astype(np.int32)
    group_of = position[labels[shuffled]]
    shuffled, group_of = shuffled[group_of >= 0], group_of[group_of >= 0]
    by_group = shuffled[np.argsort(group_of, kind="stable")]
    within = np.arange(len(by_group)) - np.repeat(np.cumsum(size) - size, size)
    return by_group[within < limit], np.minimum(size, limit)


def _next_members(taken: NDArray, start: NDArray) -> Int64Array:
    """Return (P, 2) positions: each member with the next 19 of its group."""
    last = np.repeat(start + taken, taken)
    first = np.arange(len(last))
    pairs = [np.stack([first, first + k], axis=1)[first + k < last] for k in range(1, NEXT_MEMBERS + 1)]
    return np.concatenate(pairs)


def _random_pairs(taken: NDArray, start: NDArray, rng: np.random.Generator) -> Int64Array:
    """Return (Q, 2) positions: random members of each group and of the next 9."""
    group = np.arange(len(taken))
    group_pairs = np.concatenate(
        [np.stack([group[:-k], group[k:]], axis=1) for k in range(1, min(NEXT_GROUPS, len(group) - 1) + 1)]
    )
    draws = np.minimum(PAIRS_PER_GROUP_PAIR, taken[group_pairs].prod(axis=1))
    group_pairs = np.repeat(group_pairs, draws, axis=0)
    position: Int64Array = start[group_pairs] + rng.integers(0, taken[group_pairs])
    return position


def _distances(layout: Layout, pairs: NDArray) -> Float64Array:
    """Return the distances of (P, 2) rows, in bounded memory."""
    parts = [pairs[i : i + _CHUNK] for i in range(0, len(pairs), _CHUNK)]
    return np.concatenate([pairwise(layout, part[:, 0], part[:, 1]) for part in parts])


def _mean_hops(tree: Hierarchy, pairs: NDArray) -> float:
    return float(tree.hops(pairs[:, 0], pairs[:, 1]).mean())


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0.0 else float("nan")
