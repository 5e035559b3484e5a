"""Groups of a rank."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import choose_disk_rank, choose_ranks, group_labels, metric_suffix

from tests.hyperbolic.trees import chain, star, tree_of, trees


def test_nearest_ancestor_or_self() -> None:
    tree = tree_of([0, 1, 2, 0])
    ranks = pd.Categorical(["root", "order", "family", "order", "order"])
    np.testing.assert_array_equal(group_labels(tree, ranks, "order"), [-1, 1, 1, 3, 4])
    np.testing.assert_array_equal(group_labels(tree, pd.Series(ranks), "family"), [-1, -1, 2, 2, -1])
    np.testing.assert_array_equal(group_labels(tree, np.asarray(ranks), "class"), [-1] * 5)


@settings(max_examples=50, deadline=None)
@given(tree=trees(), data=st.data())
def test_equals_a_walk_upwards(tree: Hierarchy, data: st.DataObject) -> None:
    ranks = np.array(data.draw(st.lists(st.sampled_from("abc"), min_size=len(tree), max_size=len(tree))))
    labels = group_labels(tree, ranks, "a")
    for row in range(len(tree)):
        line = [row, *tree.ancestors(row).tolist()]
        assert labels[row] == next((v for v in line if ranks[v] == "a"), -1)


def test_one_rank_per_node() -> None:
    with pytest.raises(ValueError, match="2 ranks for 5 taxa"):
        group_labels(star(5), ["a", "b"], "a")


def test_a_chain_is_one_group() -> None:
    np.testing.assert_array_equal(group_labels(chain(50), ["x"] + ["y"] * 49, "x"), np.zeros(50))


def test_names_of_metrics() -> None:
    assert metric_suffix("species group") == "species_group"


def test_a_level_is_a_rank() -> None:
    tree = tree_of([0, 1, 2, 0])
    np.testing.assert_array_equal(group_labels(tree, ["x"] * 5, "level 1"), [-1, 1, 1, 1, 4])
    np.testing.assert_array_equal(group_labels(tree, ["x"] * 5, "level 9"), [-1] * 5)


def ranked(groups: int, size: int) -> tuple[Hierarchy, list[str]]:
    """Orders of genera of species, `groups` of each below the one above."""
    parents, ranks = [], ["class"]
    for _ in range(groups):
        parents.append(0)
        ranks.append("order")
        top = len(parents)
        for _ in range(size):
            parents += [top, len(parents) + 1]
            ranks += ["genus", "species"]
    return tree_of(parents), ranks


def test_the_highest_ranks_with_enough_groups_are_chosen() -> None:
    tree, ranks = ranked(groups=3, size=10)
    assert choose_ranks(tree, ranks, min_group_size=10) == ["order"]
    assert choose_ranks(tree, ranks, min_group_size=2) == ["order", "genus"]
    assert choose_ranks(tree, ranks, min_group_size=2, count=1) == ["order"]
    assert choose_disk_rank(tree, ranks) == "order"


def test_a_rank_of_one_group_is_not_chosen() -> None:
    tree, ranks = ranked(groups=1, size=10)
    assert choose_ranks(tree, ranks, min_group_size=10) == ["genus"]
    assert choose_disk_rank(tree, ranks) == "genus"


def test_main_ranks_come_before_others() -> None:
    tree, ranks = ranked(groups=4, size=10)
    renamed = ["superfamily" if rank == "order" else rank for rank in ranks]
    assert choose_ranks(tree, renamed, min_group_size=2, count=1) == ["genus"]
    assert choose_ranks(tree, renamed, min_group_size=2) == ["superfamily", "genus"]


def test_without_ranks_levels_take_their_place() -> None:
    tree, ranks = ranked(groups=3, size=10)
    assert choose_ranks(tree, ["no rank"] * len(ranks), min_group_size=2) == ["level 1", "level 2"]
    assert choose_disk_rank(tree, ["no rank"] * len(ranks)) == "level 1"


@settings(max_examples=50, deadline=None)
@given(tree=trees(), data=st.data())
def test_every_chosen_rank_has_two_groups(tree: Hierarchy, data: st.DataObject) -> None:
    names = st.sampled_from(["no rank", "order", "family", "tribe"])
    ranks = data.draw(st.lists(names, min_size=len(tree), max_size=len(tree)))
    chosen = choose_ranks(tree, ranks, min_group_size=10)
    for rank in chosen:
        labels = group_labels(tree, ranks, rank)
        assert (np.unique(labels[labels >= 0], return_counts=True)[1] > 1).sum() > 1
    assert len(chosen) <= 4
    assert "no rank" not in chosen
