import networkx as nx
import numpy as np
import pandas as pd
import pytest

from terrarium.senses.data.relations import RELATIONS
from terrarium.senses.data.taxonomy import (
    ancestor_table,
    build_taxonomy,
    sample_taxonomy_pairs,
    held_out_ancestors,
    information_content,
    is_held_out,
    lin_similarity,
)

IS_A = RELATIONS.index("hypernym")
# 0 root; 1, 2 below it; 3, 4 below 1; 5 below 1 and 2
LINKS = [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (5, 2)]
POS = pd.Series(["n"] * 6)


def pairs(links, split="train"):
    return pd.DataFrame({"relation": IS_A, "head": [c for c, _ in links], "tail": [p for _, p in links], "split": split})


@pytest.fixture
def taxonomy():
    ancestors = ancestor_table(pairs(LINKS), 6)
    return build_taxonomy(ancestors, information_content(ancestors, POS), POS)


def test_ancestors_are_those_of_the_graph():
    found = ancestor_table(pairs(LINKS), 6)
    graph = nx.DiGraph(LINKS)
    expected = {(d, a, nx.shortest_path_length(graph, d, a)) for d in graph for a in nx.descendants(graph, d)}
    assert set(found[["descendant", "ancestor", "depth_diff"]].itertuples(index=False, name=None)) == expected


def test_a_cycle_is_left_out():
    found = ancestor_table(pairs([*LINKS, (0, 3)]), 6)
    assert not (found["ancestor"] == found["descendant"]).any()
    assert len(ancestor_table(pairs([(0, 1), (1, 0)]), 2)) == 0


def test_unseen_ancestors_need_a_held_out_pair():
    whole = pairs(LINKS)
    kept = ancestor_table(whole[whole["head"] != 1], 6)
    unseen = held_out_ancestors(whole, kept, 6)
    assert set(zip(unseen["descendant"], unseen["ancestor"], strict=True)) == {(1, 0), (3, 0), (4, 0)}


def test_information_is_none_at_the_root_and_all_at_a_leaf(taxonomy):
    assert taxonomy.information_content[0] == pytest.approx(0, abs=1e-6)
    assert taxonomy.information_content[[3, 4, 5]].tolist() == [1, 1, 1]
    assert taxonomy.information_content[1] == pytest.approx(1 - np.log(4) / np.log(6), abs=1e-6)


def test_lin_by_its_definition(taxonomy):
    content = taxonomy.information_content
    a, b = np.array([3, 3, 5, 3, 3]), np.array([3, 4, 2, 2, 1])
    expected = [1, 2 * content[1] / 2, 2 * content[2] / (1 + content[2]), 0, 2 * content[1] / (1 + content[1])]
    assert np.allclose(lin_similarity(taxonomy, a, b), expected, atol=1e-6)
    assert np.allclose(lin_similarity(taxonomy, a, b), lin_similarity(taxonomy, b, a))


@pytest.mark.parametrize("held_out", [False, True])
def test_drawn_pairs_are_of_their_kind(held_out):
    links = [(i, (i - 1) // 2) for i in range(1, 400)]
    pos = pd.Series(["n"] * 400 + ["a"] * 5)
    ancestors = ancestor_table(pairs(links), 405)
    taxonomy = build_taxonomy(ancestors, information_content(ancestors, pos), pos)
    rng = np.random.default_rng(0)
    drawn = sample_taxonomy_pairs(taxonomy, 5000, common_ancestor_fraction=0.7, held_out=held_out, rng=rng)
    a, b, similarity = drawn
    assert all(is_held_out(i, j, 405) == is_held_out(j, i, 405) == held_out for i, j in zip(a, b, strict=True))
    assert (a != b).all()
    assert max(a.max(), b.max()) < 400
    assert np.allclose(similarity, lin_similarity(taxonomy, a, b))


def test_nothing_is_drawn_where_there_is_no_taxonomy():
    ancestors = ancestor_table(pairs([]), 3)
    taxonomy = build_taxonomy(ancestors, information_content(ancestors, pd.Series(["a"] * 3)), pd.Series(["a"] * 3))
    rng = np.random.default_rng(0)
    drawn = sample_taxonomy_pairs(taxonomy, 10, common_ancestor_fraction=0.5, held_out=False, rng=rng)
    assert len(drawn.first) == 0
