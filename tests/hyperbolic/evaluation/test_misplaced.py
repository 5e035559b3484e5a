"""Taxa among the members of another group are found, and others are not."""

import numpy as np
import pytest

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.misplaced import COLUMNS, misplaced_taxa
from terrarium.hyperbolic.geometry.ball import Layout
from tests.hyperbolic.trees import tree_of

SIZE = 12


@pytest.fixture
def two_orders() -> tuple[Hierarchy, Layout, list[str]]:
    """Two orders of twelve species, each around a direction of its own."""
    tree = tree_of([0] + [1] * SIZE + [0] + [SIZE + 2] * SIZE)
    ranks = ["class", "order"] + ["species"] * SIZE + ["order"] + ["species"] * SIZE
    turn = np.where(np.arange(len(tree)) < SIZE + 2, 0.0, 2.0) + 0.01 * np.arange(len(tree))
    return tree, Layout(np.full(len(tree), 4.0), np.stack([np.cos(turn), np.sin(turn)], axis=1)), ranks


def find(tree: Hierarchy, layout: Layout, ranks: list[str], k: int = 5, **options: int):
    names = [f"taxon {i}" for i in range(len(tree))]
    settings = {"num_neighbors": k, "max_taxa": 1000, "seed": 0} | options
    return misplaced_taxa(tree, layout, ranks, names, ["order"], **settings)


def test_a_species_among_another_order_is_found(two_orders) -> None:
    tree, layout, ranks = two_orders
    layout.direction[3] = layout.direction[20]
    found = find(tree, layout, ranks)
    assert list(found) == list(COLUMNS)
    assert found["id"].tolist() == [3]
    assert found.iloc[0].to_dict() == {
        "rank": "order",
        "id": 3,
        "name": "taxon 3",
        "group": "taxon 1",
        "own_fraction": 0.0,
        "neighbour_group": f"taxon {SIZE + 2}",
        "neighbour_fraction": 1.0,
    }


def test_separated_groups_have_none(two_orders) -> None:
    assert find(*two_orders).empty


def test_a_group_too_small_for_the_neighbours_is_left_out(two_orders) -> None:
    tree, layout, ranks = two_orders
    layout.direction[3] = layout.direction[20]
    assert find(tree, layout, ranks, k=SIZE).empty


def test_inner_nodes_are_left_out(two_orders) -> None:
    tree, layout, ranks = two_orders
    layout.direction[1] = layout.direction[20]
    assert find(tree, layout, ranks).empty


def test_the_worst_come_first_and_are_limited(two_orders) -> None:
    tree, layout, ranks = two_orders
    layout.direction[[3, 4, 5]] = layout.direction[[20, 21, 22]]
    assert len(find(tree, layout, ranks, limit=2)) == 2
    everyone = find(tree, layout, ranks)
    assert everyone["own_fraction"].is_monotonic_increasing


def test_one_group_has_none() -> None:
    tree = tree_of([0, 1, 1, 1])
    layout = Layout(np.ones(5), np.tile([1.0, 0.0], (5, 1)))
    assert find(tree, layout, ["class", "order", "species", "species", "species"], k=1).empty
