"""How far apart the groups of a rank lie against the spread inside them, beside what the tree itself dictates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import group_labels, metric_suffix
from terrarium.hyperbolic.geometry.ball import Floats, Layout, pairwise

NEXT_MEMBERS = 19
NEXT_GROUPS = 9
PAIRS_A_GROUP_PAIR = 100
_CHUNK = 1 << 19


@dataclass(frozen=True, eq=False)
class GroupPairs:
    """Pairs of taxa inside and between groups.

    Attributes:
        intra, inter: (P, 2) and (Q, 2) rows.
        groups: how many groups took part.
        members: how many taxa they have, before sampling.
    """

    intra: NDArray[np.int32]
    inter: NDArray[np.int32]
    groups: int
    members: int


def sample_group_pairs(
    tree: Hierarchy, labels: NDArray[np.integer], *, group_min: int, group_sample: int, seed: int
) -> GroupPairs | None:
    """The pairs that separation compares; None with fewer than two groups.

    Groups of at least `group_min` members, by ascending id of the group; of each at most `group_sample` members, drawn
    without replacement and shuffled. Inside: each member with the next 19 at most. Between: each group with the next 9
    at most, 100 random pairs each (all that exist, if fewer, in number).

    Args:
        tree: N nodes.
        labels: (N,) row of the group's taxon, -1 outside all groups.
        group_min, group_sample: see above.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    group, size = np.unique(labels[labels >= 0], return_counts=True)
    large = size >= group_min
    group, size = group[large], size[large]
    if len(group) < 2:
        return None
    by_id = np.argsort(tree.ids[group], kind="stable")
    group, size = group[by_id], size[by_id]
    member, taken = _sample_members(labels, group, size, group_sample, rng)
    start = np.cumsum(taken) - taken
    return GroupPairs(
        intra=member[_next_members(taken, start)],
        inter=member[_random_pairs(taken, start, rng)],
        groups=len(group),
        members=int(size.sum()),
    )


def separation(
    tree: Hierarchy,
    layout: Layout,
    ranks: ArrayLike,
    wanted: Sequence[str],
    *,
    group_min: int,
    group_sample: int,
    seed: int,
) -> pd.DataFrame:
    """Separation at each wanted rank that has two groups or more; other ranks have no row.

    Returns:
        Columns rank, groups, members, intra_pairs, inter_pairs, intra_mean, intra_std, inter_mean, inter_std,
        separation (mean inter over mean intra hyperbolic distance), hop_intra_mean, hop_inter_mean and hop_separation
        (the same of the tree's hops over the same pairs). A ratio over a mean of 0 is NaN.
    """
    rows = []
    for rank in wanted:
        labels = group_labels(tree, ranks, rank)
        pairs = sample_group_pairs(tree, labels, group_min=group_min, group_sample=group_sample, seed=seed)
        if pairs is not None:
            rows.append({"rank": rank, **compare_pairs(tree, layout, pairs)})
    return pd.DataFrame(rows, columns=["rank", *_COLUMNS])


_COLUMNS = (
    *("groups", "members", "intra_pairs", "inter_pairs", "intra_mean", "intra_std", "inter_mean", "inter_std"),
    *("separation", "hop_intra_mean", "hop_inter_mean", "hop_separation"),
)


def compare_pairs(tree: Hierarchy, layout: Layout, pairs: GroupPairs) -> dict[str, float]:
    """Distances and hops of the pairs: a row of `separation` without its rank."""
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


def separation_metrics(table: pd.DataFrame) -> dict[str, float]:
    """separation_<rank> and hop_separation_<rank>, where they are defined."""
    found: dict[str, float] = {}
    for rank, value, hops in zip(table["rank"], table["separation"], table["hop_separation"], strict=True):
        found[f"separation_{metric_suffix(str(rank))}"] = float(value)
        found[f"hop_separation_{metric_suffix(str(rank))}"] = float(hops)
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _sample_members(
    labels: NDArray, group: NDArray, size: NDArray, limit: int, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Members in random order, group after group, at most `limit` of each; and how many of each."""
    position = np.full(int(labels.max()) + 1, -1, np.int64)
    position[group] = np.arange(len(group))
    shuffled = rng.permutation(np.flatnonzero(labels >= 0)).astype(np.int32)
    place = position[labels[shuffled]]
    shuffled, place = shuffled[place >= 0], place[place >= 0]
    ordered = shuffled[np.argsort(place, kind="stable")]
    within = np.arange(len(ordered)) - np.repeat(np.cumsum(size) - size, size)
    return ordered[within < limit], np.minimum(size, limit)


def _next_members(taken: NDArray, start: NDArray) -> NDArray[np.int64]:
    """(P, 2) positions: each member with the next 19 of its group."""
    last = np.repeat(start + taken, taken)
    first = np.arange(len(last))
    pairs = [np.stack([first, first + k], axis=1)[first + k < last] for k in range(1, NEXT_MEMBERS + 1)]
    return np.concatenate(pairs)


def _random_pairs(taken: NDArray, start: NDArray, rng: np.random.Generator) -> NDArray[np.int64]:
    """(Q, 2) positions: random members of each group and of the next 9."""
    one = np.arange(len(taken))
    meeting = np.concatenate(
        [np.stack([one[:-k], one[k:]], axis=1) for k in range(1, min(NEXT_GROUPS, len(one) - 1) + 1)]
    )
    draws = np.minimum(PAIRS_A_GROUP_PAIR, taken[meeting].prod(axis=1))
    meeting = np.repeat(meeting, draws, axis=0)
    position: NDArray[np.int64] = start[meeting] + rng.integers(0, taken[meeting])
    return position


def _distances(layout: Layout, pairs: NDArray) -> Floats:
    """Distances of (P, 2) rows, in bounded memory."""
    parts = [pairs[i : i + _CHUNK] for i in range(0, len(pairs), _CHUNK)]
    return np.concatenate([pairwise(layout, part[:, 0], part[:, 1]) for part in parts])


def _mean_hops(tree: Hierarchy, pairs: NDArray) -> float:
    return float(tree.hops(pairs[:, 0], pairs[:, 1]).mean())


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0.0 else float("nan")
