import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy, HierarchyError


@st.composite
def edges(draw: st.DrawFn, largest: int = 60) -> tuple[list[int], list[int]]:
    """child and parent ids of a random tree, in random order, ids not consecutive."""
    size = draw(st.integers(2, largest))
    ids = draw(st.permutations(range(10, 10 + 3 * size)))[:size]
    pairs = [(ids[i], ids[draw(st.integers(0, i - 1))]) for i in range(1, size)]
    pairs = draw(st.permutations(pairs))
    return [child for child, _ in pairs], [parent for _, parent in pairs]


def graph(child: list[int], parent: list[int]) -> nx.DiGraph:
    return nx.DiGraph(zip(parent, child, strict=True))


@given(edges())
def test_rows_are_in_preorder_with_children_by_id(pair):
    tree = Hierarchy.from_edges(*pair)
    found = nx.dfs_preorder_nodes(graph(*pair), int(tree.ids[0]), sort_neighbors=sorted)
    assert tree.ids.tolist() == list(found)


@given(edges())
def test_closure_is_that_of_networkx(pair):
    tree = Hierarchy.from_edges(*pair)
    ancestor, descendant, difference = tree.closure()
    expected = nx.transitive_closure(graph(*pair))
    assert set(zip(tree.ids[ancestor].tolist(), tree.ids[descendant].tolist(), strict=True)) == set(expected.edges)
    assert len(ancestor) == tree.pair_count == expected.number_of_edges()
    lengths = dict(nx.all_pairs_shortest_path_length(graph(*pair)))
    assert difference.tolist() == [
        lengths[a][d] for a, d in zip(tree.ids[ancestor].tolist(), tree.ids[descendant].tolist(), strict=True)
    ]


@given(edges())
def test_sum_of_depths_is_pairs_and_each_has_one_parent(pair):
    tree = Hierarchy.from_edges(*pair)
    _, descendant, difference = tree.closure()
    assert int(tree.depth.sum()) == len(descendant)
    assert int((difference == 1).sum()) == len(tree) - 1
    order = np.lexsort((difference, descendant))
    assert (order == np.arange(len(order))).all()


@given(edges())
def test_ancestor_test_agrees_with_the_closure(pair):
    tree = Hierarchy.from_edges(*pair)
    ancestor, descendant, _ = tree.closure()
    wanted = np.zeros((len(tree), len(tree)), bool)
    wanted[ancestor, descendant] = True
    rows = np.arange(len(tree))
    assert (tree.is_ancestor(rows[:, None], rows[None, :]) == wanted).all()


@given(edges())
def test_ancestors_and_children_agree_with_parents(pair):
    tree = Hierarchy.from_edges(*pair)
    for row in range(len(tree)):
        path = tree.ancestors(row)
        assert len(path) == tree.depth[row]
        assert all(tree.is_ancestor(int(a), row) for a in path)
        assert tree.children(row).tolist() == np.flatnonzero(tree.parent == row).tolist()


@settings(max_examples=30)
@given(edges(largest=25))
def test_lca_and_hops_are_those_of_networkx(pair):
    tree, undirected = Hierarchy.from_edges(*pair), graph(*pair).to_undirected()
    rows = np.arange(len(tree))
    lca, hops = tree.lca(rows[:, None], rows[None, :]), tree.hops(rows[:, None], rows[None, :])
    lengths = dict(nx.all_pairs_shortest_path_length(undirected))
    for a in rows:
        for b in rows:
            assert hops[a, b] == lengths[int(tree.ids[a])][int(tree.ids[b])]
            assert lca[a, b] == nx.lowest_common_ancestor(graph(*pair), int(tree.ids[a]), int(tree.ids[b])) or (
                tree.ids[lca[a, b]] == nx.lowest_common_ancestor(graph(*pair), int(tree.ids[a]), int(tree.ids[b]))
            )


