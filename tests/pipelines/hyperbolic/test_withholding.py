import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.holdout import CLADE, WithholdingError, split_links, withhold_taxa

from .trees import chain, random_dag, random_tree, star

SHARES = {"leaf_share": 0.2, "clade_share": 0.1, "clade_size": 8}


@given(st.integers(0, 200))
@settings(max_examples=30, deadline=None)
def test_withheld_taxa_leave_a_sibling_and_the_rest_whole(seed):
    tree = random_tree(np.random.default_rng(seed), 150)
    found = withhold_taxa(tree, **SHARES, seed=seed)
    rest = tree.part(found.keep)
    assert len(rest) == found.keep.sum()
    size = tree.end - np.arange(len(tree))
    for row, kind in zip(found.rows, found.kind, strict=True):
        assert not found.keep[row : tree.end[row]].any()
        assert found.keep[tree.parent[row]]
        assert found.keep[tree.children(tree.parent[row])].any()
        assert tree.depth[row] >= 2
        assert (size[row] > 1) == (kind == CLADE)
        assert size[row] <= SHARES["clade_size"]
    out = np.zeros(len(tree), int)
    for row in found.rows:
        out[row : tree.end[row]] += 1
    assert (out == ~found.keep).all()
    # a share is passed by one clade at most
    clades = [size[row] for row, kind in zip(found.rows, found.kind, strict=True) if kind == CLADE]
    assert sum(clades) < SHARES["clade_share"] * len(tree) + SHARES["clade_size"]


def test_the_seed_decides():
    tree = random_tree(np.random.default_rng(0), 150)
    same, other = (withhold_taxa(tree, **SHARES, seed=seed).keep for seed in (1, 2))
    assert (withhold_taxa(tree, **SHARES, seed=1).keep == same).all()
    assert (other != same).any()


def test_what_cannot_be_withheld_is_warned_of(caplog):
    # two levels down only nodes 3 and 4 have a sibling, and one of them has to stay
    tree = Hierarchy.from_parents(np.arange(6), np.array([-1, 0, 0, 1, 1, 2]))
    assert len(withhold_taxa(tree, leaf_share=0.9, clade_share=0.0, clade_size=8, seed=0).rows) == 1
    assert "only 1 could be" in caplog.text


@given(st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_leaves_of_a_dag_have_no_children_at_all(seed):
    tree = random_dag(np.random.default_rng(seed), 120)
    found = withhold_taxa(tree, leaf_share=0.3, clade_share=0.0, clade_size=8, seed=seed)
    assert all(len(tree.below(row)) == 0 for row in found.rows)


@pytest.mark.parametrize("tree", [chain(9), star(9)])
def test_nothing_to_withhold_is_said(tree):
    with pytest.raises(WithholdingError, match="no taxon can be withheld"):
        withhold_taxa(tree, **SHARES, seed=0)


@given(st.integers(0, 200))
@settings(max_examples=15, deadline=None)
def test_links_are_split_as_networkx_reduces(seed):
    tree = random_dag(np.random.default_rng(seed), 80)
    split = split_links(tree, link_share=0.1, train_share=0.3, corruptions=3, seed=seed)
    ancestor, descendant, _ = tree.closure()
    graph = nx.DiGraph(zip(ancestor.tolist(), descendant.tolist(), strict=True))
    graph.remove_node(0)
    reduced = set(nx.transitive_reduction(graph).edges)
    assert {(int(ancestor[i]), int(descendant[i])) for i in split.basic} == reduced
    assert set(split.basic) <= set(split.train)
    beyond = graph.number_of_edges() - len(reduced)
    assert len(split.train) - len(split.basic) == int(0.3 * beyond)
    train = {(int(ancestor[i]), int(descendant[i])) for i in split.train}
    parts = [train]
    for sample in (split.validation, split.test):
        true = sample.true
        assert true.sum() == int(0.1 * beyond)
        assert (tree.is_ancestor(sample.ancestor, sample.descendant) == true).all()
        assert (sample.ancestor != sample.descendant).all()
        assert sample.ancestor.min() > 0
        parts.append(set(zip(sample.ancestor[true].tolist(), sample.descendant[true].tolist(), strict=True)))
    assert all(not (a & b) for i, a in enumerate(parts) for b in parts[:i])


def test_corruptions_are_as_many_as_there_can_be():
    tree = random_tree(np.random.default_rng(3), 120)
    split = split_links(tree, link_share=0.1, train_share=0.0, corruptions=5, seed=0)
    assert (~split.test.true).sum() == 10 * split.test.true.sum()
    # root - 1 - (2 .. 9): nothing is beside row 1, so it has no false descendant
    lone = Hierarchy.from_parents(np.arange(12), np.array([-1, 0, *([1] * 2), *([2] * 4), *([3] * 4)]))
    split = split_links(lone, link_share=0.2, train_share=0.0, corruptions=5, seed=0)
    false = ~split.test.true
    assert not (split.test.ancestor[false] == 1).any()
    assert false.sum() == 5 * (split.test.true.sum() + (split.test.ancestor[~false] != 1).sum())
    assert (lone.is_ancestor(split.test.ancestor, split.test.descendant) == split.test.true).all()


def test_too_few_links_are_said():
    with pytest.raises(WithholdingError, match=r"too few for shares of 0\.05 twice and 0\.5"):
        split_links(star(9), link_share=0.05, train_share=0.5, corruptions=5, seed=0)
