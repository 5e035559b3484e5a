"""Rays: the radius is a function of depth, and ancestors have the smallest detours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import pairwise
from terrarium.hyperbolic.layouts.rays import ray_layout


@st.composite
def trees(draw, largest=40):
    count = draw(st.integers(2, largest))
    parents = [-1] + [draw(st.integers(0, i - 1)) for i in range(1, count)]
    return Hierarchy.from_parents(np.arange(count), np.array(parents))


@given(tree=trees(), dim=st.integers(2, 12), max_radius=st.floats(1.0, 60.0))
def test_the_radius_is_a_function_of_depth_and_ends_at_the_largest(tree, dim, max_radius):
    layout = ray_layout(tree, dim, max_radius)
    for depth in range(tree.max_depth + 1):
        assert np.ptp(layout.radius[tree.depth == depth]) == 0.0
    assert (np.diff(np.unique(layout.radius)) > 0.0).all()
    assert layout.radius.max() == pytest.approx(max_radius)
    assert np.linalg.norm(layout.direction, axis=1) == pytest.approx(1.0)


@given(tree=trees())
def test_ancestors_have_smaller_detours_than_all_others(tree):
    layout = ray_layout(tree, 12, 34.0)
    rows = np.arange(len(tree))
    for row in rows[1:]:
        detour = layout.radius + pairwise(layout, np.full(len(tree), row), rows) - layout.radius[row]
        above = tree.is_ancestor(rows, np.full(len(tree), row))
        others = ~above & (rows != row)
        if others.any():
            assert detour[above].max() < detour[others].min()


def test_a_huge_fan_out_is_laid_out_in_one_step():
    tree = Hierarchy.from_parents(np.arange(20_001), np.concatenate([[-1], np.zeros(20_000, int)]))
    layout = ray_layout(tree, 10, 12.0)
    assert layout.radius[1:] == pytest.approx(12.0)
    assert len(np.unique(layout.direction[1:].round(9), axis=0)) == 20_000


def test_the_same_tree_gives_the_same_bits():
    tree = Hierarchy.from_parents(np.arange(30), np.array([-1, *np.arange(29) // 2]))
    first, second = ray_layout(tree, 5, 20.0), ray_layout(tree, 5, 20.0)
    assert (first.direction == second.direction).all()
