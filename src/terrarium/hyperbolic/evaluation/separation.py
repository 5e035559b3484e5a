"""Separation: how much farther apart taxa of different groups are than taxa of one group, next to the tree's own ratio.

Each pair (u, v) within a group is compared with two pairs that start at the same u: one that ends in a random other
group, each other group being equally likely, and one that ends in the group nearest to that of u. So no order of the
groups decides which ones meet, and the same taxa are in numerator and denominator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from terrarium.common.arrays import Float64Array, Int32Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import group_labels, metric_suffix
from terrarium.hyperbolic.geometry.ball import Layout, distance, pairwise
from terrarium.hyperbolic.geometry.centroids import lorentz_centroids

NEXT_MEMBERS = 19
"""Pairs within a group: each sampled member with up to this many next ones."""
_CANDIDATES = 8
"""Groups with the nearest centroids, among which the nearest group is searched."""
_NEAREST_PAIRS = 64
"""Pairs of members from which the distance of two candidate groups is estimated."""
_CHUNK = 1 << 19
_RATIOS = ("separation", "separation_nearest", "hop_separation", "hop_separation_nearest")
_COLUMNS = (
    "rank",
    "groups",
    "members",
    "pairs",
    "intra_mean",
    "intra_std",
    "inter_mean",
    "inter_std",
    "nearest_mean",
    *_RATIOS,
)


@dataclass(frozen=True, eq=False)
class GroupSample:
    """Sampled members of the groups of a rank, and pairs of them.

    Attributes:
        member: (M,) rows, group after group.
        start: (G + 1,) where each group begins in `member`.
        intra: (P, 2) positions in `member` of pairs within a group.
        inter: (P,) positions of a member of a random other group for each pair.
        members: number of taxa in the groups, before sampling.
    """

    member: Int32Array
    start: Int64Array
    intra: Int64Array
    inter: Int64Array
    members: int

    @property
    def group(self) -> Int64Array:
        """(P,) group of each pair."""
        positions: Int64Array = np.searchsorted(self.start, self.intra[:, 0], side="right") - 1
        return positions


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
        One row per rank: rank, groups, members, pairs, intra_mean, intra_std, inter_mean, inter_std, nearest_mean
        (hyperbolic distances), separation (inter_mean / intra_mean), separation_nearest (nearest_mean / intra_mean),
        and hop_separation and hop_separation_nearest (the same for hops in the tree, over the same pairs). A ratio
        over a mean of 0 is NaN.
    """
    rows = []
    for rank in ranks:
        labels = group_labels(tree, taxon_ranks, rank)
        sample = sample_groups(labels, min_group_size=min_group_size, max_group_sample=max_group_sample, seed=seed)
        if sample is not None:
            rows.append({"rank": rank, **compare_groups(tree, layout, sample, seed)})
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def separation_metrics(table: pd.DataFrame) -> dict[str, float]:
    """Return the ratios of a table as separation_<rank>, separation_nearest_<rank> and so on, where defined.

    Args:
        table: from `separation_table`.
    """
    metrics = {
        f"{name}_{metric_suffix(str(rank))}": float(value)
        for name in _RATIOS
        for rank, value in zip(table["rank"], table[name], strict=True)
    }
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def sample_groups(
    labels: NDArray[np.integer], *, min_group_size: int, max_group_sample: int, seed: int
) -> GroupSample | None:
    """Draw the pairs that separation compares; None with fewer than two groups.

    Args:
        labels: (N,) row of the taxon that names the group, -1 outside all groups.
        min_group_size: fewest members of a group.
        max_group_sample: most members drawn from a group, without replacement.
        seed: seed of the draws.
    """
    rng = np.random.default_rng(seed)
    group, size = np.unique(labels[labels >= 0], return_counts=True)
    is_large = size >= max(min_group_size, 2)
    group, size = group[is_large], size[is_large]
    if len(group) < 2:
        return None
    taken = np.minimum(size, max_group_sample)
    start = np.concatenate([[0], np.cumsum(taken)])
    intra = _next_members(taken, start[:-1])
    own = np.repeat(np.arange(len(group)), taken)[intra[:, 0]]
    other = rng.integers(0, len(group) - 1, len(intra))
    other += other >= own
    return GroupSample(
        member=_sample_members(labels, group, size, max_group_sample, rng),
        start=start,
        intra=intra,
        inter=start[other] + rng.integers(0, taken[other]),
        members=int(size.sum()),
    )


