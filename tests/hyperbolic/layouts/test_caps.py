"""Caps: a node is nearer to its ancestors than to any other node, and one rule tells them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import norm_of_radius, pairwise
from terrarium.hyperbolic.layouts.caps import cap_layout
from tests.hyperbolic.trees import trees

UNBOUNDED = 1000.0


def _pairs(tree):
    rows = np.arange(len(tree))
    return np.repeat(rows, len(tree)), np.tile(rows, len(tree))


@settings(max_examples=50)
@given(tree=trees(30).filter(lambda tree: tree.max_depth <= 8), dim=st.sampled_from([5, 10]))
def test_a_node_is_within_its_own_radius_of_its_ancestors_alone(tree, dim):
    layout = cap_layout(tree, dim, UNBOUNDED)
    node, other = _pairs(tree)
    inside = pairwise(layout, node, other) <= layout.radius[node] + 1e-9
    related = tree.is_ancestor(other, node) | (node == other)
    assert (inside == related).all()


@settings(max_examples=30)
@given(tree=trees(30).filter(lambda tree: tree.max_depth <= 8), seed=st.integers(0, 10**6))
def test_branch_lengths_leave_the_caps_nested_and_order_the_radii(tree, seed):
    lengths = np.r_[0.0, np.random.default_rng(seed).uniform(0.01, 3.0, len(tree) - 1)]
    layout = cap_layout(tree, 10, 60.0, lengths=lengths)
    node, other = _pairs(tree)
    inside = pairwise(layout, node, other) <= layout.radius[node] + 1e-9
    assert (inside == (tree.is_ancestor(other, node) | (node == other))).all()
    assert layout.radius.max() == pytest.approx(60.0)


@given(tree=trees(30), dim=st.integers(3, 10))
def test_within_its_radius_means_in_the_cap(tree, dim):
    layout = cap_layout(tree, dim, 30.0)
    node, other = _pairs(tree)
    placed = (layout.radius[node] > 0.0) & (layout.radius[other] > 0.0)
    node, other = node[placed], other[placed]
    cosine = (layout.direction[node] * layout.direction[other]).sum(axis=1)
    bound = norm_of_radius(layout.radius[other]) / np.tanh(layout.radius[node])
    clear = np.abs(cosine - bound) > 1e-9
    near = pairwise(layout, node, other) <= layout.radius[node]
    assert (near == (cosine >= bound))[clear].all()


@given(tree=trees(40), max_radius=st.floats(2.0, 40.0))
def test_no_radius_passes_the_largest(tree, max_radius):
    layout = cap_layout(tree, 6, max_radius)
    assert layout.radius.max() <= max_radius * (1.0 + 1e-9)
    assert np.linalg.norm(layout.direction, axis=1) == pytest.approx(1.0)


def test_two_dimensions_are_refused():
    with pytest.raises(ValueError, match="at least 3 dimensions"):
        cap_layout(Hierarchy.from_parents(np.arange(2), np.array([-1, 0])), 2, 10.0)
