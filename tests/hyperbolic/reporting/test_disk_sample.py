"""Which taxa a picture shows, and their nearest drawn ancestors."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.reporting.disk_sample import sample_rows, shown_parents
from tests.hyperbolic.trees import trees


@given(trees(), st.integers(1, 50))
def test_the_sample_holds_the_root_and_as_many_as_asked(tree, count):
    labels = np.where(tree.depth > 1, tree.depth, -1).astype(np.int32)
    rows = sample_rows(tree, labels, count)
    assert len(rows) == min(count, len(tree))
    assert rows[0] == 0
    assert (np.diff(rows) > 0).all()


def test_a_small_group_is_drawn_too():
    count = 5000
    parents = np.concatenate([[-1, 0, 0, 1, 2], np.full(count, 3), np.full(2, 4)])
    tree = Hierarchy.from_parents(np.arange(len(parents)), parents)
    labels = np.where(tree.depth == 3, tree.parent, -1).astype(np.int32)
    small = np.flatnonzero(tree.is_ancestor(tree.rows(4), np.arange(len(tree))))
    assert np.isin(small, sample_rows(tree, labels, 60)).all()


def test_inner_nodes_are_drawn_although_the_root_has_thousands_of_leaves():
    """3,000 unclassified children of the root, and 20 orders of 50 species."""
    parents = np.concatenate([[-1], np.zeros(20, int), np.repeat(np.arange(1, 21), 50), np.zeros(3000, int)])
    tree = Hierarchy.from_parents(np.arange(len(parents)), parents)
    order = np.where((tree.ids >= 1) & (tree.ids <= 20), np.arange(len(tree)), tree.parent)
    labels = np.where(tree.ids <= 1020, order, -1).astype(np.int32)
    labels[0] = -1
    rows = sample_rows(tree, labels, 600)
    assert np.isin(tree.rows(np.arange(1, 21)), rows).all()
    assert (tree.ids[rows] > 1020).mean() < 0.1


@given(trees(), st.integers(1, 50))
def test_the_nearest_drawn_ancestor(tree, count):
    shown = sample_rows(tree, np.full(len(tree), -1, np.int32), count)
    drawn = set(shown.tolist())
    for row, parent in zip(shown, shown_parents(tree, shown), strict=True):
        expected = next((v for v in tree.ancestors(row).tolist() if v in drawn), -1)
        assert (shown[parent] if parent >= 0 else -1) == expected
