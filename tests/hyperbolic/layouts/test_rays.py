"""Rays: the radius is a function of depth, and ancestors have the smallest detours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.evaluation.distortion import distortion
from terrarium.hyperbolic.geometry.ball import pairwise
from terrarium.hyperbolic.layouts.rays import ray_layout
from tests.hyperbolic.trees import binary_tree, chain, random_tree, star, tree_of, trees


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


@settings(max_examples=30, deadline=None)
@given(tree=trees(), seed=st.integers(0, 10**6), max_radius=st.floats(1.0, 25.0))
def test_with_branch_lengths_the_radius_is_the_distance_from_the_root(tree, seed, max_radius):
    lengths = np.r_[0.0, np.random.default_rng(seed).uniform(0.01, 3.0, len(tree) - 1)]
    distance = tree.sum_over_lineage(lengths)
    layout = ray_layout(tree, 5, max_radius, lengths)
    assert layout.radius == pytest.approx(max_radius * distance / distance.max(), rel=1e-4)


def test_levels_use_different_axes():
    values = np.linalg.svd(ray_layout(binary_tree(6), 10, 3.0).direction[1:], compute_uv=False)
    assert values[5] > 0.02 * values[0]


def test_branch_lengths_bring_distances_closer_to_them():
    rng = np.random.default_rng(0)
    tree = random_tree(rng, 200)
    lengths = np.r_[0.0, rng.lognormal(sigma=1.5, size=199)]
    distance = tree.sum_over_lineage(lengths)
    with_lengths, without = (
        distortion(tree, layout, max_pairs=10**6, seed=0, root_distance=distance)["distortion_mean"]
        for layout in (ray_layout(tree, 10, 30.0, lengths), ray_layout(tree, 10, 30.0))
    )
    assert with_lengths < 0.5 * without


def test_a_huge_fan_out_is_laid_out_in_one_step():
    layout = ray_layout(star(5001), 10, 12.0)
    assert layout.radius[1:] == pytest.approx(12.0)
    assert len(np.unique(layout.direction[1:].round(9), axis=0)) == 5000


def test_a_chain_stays_on_one_line():
    layout = ray_layout(chain(50), 5, 20.0)
    assert layout.direction[1:] == pytest.approx(np.tile(layout.direction[1], (49, 1)))


def test_the_same_tree_gives_the_same_bits():
    tree = tree_of((np.arange(29) // 2).tolist())
    first, second = ray_layout(tree, 5, 20.0), ray_layout(tree, 5, 20.0)
    assert (first.direction == second.direction).all()
