import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrarium.sources.taxonomies.closures import reduce_closure


@given(st.lists(st.integers(0, 5), min_size=3, max_size=12))
def test_the_closure_of_a_tree_is_reduced_to_the_tree(choices):
    parent = {node + 1: choice % (node + 1) for node, choice in enumerate(choices)}
    pairs = []
    for node, first in parent.items():
        above = first
        pairs.append((node, above))
        while above:
            above = parent[above]
            pairs.append((node, above))
    child, ancestor = np.array(pairs).T
    keep = reduce_closure(child, ancestor)
    if len(pairs) == len(parent):
        assert keep is None
    else:
        assert {pair for pair, kept in zip(pairs, keep, strict=True) if kept} == set(parent.items())


def test_links_with_several_parents_are_no_closure():
    assert reduce_closure(np.array([2, 3, 4, 4]), np.array([1, 1, 2, 3])) is None


def test_a_cycle_is_no_closure():
    assert reduce_closure(np.array([1, 2, 3, 1]), np.array([2, 3, 1, 3])) is None
