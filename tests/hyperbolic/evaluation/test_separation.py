"""Separation by hand, the choice of the pairs, the nearest group, and the tree's own ratio."""

import numpy as np
import pandas as pd
import pytest

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import group_labels
from terrarium.hyperbolic.evaluation.separation import (
    GroupSample,
    nearest_groups,
    sample_groups,
    separation_metrics,
    separation_table,
)
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


def sample_of(tree: Hierarchy, ranks: np.ndarray, **options: int) -> GroupSample:
    settings = {"min_group_size": 10, "max_group_sample": 100, "seed": 0} | options
    sample = sample_groups(group_labels(tree, ranks, "order"), **settings)
    assert sample is not None
    return sample


def run(tree: Hierarchy, layout: Layout, ranks: np.ndarray, seed: int = 0) -> pd.DataFrame:
    return separation_table(tree, layout, ranks, ["class", "order"], min_group_size=10, max_group_sample=100, seed=seed)


def on_rays(tree: Hierarchy, ranks: np.ndarray, angle: list[float], radius: float = 3.0) -> Layout:
    """Every order at one point: its own angle in the plane, one radius."""
    labels = group_labels(tree, ranks, "order")
    order = np.unique(labels[labels >= 0])
    turn = np.array([0.0, *angle])[np.searchsorted(order, labels) + (labels >= 0)]
    return Layout(np.full(len(tree), radius), np.stack([np.cos(turn), np.sin(turn)], axis=1))


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
    # between: on one geodesic through the origin, so the radii add up
    sample = sample_of(tree, ranks)
    expected = radius[sample.member[sample.intra[:, 0]]] + radius[sample.member[sample.inter]]
    assert row["inter_mean"] == pytest.approx(expected.mean())
    assert row["separation"] == pytest.approx(row["inter_mean"] / row["intra_mean"])
    assert (row["pairs"], row["groups"], row["members"]) == (90, 2, 20)


def test_with_two_groups_the_nearest_is_the_other() -> None:
    tree, ranks = orders([30, 40])
    row = run(tree, random_layout(np.random.default_rng(0), len(tree)), ranks).iloc[0]
    assert row["separation_nearest"] == pytest.approx(row["separation"], rel=0.05)


def test_the_nearest_group() -> None:
    tree, ranks = orders([10, 20, 30, 40])
    sample = sample_of(tree, ranks)
    np.testing.assert_array_equal(nearest_groups(on_rays(tree, ranks, [0.0, 0.1, 3.0, 2.8]), sample, 0), [1, 0, 3, 2])


def test_a_close_pair_lowers_only_the_strict_separation() -> None:
    """Twenty groups around the circle; then each second one moves next to the one before."""
    tree, ranks = orders([10] * 20)
    even = np.arange(20) * (2.0 * np.pi / 20)
    paired = np.repeat(even[::2], 2) + np.tile([0.0, 0.02], 10)
    jitter = random_layout(np.random.default_rng(0), len(tree)).radius * 0.1
    values = []
    for angle in (even, paired):
        layout = on_rays(tree, ranks, list(angle))
        values.append(run(tree, Layout(layout.radius + jitter, layout.direction), ranks).iloc[0])
    assert values[1]["separation"] == pytest.approx(values[0]["separation"], rel=0.05)
    assert values[1]["separation_nearest"] < 0.5 * values[0]["separation_nearest"]


def test_the_trees_own_ratio() -> None:
    """Inside: 9 pairs of 1 hop and 36 of 2. Between: 2 hops of the orders plus 1 for each species."""
    tree, ranks = orders([10, 10])
    row = run(tree, random_layout(np.random.default_rng(0), 21), ranks).iloc[0]
    inside = (9 * 1 + 36 * 2) / 45
    sample = sample_of(tree, ranks)
    between = tree.depth[sample.member[sample.intra[:, 0]]] + tree.depth[sample.member[sample.inter]]
    assert row["hop_separation"] == pytest.approx(between.mean() / inside)


def test_the_pairs_are_those_of_the_definition() -> None:
    tree, ranks = orders([9, 10, 30, 150] + [10] * 12)
    labels = group_labels(tree, ranks, "order")
    sample = sample_of(tree, ranks)
    assert len(sample.start) == 15 + 1
    assert sample.members == 310
    own = labels[sample.member[sample.intra]]
    np.testing.assert_array_equal(own[:, 0], own[:, 1])
    assert (sample.intra[:, 0] != sample.intra[:, 1]).all()
    assert (labels[sample.member[sample.inter]] != own[:, 0]).all()
    inside = pd.Series(own[:, 0]).value_counts()
    group = np.unique(labels[labels >= 0])
    assert group[0] not in inside.index
    assert inside[group[1]] == 45
    assert inside[group[2]] == 30 * 19 - 19 * 20 // 2
    assert inside[group[3]] == 100 * 19 - 19 * 20 // 2
    np.testing.assert_array_equal(group[1 + sample.group], own[:, 0])


def test_every_other_group_is_met_equally_often_whatever_its_size() -> None:
    tree, ranks = orders([100, 10, 10, 100])
    labels = group_labels(tree, ranks, "order")
    sample = sample_of(tree, ranks)
    met = pd.Series(labels[sample.member[sample.inter]][sample.group == 0]).value_counts(normalize=True)
    assert len(met) == 3
    assert (abs(met - 1 / 3) < 0.05).all()


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
    metrics = separation_metrics(run(tree, on_rays(tree, ranks, [0.0, 1.5], 1.0), ranks))
    assert set(metrics) == {"hop_separation_order", "hop_separation_nearest_order"}
