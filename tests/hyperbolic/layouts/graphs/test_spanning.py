"""The spanning tree that a layout of a graph follows: no other keeps more pairs of ancestor and descendant."""

from itertools import product

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.layouts.graphs.spanning import in_rows_of, spanning_tree
from tests.hyperbolic.trees import random_dag


@given(st.integers(0, 10**6))
def test_each_node_is_as_deep_as_its_longest_path(seed):
    graph = random_dag(np.random.default_rng(seed), 40)
    child, parent = graph.links()
    links = nx.DiGraph(list(zip(parent.tolist(), child.tolist(), strict=True)))
    longest = {0: 0}
    for node in nx.topological_sort(links):
        longest[node] = max((longest[above] + 1 for above in links.predecessors(node)), default=0)
    tree = spanning_tree(graph)
    assert tree.is_tree
    assert tree.depth[tree.rows(graph.ids)].tolist() == [longest[row] for row in range(len(graph))]
    kept = tree.rows(graph.ids[1:])
    parents = graph.rows(tree.ids[tree.parent[kept]])
    assert all(above in graph.parents(row) for row, above in enumerate(parents, start=1))


def test_no_other_spanning_tree_keeps_more_pairs():
    graph = Hierarchy.from_edges([1, 2, 3, 4, 3, 4, 4], [0, 1, 0, 1, 2, 0, 3], several_parents=True)
    choices = [[(row, above) for above in graph.parents(row)] for row in range(1, len(graph))]
    pairs = [Hierarchy.from_edges(*zip(*links, strict=True)).pair_count for links in product(*choices)]
    assert spanning_tree(graph).pair_count == max(pairs) > min(pairs)


def test_of_parents_equally_far_the_first_is_kept():
    graph = Hierarchy.from_edges([1, 2, 3, 3], [0, 0, 2, 1], several_parents=True)
    tree = spanning_tree(graph)
    assert tree.ids[tree.parent[tree.rows(3)]] == 2


def test_a_layout_of_the_tree_is_read_in_the_rows_of_the_graph():
    graph = random_dag(np.random.default_rng(0), 50)
    tree = spanning_tree(graph)
    layout = Layout(tree.ids.astype(float), np.eye(3)[tree.ids % 3])
    moved = in_rows_of(graph, tree, layout)
    assert (moved.radius == graph.ids).all()
    assert (moved.direction == np.eye(3)[graph.ids % 3]).all()