def compare_groups(tree: Hierarchy, layout: Layout, sample: GroupSample, seed: int) -> dict[str, float]:
    """Return the row of `separation_table` for a sample, without its rank.

    Args:
        tree: N nodes.
        layout: their points.
        sample: from `sample_groups`.
        seed: seed of the members of the nearest groups.
    """
    first, second, other = (
        sample.member[sample.intra[:, 0]],
        sample.member[sample.intra[:, 1]],
        sample.member[sample.inter],
    )
    closest = nearest_groups(layout, sample, seed)[sample.group]
    size = np.diff(sample.start)
    near = sample.member[sample.start[closest] + np.random.default_rng(seed).integers(0, size[closest])]
    intra, inter, nearest = (_distances(layout, first, end) for end in (second, other, near))
    hops_intra, hops_inter, hops_nearest = (float(tree.hops(first, end).mean()) for end in (second, other, near))
    return {
        "groups": len(size),
        "members": sample.members,
        "pairs": len(first),
        "intra_mean": float(intra.mean()),
        "intra_std": float(intra.std()),
        "inter_mean": float(inter.mean()),
        "inter_std": float(inter.std()),
        "nearest_mean": float(nearest.mean()),
        "separation": _ratio(inter.mean(), intra.mean()),
        "separation_nearest": _ratio(nearest.mean(), intra.mean()),
        "hop_separation": _ratio(hops_inter, hops_intra),
        "hop_separation_nearest": _ratio(hops_nearest, hops_intra),
    }


def nearest_groups(layout: Layout, sample: GroupSample, seed: int) -> Int64Array:
    """Return the nearest other group of each group: that with the smallest mean distance between members.

    The mean is estimated from 64 random pairs, for the 8 groups with the nearest centroids.

    Args:
        layout: N points.
        sample: from `sample_groups`.
        seed: seed of the pairs.

    Returns:
        (G,) numbers of groups.
    """
    rng = np.random.default_rng(seed)
    size, groups = np.diff(sample.start), len(sample.start) - 1
    members = Layout(layout.radius[sample.member], layout.direction[sample.member])
    centre = lorentz_centroids(members, np.repeat(np.arange(groups), size), groups)
    closest = np.empty(groups, np.int64)
    for group in range(groups):
        apart = distance(centre.radius[group], centre.direction[group], centre.radius, centre.direction)
        apart[group] = np.inf
        found = min(_CANDIDATES, groups - 1)
        candidates = np.argpartition(apart, found - 1)[:found]
        ends = sample.start[candidates][:, None] + rng.integers(0, size[candidates][:, None], (found, _NEAREST_PAIRS))
        starts = sample.start[group] + rng.integers(0, size[group], (found, _NEAREST_PAIRS))
        closest[group] = candidates[np.argmin(pairwise(members, starts, ends).mean(axis=1))]
    return closest


def _sample_members(labels: NDArray, group: NDArray, size: NDArray, limit: int, rng: np.random.Generator) -> Int32Array:
    """Return members in random order, group after group, at most `limit` of each."""
    position = np.full(int(labels.max()) + 1, -1, np.int64)
    position[group] = np.arange(len(group))
    shuffled = rng.permutation(np.flatnonzero(labels >= 0)).astype(np.int32)
    group_of = position[labels[shuffled]]
    shuffled, group_of = shuffled[group_of >= 0], group_of[group_of >= 0]
    by_group = shuffled[np.argsort(group_of, kind="stable")]
    within = np.arange(len(by_group)) - np.repeat(np.cumsum(size) - size, size)
    return by_group[within < limit]


def _next_members(taken: NDArray, start: NDArray) -> Int64Array:
    """Return (P, 2) positions: each member with the next 19 of its group."""
    last = np.repeat(start + taken, taken)
    first = np.arange(len(last))
    pairs = [np.stack([first, first + k], axis=1)[first + k < last] for k in range(1, NEXT_MEMBERS + 1)]
    return np.concatenate(pairs)


def _distances(layout: Layout, a: NDArray, b: NDArray) -> Float64Array:
    """Return the distances between rows, in bounded memory."""
    parts = [slice(i, i + _CHUNK) for i in range(0, len(a), _CHUNK)]
    return np.concatenate([pairwise(layout, a[part], b[part]) for part in parts])


def _ratio(a: float, b: float) -> float:
    return float(a / b) if b > 0.0 else float("nan")
