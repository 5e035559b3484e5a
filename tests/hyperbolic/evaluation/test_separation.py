"""Separation by hand, the choice of the pairs, and the tree's own ratio."""

import numpy as np
import pandas as pd
import pytest

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import group_labels
from terrarium.hyperbolic.evaluation.separation import sample_group_pairs, separation_metrics, separation_table
from terrarium.hyperbolic.geometry.ball import Layout
from tests.hyperbolic.trees import random_layout, tree_of


def orders(sizes: list[int]) -> tuple[Hierarchy, np.ndarray]:
    """One order of each size (itself and its species) below the root."""
    parents: list[int] = []
    for size in sizes:
        parents.append(0)
        top = len(parents)
        parents += [top] * (size - 1)
    tree = tree_of(parents)
    return tree, np.where(tree.depth == 1, "order", np.where(tree.depth == 0, "class", "species"))


def pairs_of(tree: Hierarchy, ranks: np.ndarray, **options: int):
    return sample_group_pairs(
        tree, group_labels(tree, ranks, "order"), **{"min_group_size": 10, "max_group_sample": 100, "seed": 0} | options
    )


def run(tree: Hierarchy, layout: Layout, ranks: np.ndarray, seed: int = 0) -> pd.DataFrame:
    return separation_table(tree, layout, ranks, ["class", "order"], min_group_size=10, max_group_sample=100, seed=seed)


def test_by_hand() -> None:
    """Two groups on opposite rays: one at radii 2 to 11, the other at one point of radius 3."""
    tree, ranks = orders([10, 10])
    direction = np.tile([1.0, 0.0], (21, 1))
    direction[11:] = [-1.0, 0.0]
    radius = np.zeros(21)
    radius[1:11], radius[11:] = 2.0 + np.arange(10), 3.0
    table = run(tree, Layout(radius, direction), ranks)
    assert table["rank"].tolist() == ["order"]
    row = table.iloc[0]
    # inside: |i - j| over all 45 pairs of the first group, 0 over the 45 of the second
    steps = [j - i for i in range(10) for j in range(i + 1, 10)]
    assert row["intra_mean"] == pytest.approx(sum(steps) / 90)
    # between: on one geodesic through the origin, so the radii add up; the draw decides which of the first group
    pairs = pairs_of(tree, ranks)
    expected = (radius[pairs.inter[:, 0]] + 3.0).mean()
    assert row["inter_mean"] == pytest.approx(expected)
    assert 5.0 <= row["inter_mean"] <= 14.0
    assert row["separation"] == pytest.approx(row["inter_mean"] / row["intra_mean"])
    assert (row["intra_pairs"], row["inter_pairs"], row["groups"], row["members"]) == (90, 100, 2, 20)


def test_the_trees_own_ratio() -> None:
    """Inside: 9 pairs of 1 hop and 36 of 2. Between: 2 hops of the orders plus 1 for each species."""
    tree, ranks = orders([10, 10])
    row = run(tree, random_layout(np.random.default_rng(0), 21), ranks).iloc[0]
    assert row["hop_intra_mean"] == pytest.approx((9 * 1 + 36 * 2) / 45)
    inter = pairs_of(tree, ranks).inter
    assert row["hop_inter_mean"] == pytest.approx((tree.depth[inter].sum(axis=1)).mean())
    assert row["hop_separation"] == pytest.approx(row["hop_inter_mean"] / row["hop_intra_mean"])


def test_the_pairs_are_those_of_the_definition() -> None:
    tree, ranks = orders([9, 10, 30, 150] + [10] * 12)
    labels = group_labels(tree, ranks, "order")
    pairs = pairs_of(tree, ranks)
    assert pairs.groups == 15
    assert pairs.members == 310
    np.testing.assert_array_equal(labels[pairs.intra[:, 0]], labels[pairs.intra[:, 1]])
    assert (pairs.intra[:, 0] != pairs.intra[:, 1]).all()
    assert (labels[pairs.inter[:, 0]] != labels[pairs.inter[:, 1]]).all()
    inside = pd.Series(labels[pairs.intra[:, 0]]).value_counts()
    group = np.unique(labels[labels >= 0])
    assert group[0] not in inside.index
    assert inside[group[1]] == 45
    assert inside[group[2]] == 30 * 19 - 19 * 20 // 2
    assert inside[group[3]] == 100 * 19 - 19 * 20 // 2
    meetings = pd.DataFrame(labels[pairs.inter]).value_counts()
    assert (meetings == 100).all()
    assert len(meetings) == sum(min(9, 14 - i) for i in range(15))
    sampled = np.unique(pairs.intra[labels[pairs.intra[:, 0]] == group[3]])
    assert len(sampled) == 100


def test_groups_follow_their_ids_and_not_the_tree() -> None:
    """Eleven groups: only the first and the last by id do not meet."""
    tree, ranks = orders([10] * 11)
    labels = group_labels(tree, ranks, "order")
    met = np.unique(np.sort(tree.ids[labels[pairs_of(tree, ranks).inter]], axis=1), axis=0)
    top = np.sort(tree.ids[np.unique(labels[labels >= 0])])
    every = {(a, b) for i, a in enumerate(top) for b in top[i + 1 :]}
    assert every - set(map(tuple, met.tolist())) == {(top[0], top[-1])}


def test_seeded() -> None:
    tree, ranks = orders([40, 150, 20])
    layout = random_layout(np.random.default_rng(0), len(tree))
    assert run(tree, layout, ranks, 1).equals(run(tree, layout, ranks, 1))
    assert not run(tree, layout, ranks, 1).equals(run(tree, layout, ranks, 2))


def test_one_group_has_no_separation() -> None:
    tree, ranks = orders([30, 9])
    table = run(tree, random_layout(np.random.default_rng(0), len(tree)), ranks)
    assert table.empty
    assert separation_metrics(table) == {}


def test_metrics_leave_out_what_is_not_defined() -> None:
    """Every group collapsed to a point: nothing to divide by."""
    tree, ranks = orders([10, 10])
    direction = np.tile([1.0, 0.0], (21, 1))
    direction[11:] = [0.0, 1.0]
    metrics = separation_metrics(run(tree, Layout(np.full(21, 1.0), direction), ranks))
    assert set(metrics) == {"hop_separation_order"}