@given(edges(), st.randoms(use_true_random=False))
def test_the_order_of_edges_does_not_matter(pair, random):
    shuffled = list(zip(*pair, strict=True))
    random.shuffle(shuffled)
    again = Hierarchy.from_edges(*zip(*shuffled, strict=True))
    tree = Hierarchy.from_edges(*pair)
    assert tree.fingerprint() == again.fingerprint()
    assert (tree.parent == again.parent).all()


@given(edges())
def test_from_parents_is_from_edges(pair):
    tree = Hierarchy.from_edges(*pair)
    parents = np.where(tree.parent < 0, -1, tree.ids[tree.parent])
    again = Hierarchy.from_parents(tree.ids[::-1], parents[::-1])
    assert again.fingerprint() == tree.fingerprint()


@given(edges())
def test_rows_finds_every_id_and_levels_partition_the_rows(pair):
    tree = Hierarchy.from_edges(*pair)
    assert tree.rows(tree.ids).tolist() == list(range(len(tree)))
    order, start = tree.levels()
    for depth in range(tree.max_depth + 1):
        assert order[start[depth] : start[depth + 1]].tolist() == np.flatnonzero(tree.depth == depth).tolist()
    parts = [order[start[0] : start[1]], *tree.rows_by_depth()]
    assert np.concatenate(parts).tolist() == order.tolist()
    assert [set(tree.depth[rows].tolist()) for rows in parts] == [{depth} for depth in range(tree.max_depth + 1)]


def test_a_long_chain():
    tree = Hierarchy.from_edges(np.arange(1, 3000), np.arange(2999))
    assert tree.max_depth == 2999
    assert tree.pair_count == 2999 * 3000 // 2
    assert tree.closure()[2].max() == 2999


def test_several_roots_can_be_joined_by_a_virtual_one():
    with pytest.raises(HierarchyError, match=r"2 roots \(2, 4\).*virtual_root"):
        Hierarchy.from_edges([1, 3], [2, 4])
    tree = Hierarchy.from_edges([1, 3], [2, 4], virtual_root=9)
    assert tree.ids.tolist() == [9, 2, 1, 4, 3]
    with pytest.raises(HierarchyError, match="is already a node"):
        Hierarchy.from_edges([1, 3], [2, 4], virtual_root=4)


@pytest.mark.parametrize(
    ("child", "parent", "message"),
    [
        ([1, 2, 3], [2, 3, 1], "cycle 1 -> 2 -> 3 -> 1"),
        ([5, 1, 2], [9, 2, 1], "cycle 1 -> 2 -> 1"),
        ([1, 2], [1, 1], "node 1 is its own parent"),
        ([1, 1], [2, 2], "duplicate edge 1 -> 2"),
        ([1, 1], [2, 3], "node 1 has two parents, 2 and 3"),
        ([], [], "empty"),
        ([1, 2], [3], "must have the same length"),
    ],
)
def test_faulty_edges_are_named(child, parent, message):
    with pytest.raises(HierarchyError, match=message):
        Hierarchy.from_edges(child, parent)


@pytest.mark.parametrize(
    ("ids", "parents", "message"),
    [
        ([1, 2], [-1, 7], "node 2 has the parent 7, which is missing"),
        ([1, 2, 2], [-1, 1, 1], "duplicate edge 2 -> 1"),
        ([1, 2, 3, 2], [-1, 1, 1, 3], "node 2 has two parents, 1 and 3"),
        ([1, 2], [2, 1], "cycle"),
        ([], [], "empty"),
        ([1, 2], [-1, -1], "2 roots"),
    ],
)
def test_faulty_nodes_are_named(ids, parents, message):
    with pytest.raises(HierarchyError, match=message):
        Hierarchy.from_parents(ids, parents)


def test_too_deep_a_chain_is_refused():
    with pytest.raises(HierarchyError, match="40,000 levels"):
        Hierarchy.from_edges(np.arange(1, 40_000), np.arange(39_999))


def test_an_unknown_id_is_named():
    with pytest.raises(HierarchyError, match="id 7 is not in the hierarchy"):
        Hierarchy.from_edges([1], [2]).rows([1, 7])
