import networkx as nx
import numpy as np
import pandas as pd
import pytest

from terrarium.senses.data.relations import RELATIONS
from terrarium.senses.data.taxonomy import (
    ancestor_table,
    build_taxonomy,
    draw_pairs,
    held_out_ancestors,
    information_content,
    is_held_out,
    lin_similarity,
)
from terrarium.senses.models.initial import added_information, initial_rows

IS_A = RELATIONS.index("hypernym")
# 0 root; 1, 2 below it; 3, 4 below 1; 5 below 1 and 2
LINKS = [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (5, 2)]
POS = pd.Series(["n"] * 6)
NONE = np.zeros(0, np.int64)


def pairs(links, part=0):
    return pd.DataFrame({"relation": IS_A, "head": [c for c, _ in links], "tail": [p for _, p in links], "part": part})


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
    assert taxonomy.information[0] == pytest.approx(0, abs=1e-6)
    assert taxonomy.information[[3, 4, 5]].tolist() == [1, 1, 1]
    assert taxonomy.information[1] == pytest.approx(1 - np.log(4) / np.log(6), abs=1e-6)


def test_lin_by_its_definition(taxonomy):
    content = taxonomy.information
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
    a, b, similarity = draw_pairs(taxonomy, 5000, near=0.7, held_out=held_out, rng=np.random.default_rng(0))
    assert all(is_held_out(i, j, 405) == is_held_out(j, i, 405) == held_out for i, j in zip(a, b, strict=True))
    assert (a != b).all()
    assert max(a.max(), b.max()) < 400
    assert np.allclose(similarity, lin_similarity(taxonomy, a, b))


def test_nothing_is_drawn_where_there_is_no_taxonomy():
    ancestors = ancestor_table(pairs([]), 3)
    taxonomy = build_taxonomy(ancestors, information_content(ancestors, pd.Series(["a"] * 3)), pd.Series(["a"] * 3))
    assert len(draw_pairs(taxonomy, 10, near=0.5, held_out=False, rng=np.random.default_rng(0))[0]) == 0


def test_the_inherited_start_is_lin_in_expectation(taxonomy):
    rows = initial_rows(taxonomy, NONE, NONE, 20_000, "inherited", 0.0, np.random.default_rng(0))
    content = taxonomy.information
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert rows[3] @ rows[4] == pytest.approx(content[1], abs=0.03)
    assert rows[3] @ rows[1] == pytest.approx(np.sqrt(content[1]), abs=0.03)
    random = initial_rows(taxonomy, NONE, NONE, 20_000, "random", 0.5, np.random.default_rng(0))
    assert abs(random[3] @ random[4]) < 0.05


def test_the_first_column_says_how_general_a_synset_is(taxonomy):
    rows = initial_rows(taxonomy, NONE, NONE, 2_000, "inherited", 0.5, np.random.default_rng(0))
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    leaves = taxonomy.information == 1
    assert (rows[leaves, 0] == 0).all()
    order = np.argsort(taxonomy.information[~leaves])
    assert (np.diff(rows[~leaves, 0][order]) <= 0).all()


def test_added_information_sums_to_the_whole_in_a_tree(taxonomy):
    added = added_information(taxonomy)
    assert added[3] + added[1] + added[0] == pytest.approx(taxonomy.information[3])
