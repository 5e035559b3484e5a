"""Groups of a rank."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import group_labels, metric_suffix

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
