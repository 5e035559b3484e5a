import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.holdout import CLADE, HoldoutError, hold_out_taxa, split_links

from tests.hyperbolic.trees import chain, random_dag, random_tree, star

FRACTIONS = {"leaf_fraction": 0.2, "clade_fraction": 0.1, "max_clade_size": 8}


@given(st.integers(0, 200))
@settings(max_examples=30, deadline=None)
def test_held_out_taxa_leave_a_sibling_and_the_rest_whole(seed):
    tree = random_tree(np.random.default_rng(seed), 150)
    found = hold_out_taxa(tree, **FRACTIONS, seed=seed)
    rest = tree.part(found.keep)
    assert len(rest) == found.keep.sum()
    size = tree.end - np.arange(len(tree))
    for row, kind in zip(found.rows, found.kind, strict=True):
        assert not found.keep[row : tree.end[row]].any()
        assert found.keep[tree.parent[row]]
        assert found.keep[tree.children(tree.parent[row])].any()
        assert tree.depth[row] >= 2
        assert (size[row] > 1) == (kind == CLADE)
        assert size[row] <= FRACTIONS["max_clade_size"]
    out = np.zeros(len(tree), int)
    for row in found.rows:
        out[row : tree.end[row]] += 1
    assert (out == ~found.keep).all()
    # a share is passed by one clade at most
    clades = [size[row] for row, kind in zip(found.rows, found.kind, strict=True) if kind == CLADE]
    assert sum(clades) < FRACTIONS["clade_fraction"] * len(tree) + FRACTIONS["max_clade_size"]


def test_the_seed_decides():
    tree = random_tree(np.random.default_rng(0), 150)
    same, other = (hold_out_taxa(tree, **FRACTIONS, seed=seed).keep for seed in (1, 2))
    assert (hold_out_taxa(tree, **FRACTIONS, seed=1).keep == same).all()
    assert (other != same).any()


def test_a_small_holdout_is_warned_of(caplog):
    # two levels down only nodes 3 and 4 have a sibling, and one of them has to stay
    tree = Hierarchy.from_parents(np.arange(6), np.array([-1, 0, 0, 1, 1, 2]))
    assert len(hold_out_taxa(tree, leaf_fraction=0.9, clade_fraction=0.0, max_clade_size=8, seed=0).rows) == 1
    assert "Held out only 1 of" in caplog.text


@given(st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_leaves_of_a_dag_have_no_children_at_all(seed):
    tree = random_dag(np.random.default_rng(seed), 120)
    found = hold_out_taxa(tree, leaf_fraction=0.3, clade_fraction=0.0, max_clade_size=8, seed=seed)
    assert all(len(tree.below(row)) == 0 for row in found.rows)


@pytest.mark.parametrize("tree", [chain(9), star(9)])
def test_nothing_to_withhold_is_said(tree):
    with pytest.raises(HoldoutError, match="no taxon can be held out"):
        hold_out_taxa(tree, **FRACTIONS, seed=0)


@given(st.integers(0, 200))
@settings(max_examples=15, deadline=None)
def test_links_are_split_as_networkx_reduces(seed):
    tree = random_dag(np.random.default_rng(seed), 80)
    split = split_links(tree, link_fraction=0.1, train_fraction=0.3, num_corruptions=3, seed=seed)
    ancestor, descendant, _ = tree.closure()
    graph = nx.DiGraph(zip(ancestor.tolist(), descendant.tolist(), strict=True))
    graph.remove_node(0)
    reduced = set(nx.transitive_reduction(graph).edges)
    assert {(int(ancestor[i]), int(descendant[i])) for i in split.reduction} == reduced
    assert set(split.reduction) <= set(split.train)
    beyond = graph.number_of_edges() - len(reduced)
    assert len(split.train) - len(split.reduction) == int(0.3 * beyond)
    train = {(int(ancestor[i]), int(descendant[i])) for i in split.train}
    parts = [train]
    for sample in (split.validation, split.test):
        label = sample.label
        assert label.sum() == int(0.1 * beyond)
        assert (tree.is_ancestor(sample.ancestor, sample.descendant) == label).all()
        assert (sample.ancestor != sample.descendant).all()
        assert sample.ancestor.min() > 0
        parts.append(set(zip(sample.ancestor[label].tolist(), sample.descendant[label].tolist(), strict=True)))
    assert all(not (a & b) for i, a in enumerate(parts) for b in parts[:i])


def test_corruptions_are_as_many_as_there_can_be():
    tree = random_tree(np.random.default_rng(3), 120)
    split = split_links(tree, link_fraction=0.1, train_fraction=0.0, num_corruptions=5, seed=0)
    assert (~split.test.label).sum() == 10 * split.test.label.sum()
    # root - 1 - (2 .. 9): row 1 has no sibling, so it has no false descendant
    lone = Hierarchy.from_parents(np.arange(12), np.array([-1, 0, *([1] * 2), *([2] * 4), *([3] * 4)]))
    split = split_links(lone, link_fraction=0.2, train_fraction=0.0, num_corruptions=5, seed=0)
    false = ~split.test.label
    assert not (split.test.ancestor[false] == 1).any()
    assert false.sum() == 5 * (split.test.label.sum() + (split.test.ancestor[~false] != 1).sum())
    assert (lone.is_ancestor(split.test.ancestor, split.test.descendant) == split.test.label).all()


def test_too_few_links_are_said():
    with pytest.raises(HoldoutError, match=r"too few for twice 0\.05 and 0\.5"):
        split_links(star(9), link_fraction=0.05, train_fraction=0.5, num_corruptions=5, seed=0)
