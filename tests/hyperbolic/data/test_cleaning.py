import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hyperbolic.data.cleaning import CONTAINER, NO_NAME, find_noise

from tests.hyperbolic.trees import tree_of, trees

NAMES = [
    "Mammalia",
    "Mus sp. 1",
    "Mus cf. musculus",
    "uncultured bat",
    "hybrid Felis",
    "unclassified Mus",
    "Felis catus",
    "environmental samples",
    None,
]


def removed(table):
    return {rule: count for rule, count in zip(table["rule"], table["removed"], strict=True) if count}


def test_each_rule_takes_its_leaves():
    tree = tree_of([0] * 8)
    keep, table = find_noise(tree, pd.Series(NAMES, dtype="str"))
    assert np.flatnonzero(keep).tolist() == [0, 6]
    expected = {
        "sp.": 1,
        "nr., cf. or aff.": 1,
        "uncultured": 1,
        "hybrid": 1,
        "environmental": 1,
        CONTAINER: 1,
        NO_NAME: 1,
    }
    assert removed(table) == expected


def test_a_container_is_removed_once_it_is_empty_and_an_inner_node_is_kept_while_it_is_not():
    tree = tree_of([0, 1, 0, 3, 3])
    names = pd.Series(["root", "unclassified Mus", "Mus sp. A", "Rattus incertae sedis", "Rattus sp. 1", "Rattus rex"])
    keep, table = find_noise(tree, names)
    assert np.flatnonzero(keep).tolist() == [0, 3, 5]
    assert removed(table) == {"sp.": 2, CONTAINER: 1}


def test_further_expressions_are_counted_under_their_own_name():
    keep, table = find_noise(tree_of([0, 0]), pd.Series(["root", "Mus BOLD:AAA", "Mus mus"]), ["bold:"])
    assert keep.tolist() == [True, False, True]
    assert removed(table) == {"bold:": 1}


@pytest.mark.parametrize("name", ["Mus spretus", "Affinis affinis", "Hybridella", "sp", "Environmentalis"])
def test_words_inside_words_are_no_noise(name):
    keep, _ = find_noise(tree_of([0]), pd.Series(["root", name]))
    assert keep.all()


@given(trees(), st.randoms(use_true_random=False))
def test_what_is_kept_is_a_tree_with_its_root_and_no_noise_among_its_leaves(tree, random):
    names = pd.Series([random.choice(["Mus sp. 1", "unclassified x", "Mus mus"]) for _ in range(len(tree))])
    keep, table = find_noise(tree, names)
    assert keep[0]
    assert keep[tree.parent[1:]][keep[1:]].all()
    assert table["removed"].sum() == (~keep).sum()
    leaves = np.setdiff1d(np.flatnonzero(keep), tree.parent[1:][keep[1:]])
    assert all(names[leaf] == "Mus mus" for leaf in leaves if leaf)
