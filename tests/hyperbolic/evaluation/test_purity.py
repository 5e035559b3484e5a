"""Nearest-neighbour purity against sorting, ties, chance."""

import numpy as np
import pytest

from terrarium.hyperbolic.evaluation.purity import neighbour_shares, permute_directions, purity_metrics, purity_table
from terrarium.hyperbolic.geometry.ball import Layout, distance
from tests.hyperbolic.trees import random_layout, random_tree, star, tree_of


@pytest.mark.parametrize("k", [1, 4, 99])
def test_equals_sorting(k: int) -> None:
    rng = np.random.default_rng(0)
    layout, labels = random_layout(rng, 100), rng.integers(0, 4, 100)
    d = distance(layout.radius[:, None], layout.direction[:, None], layout.radius[None], layout.direction[None])
    np.fill_diagonal(d, np.inf)
    nearest = np.argsort(d, axis=1)[:, :k]
    expected = (labels[nearest] == labels[:, None]).mean(axis=1)
    np.testing.assert_allclose(neighbour_shares(layout, labels, k), expected, rtol=1e-12)


def test_ties_count_in_proportion() -> None:
    """All points at one place: every share is what chance gives."""
    labels = np.repeat([0, 1], [10, 30])
    layout = Layout(np.full(40, 1.0), np.tile([0.0, 1.0], (40, 1)))
    np.testing.assert_allclose(neighbour_shares(layout, labels, 5), np.where(labels == 0, 9 / 39, 29 / 39))


def two_clusters() -> tuple:
    """Two groups of 20 below the root, each at its own end of an axis."""
    tree = tree_of([0] + [1] * 20 + [0] + [22] * 20)
    direction = np.tile([1.0, 0.0], (43, 1))
    direction[22:] = [-1.0, 0.0]
    layout = Layout(np.random.default_rng(0).uniform(1.0, 2.0, 43), direction)
    ranks = np.array(["species"] * 43, dtype=object)
    ranks[[1, 22]] = "class"
    ranks[0] = "phylum"
    return tree, layout, ranks


def test_clusters_are_pure_and_ranks_of_one_group_are_absent() -> None:
    tree, layout, ranks = two_clusters()
    table = purity_table(tree, layout, ranks, ["phylum", "class", "order"], num_neighbors=10, max_taxa=1000, seed=0)
    assert table["rank"].tolist() == ["class"]
    metrics = purity_metrics(table)
    assert metrics["purity_class"] == 1.0
    assert metrics["purity_macro_class"] == 1.0
    assert metrics["purity_ceiling_class"] == 1.0
    assert metrics["purity_chance_class"] == pytest.approx(20 / 41)
    assert "purity_phylum" not in metrics


def test_random_places_give_chance() -> None:
    rng = np.random.default_rng(1)
    tree = tree_of([0, 0, 0, *rng.choice([1, 2, 3], 3000, p=[0.6, 0.3, 0.1]).tolist()])
    layout = random_layout(rng, len(tree), dim=5)
    ranks = np.where(tree.depth == 1, "order", "species")
    found = purity_metrics(purity_table(tree, layout, ranks, ["order"], num_neighbors=10, max_taxa=2000, seed=3))
    assert found["purity_order"] == pytest.approx(found["purity_chance_order"], abs=0.015)
    assert found["purity_macro_order"] == pytest.approx(found["purity_macro_chance_order"], abs=0.02)
    assert found["purity_chance_order"] == pytest.approx(0.46, abs=0.03)


def test_the_sample_is_seeded_and_bounded() -> None:
    tree, layout, ranks = two_clusters()
    one, again, other = (
        purity_table(tree, layout, ranks, ["class", "species"], num_neighbors=3, max_taxa=12, seed=s) for s in (1, 1, 2)
    )
    assert one.equals(again)
    assert not one.equals(other)
    assert (one["taxa"] == 12).all()


def test_groups_of_one_bound_the_purity() -> None:
    tree = star(6)
    layout = random_layout(np.random.default_rng(0), 6)
    table = purity_table(tree, layout, ["root"] + ["species"] * 5, ["species"], num_neighbors=10, max_taxa=99, seed=0)
    metrics = purity_metrics(table)
    assert table["neighbours"].item() == 4
    assert metrics["purity_species"] == metrics["purity_ceiling_species"] == metrics["purity_chance_species"] == 0.0
    assert "purity_macro_species" not in metrics


def test_too_many_neighbours() -> None:
    with pytest.raises(ValueError, match="5 neighbours among 5 points: choose 1 to 4"):
        neighbour_shares(random_layout(np.random.default_rng(0), 5), np.zeros(5, int), 5)


def test_permuted_directions_keep_radii_and_stay_within_their_depth():
    tree = random_tree(np.random.default_rng(0), 200)
    layout = random_layout(np.random.default_rng(1), 200)
    found = permute_directions(layout, tree.depth, 3)
    assert (found.radius == layout.radius).all()
    for depth in range(tree.max_depth + 1):
        rows = tree.depth == depth
        assert sorted(map(tuple, found.direction[rows])) == sorted(map(tuple, layout.direction[rows]))
    assert not (found.direction == layout.direction).all()
