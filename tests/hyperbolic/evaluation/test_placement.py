"""Held-out taxa with noisy relatives: how these are drawn, and that the test can fail."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.holdout import TaxaHoldout, hold_out_taxa
from terrarium.hyperbolic.evaluation.placement import (
    SCORES,
    draw_relatives,
    evaluate_placement,
    placement_metrics,
    score_placement,
)
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.hyperbolic.options import HoldoutOptions
from terrarium.hyperbolic.placement.rules import RULES
from tests.hyperbolic.trees import chain, random_layout, random_tree, trees


def options(**changes: float) -> HoldoutOptions:
    chosen = {
        "leaf_fraction": 0.1,
        "clade_fraction": 0.05,
        "max_clade_size": 10,
        "max_placements": 100,
        "num_relatives": 5,
        "relative_noise": 0.2,
        "wrong_relatives": 0.1,
        "link_fraction": 0.1,
        "link_train_fraction": 0.5,
        "link_corruptions": 5,
        "seed": 0,
    }
    return HoldoutOptions.model_validate(chosen | changes)


def withheld(size: int = 600) -> tuple[Hierarchy, np.ndarray, TaxaHoldout]:
    tree = random_tree(np.random.default_rng(0), size)
    chosen = hold_out_taxa(tree, leaf_fraction=0.1, clade_fraction=0.05, max_clade_size=10, seed=0)
    rest = tree.part(chosen.keep)
    return rest, rest.rows(tree.ids[tree.parent[chosen.rows]]), chosen


@settings(max_examples=30, deadline=None)
@given(tree=trees(), seed=st.integers(0, 1000))
def test_without_noise_the_distances_are_hops_to_leaves(tree: Hierarchy, seed: int) -> None:
    parents = np.unique(tree.parent[1:])
    found = draw_relatives(tree, parents, options(relative_noise=0.0, wrong_relatives=0.0, seed=seed))
    assert found.rows.shape == (len(parents), 5)
    assert not np.isin(found.rows, tree.parent[1:]).any()
    hops = tree.hops(np.repeat(parents, 5), found.rows.ravel()).reshape(-1, 5) + 1
    np.testing.assert_allclose(found.distances, hops)
    np.testing.assert_allclose(found.weights, 1.0 / hops**2)


def test_wrong_relatives_come_from_anywhere() -> None:
    rest, parents, _ = withheld()
    right = draw_relatives(rest, parents, options(wrong_relatives=0.0))
    wrong = draw_relatives(rest, parents, options(wrong_relatives=0.9))
    far = [rest.hops(np.repeat(parents, 5), found.rows.ravel()).mean() for found in (right, wrong)]
    assert far[1] > 1.5 * far[0]


def test_seeded() -> None:
    rest, parents, _ = withheld()
    one, same, other = (draw_relatives(rest, parents, options(seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.rows, same.rows)
    assert (one.rows != other.rows).any()


def test_scores_by_hand() -> None:
    found = score_placement(chain(4), np.array([3, 3]), np.array([3, 1]))
    assert found["exact"].tolist() == [1.0, 0.0]
    assert found["hops"].tolist() == [0.0, 2.0]
    assert found["wu_palmer"] == pytest.approx([1.0, 2 * 2 / (4 + 2)])


def test_a_faithful_layout_finds_parents_and_a_random_one_does_not() -> None:
    rest, parents, chosen = withheld()
    relatives = draw_relatives(rest, parents, options(relative_noise=0.0, wrong_relatives=0.0))
    layouts = {
        "rays": ray_layout(rest, 10, 34.0),
        "random": random_layout(np.random.default_rng(0), len(rest), dim=10),
    }
    table, predicted = evaluate_placement(rest, layouts, parents, chosen.kind, relatives)
    exact = table.groupby(["layout", "score"])["exact"].mean()
    assert exact["rays", "distances"] > 0.9
    assert exact["random", "distances"] < 0.2
    assert set(table["layout"]) == {*layouts, *RULES}
    assert set(predicted) == set(SCORES)
    assert table[table["layout"] == "rays"]["taxa"].sum() == 2 * len(parents)
    metrics = placement_metrics(table, "rays")
    assert metrics["placement_exact_leaf_distances"] > 0.9
    assert len(metrics) == 3 * 2 * 2


def test_noise_makes_it_harder_for_everyone() -> None:
    rest, parents, chosen = withheld()
    exact = []
    for noise in (0.0, 1.0):
        relatives = draw_relatives(rest, parents, options(relative_noise=noise, wrong_relatives=noise / 2))
        table, _ = evaluate_placement(rest, {"rays": ray_layout(rest, 10, 34.0)}, parents, chosen.kind, relatives)
        exact.append(table.groupby(["layout", "score"])["exact"].mean())
    assert (exact[1] < exact[0]).all()
