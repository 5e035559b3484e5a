import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy, HierarchyError


@st.composite
def links(draw: st.DrawFn, largest: int = 30) -> tuple[list[int], list[int]]:
    """child and parent ids of a random acyclic graph with one root, ids not consecutive."""
    size = draw(st.integers(2, largest))
    ids = draw(st.permutations(range(10, 10 + 3 * size)))[:size]
    pairs = []
    for i in range(1, size):
        parents = draw(st.lists(st.integers(0, i - 1), min_size=1, max_size=3, unique=True))
        pairs += [(ids[i], ids[p]) for p in parents]
    return [child for child, _ in pairs], [parent for _, parent in pairs]


def build(pair):
    return Hierarchy.from_edges(*pair, several_parents=True)


def graph(hierarchy: Hierarchy) -> nx.DiGraph:
    child, parent = hierarchy.links()
    found = nx.DiGraph()
    found.add_nodes_from(range(len(hierarchy)))
    found.add_edges_from(zip(parent.tolist(), child.tolist(), strict=True))
    return found


@given(links())
def test_links_are_those_given_with_the_first_parent_first(pair):
    found = build(pair)
    child, parent = found.links()
    assert set(zip(found.ids[child], found.ids[parent], strict=True)) == set(zip(*pair, strict=True))
    first = dict(reversed(list(zip(*pair, strict=True))))
    for row in range(1, len(found)):
        assert found.ids[found.parent[row]] == first[found.ids[row]]
        assert found.parents(row)[0] == found.parent[row]
    assert len(found.parents(0)) == 0


@given(links())
def test_ancestors_descendants_and_differences_are_those_of_networkx(pair):
    found = build(pair)
    expected = graph(found)
    ancestor, descendant, difference = found.closure()
    ways = dict(nx.all_pairs_shortest_path_length(expected))
    pairs = {(a, d): k for a, ds in ways.items() for d, k in ds.items() if a != d}
    assert {
        (a, d): k for a, d, k in zip(ancestor.tolist(), descendant.tolist(), difference.tolist(), strict=True)
    } == pairs
    assert found.pair_count == len(pairs) == len(ancestor)
    assert (np.diff(descendant) >= 0).all()
    same = np.diff(descendant) == 0
    assert (np.diff(difference.astype(int))[same] >= 0).all()
    for row in range(len(found)):
        assert set(found.ancestors(row)) == nx.ancestors(expected, row)
        assert found.below(row).tolist() == sorted(nx.descendants(expected, row))
        assert set(found.children(row)) == set(expected.successors(row))
        assert set(found.parents(row)) == set(expected.predecessors(row))


@given(links())
def test_ancestor_test_agrees_with_the_closure(pair):
    found = build(pair)
    expected = np.zeros((len(found), len(found)), bool)
    ancestor, descendant, _ = found.closure()
    expected[ancestor, descendant] = True
    rows = np.arange(len(found))
    assert (found.is_ancestor(rows[:, None], rows) == expected).all()


@given(links())
def test_single_parents_give_the_same_tree_either_way(pair):
    first = build(pair)
    tree = Hierarchy.from_edges(first.ids[1:], first.ids[first.parent[1:]])
    again = Hierarchy.from_edges(tree.ids[1:], tree.ids[tree.parent[1:]], several_parents=True)
    assert tree.is_tree
    assert again.is_tree
    assert (tree.ids == first.ids).all()
    assert (tree.end == first.end).all()
    assert again.fingerprint() == tree.fingerprint()
    assert first.is_tree == (first.fingerprint() == tree.fingerprint())


@given(links())
def test_from_parents_is_from_edges(pair):
    found = build(pair)
    root = found.ids[0]
    again = Hierarchy.from_parents([root, *pair[0]], [-1, *pair[1]], several_parents=True)
    assert again.fingerprint() == found.fingerprint()


@given(links(), st.randoms())
def test_a_part_keeps_the_links_between_its_rows(pair, random):
    found = build(pair)
    keep = np.ones(len(found), bool)
    for row in range(1, len(found)):
        keep[row] = keep[found.parent[row]] and random.random() < 0.8
    part = found.part(keep)
    child, parent = found.links()
    stays = keep[child] & keep[parent]
    expected = set(zip(found.ids[child[stays]], found.ids[parent[stays]], strict=True))
    child, parent = part.links()
    assert set(zip(part.ids[child], part.ids[parent], strict=True)) == expected
    assert set(part.ids) == set(found.ids[keep])


@pytest.mark.parametrize(
    ("child", "parent", "message"),
    [
        ([2, 3, 2], [1, 2, 3], "cycle"),
        ([2, 3, 3], [1, 1, 1], "duplicate edge 3 -> 1"),
        ([2, 3, 3], [1, 1, 3], "node 3 is its own parent"),
    ],
)
def test_faulty_links_are_named(child, parent, message):
    with pytest.raises(HierarchyError, match=message):
        Hierarchy.from_edges(child, parent, several_parents=True)


@pytest.mark.parametrize(
    ("ids", "parents", "message"),
    [
        ([1, 2, 2], [-1, 1, -1], "node 2 has a second row without a parent"),
        ([1, 2, 2], [-1, 1, 9], "has the parent 9, which is missing"),
        ([1, 2, 2], [-1, 1, 1], "duplicate edge 2 -> 1"),
    ],
)
def test_faulty_further_rows_are_named(ids, parents, message):
    with pytest.raises(HierarchyError, match=message):
        Hierarchy.from_parents(ids, parents, several_parents=True)


def test_a_second_parent_is_refused_unless_it_is_wanted():
    with pytest.raises(HierarchyError, match=r"source\.several_parents"):
        Hierarchy.from_edges([2, 3, 3], [1, 1, 2])
    assert not Hierarchy.from_edges([2, 3, 3], [1, 1, 2], several_parents=True).is_tree
