"""Cones: ancestors come first by detour at a smaller radius than any other layout needs, and radius follows depth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.geometry.ball import detour
from terrarium.hyperbolic.layouts import cones
from terrarium.hyperbolic.layouts.cones import cone_layout, cone_offset
from terrarium.hyperbolic.layouts.rays import ray_layout
from tests.hyperbolic.trees import chain, random_tree, star, trees


def ancestor_map(tree, layout):
    return reconstruct(tree, layout, choose_queries(tree, 10**6, 1, 0)).metrics()["ancestor_map_detour"]


@given(tree=trees(40), dim=st.integers(3, 10), max_radius=st.floats(2.0, 34.0))
def test_the_largest_radius_is_the_given_one_and_radii_grow_with_depth(tree, dim, max_radius):
    layout = cone_layout(tree, dim, max_radius)
    assert layout.radius.max() == pytest.approx(max_radius if len(tree) > 1 else 0.0)
    assert (layout.radius[1:] > layout.radius[tree.parent[1:]]).all()
    assert np.linalg.norm(layout.direction, axis=1) == pytest.approx(1.0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_ancestor_comes_first_by_detour_where_there_is_room(seed):
    tree = random_tree(np.random.default_rng(seed), 200)
    assert ancestor_map(tree, cone_layout(tree, 10, 3.0 * tree.max_depth)) == pytest.approx(1.0, abs=1e-3)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_tight_radius_keeps_more_ancestors_than_rays_do(seed):
    tree = random_tree(np.random.default_rng(seed), 800)
    radius = 0.3 * tree.max_depth
    assert ancestor_map(tree, cone_layout(tree, 10, radius)) > ancestor_map(tree, ray_layout(tree, 10, radius)) + 0.02


@given(r=st.floats(3.0, 8.0), extra=st.floats(4.0, 8.0), angle=st.floats(0.2, 2.0))
def test_the_detour_follows_the_angle_over_the_half_angle_of_the_cone(r, extra, angle):
    theta = angle * 2.0 * np.exp(-r)
    directions = np.array([[1.0, 0.0], [np.cos(theta), np.sin(theta)]])
    found = detour(np.array([r + extra]), directions[:1], np.array([r]), directions[1:])
    assert np.exp(found[0]) == pytest.approx(1.0 + angle**2, rel=0.02)


def test_equally_crowded_levels_make_the_radius_a_function_of_depth():
    layout = cone_layout(chain(20), 6, 12.0)
    steps = np.diff(layout.radius)
    assert steps[8:] == pytest.approx(steps[-1], rel=1e-4)


def test_the_offset_shrinks_with_the_steps_and_has_a_limit():
    tree = chain(50)
    angles = [np.pi / 2.0 * np.exp(-step * tree.depth) for step in (0.05, 0.3, 3.0)]
    short, middle, long = (cone_offset(tree, angle) for angle in angles)
    assert short < middle < long == cones.MAX_OFFSET
    assert cone_offset(star(0), np.array([np.pi / 2.0])) == cones.MAX_OFFSET


@settings(max_examples=20)
@given(tree=trees(30), seed=st.integers(0, 10**6))
def test_branch_lengths_make_radii_proportional_to_the_distance_from_the_root(tree, seed):
    lengths = np.r_[0.0, np.random.default_rng(seed).uniform(0.5, 3.0, len(tree) - 1)]
    layout = cone_layout(tree, 6, 20.0, lengths=lengths)
    distance = tree.sum_over_lineage(lengths)
    assert layout.radius == pytest.approx(20.0 * distance / max(distance.max(), 1e-300), rel=1e-3)
