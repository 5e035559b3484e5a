"""Nested caps: children are at a fixed fraction of their parent's half angle, and siblings apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.layouts.nested import (
    OFFSET,
    assign_tangent_codes,
    log_half_angles,
    nested_directions,
)
from tests.hyperbolic.trees import chain, star, trees


def angle(direction, a, b):
    chord = np.linalg.norm(direction[a] - direction[b], axis=1)
    return 2.0 * np.arcsin(np.minimum(chord / 2.0, 1.0))


@settings(max_examples=40)
@given(tree=trees(40), dim=st.integers(3, 10), offset=st.floats(0.1, 1.0), seed=st.integers(0, 10**6))
def test_children_are_at_the_offset_from_their_parent(tree, dim, offset, seed):
    codes = assign_tangent_codes(tree, dim)
    half_angle = np.pi / 2.0 * np.exp(log_half_angles(tree, codes.separation, 0.45))
    direction = nested_directions(tree, codes, half_angle, dim, offset, seed)
    assert np.linalg.norm(direction, axis=1) == pytest.approx(1.0)
    deep = np.flatnonzero(tree.depth > 1)
    parent = tree.parent[deep]
    expected = offset * half_angle[parent]
    assert angle(direction, deep, parent) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@settings(max_examples=40)
@given(tree=trees(40), dim=st.integers(5, 10))
def test_siblings_are_separated_as_the_codes_promise(tree, dim):
    codes = assign_tangent_codes(tree, dim)
    half_angle = np.pi / 2.0 * np.exp(log_half_angles(tree, codes.separation, 0.45))
    direction = nested_directions(tree, codes, half_angle, dim, OFFSET, 0)
    a, b = np.triu_indices(len(tree), 1)
    siblings = (tree.parent[a] == tree.parent[b]) & (tree.depth[a] > 1)
    a, b = a[siblings], b[siblings]
    above = tree.parent[a]
    shortened = np.sin(OFFSET * half_angle[above]) / (OFFSET * half_angle[above])
    promised = codes.separation[above] * half_angle[above] * shortened
    assert (angle(direction, a, b) >= promised * (1.0 - 1e-6)).all()


@given(tree=trees(40), max_ratio=st.floats(0.1, 0.9))
def test_caps_shrink_from_parent_to_child_by_no_more_than_siblings_need(tree, max_ratio):
    separation = assign_tangent_codes(tree, 6).separation
    log_alpha = log_half_angles(tree, separation, max_ratio)
    assert log_alpha[0] == 0.0
    ratio = np.exp(log_alpha[1:] - log_alpha[tree.parent[1:]])
    assert (ratio <= max_ratio * (1.0 + 1e-9)).all()
    reach = OFFSET * np.sqrt(1.0 + ratio**2) / (1.0 - ratio**2)
    assert (ratio * (1.0 + reach) <= separation[tree.parent[1:]] * (1.0 + 1e-6)).all()


def test_crowded_nodes_have_smaller_children():
    crowded, single = (assign_tangent_codes(tree, 6).separation for tree in (star(500), chain(3)))
    assert log_half_angles(star(500), crowded, 0.9).min() < log_half_angles(chain(3), single, 0.9)[1]
