"""Cones: ancestors come first by detour at a smaller radius than any other layout needs, and radius follows depth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.geometry.ball import detour
from terrarium.hyperbolic.layouts import cones
from terrarium.hyperbolic.layouts.cones import cone_layout, cone_offset, smallest_offset, smallest_step
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


def _sibling_and_parent_distances(chord, offset, step, radius=12.0):
    """Distances of two children at `chord` of each other's code points, and of a child and its parent, far out."""
    angle = offset * 2.0 * np.exp(-radius)
    half = np.arcsin(chord / 2.0 * np.sin(angle))
    siblings = 2.0 * np.arcsinh(np.sinh(radius + step) * np.sin(half))
    above = np.sinh(step / 2.0) ** 2 + np.sinh(radius) * np.sinh(radius + step) * np.sin(angle / 2.0) ** 2
    return siblings, 2.0 * np.arcsinh(np.sqrt(above))


@given(chord=st.floats(0.5, 1.4), offset=st.floats(0.5, 1.2))
def test_the_smallest_step_puts_siblings_as_far_apart_as_from_their_parent(chord, offset):
    step = smallest_step(np.array([chord]), np.array([offset]))[0]
    siblings, above = _sibling_and_parent_distances(chord, offset, step)
    assert siblings >= above * (1.0 - 1e-6)
    if step > 0.0:
        siblings, above = _sibling_and_parent_distances(chord, offset, step - 0.01)
        assert siblings < above * (1.0 + 1e-6)


@given(chord=st.floats(1.0, 1.4), step=st.floats(0.1, 1.5))
def test_the_smallest_offset_puts_siblings_as_far_apart_as_from_their_parent(chord, step):
    offset = smallest_offset(np.array([chord]), np.array([step]))[0]
    siblings, above = _sibling_and_parent_distances(chord, offset, step)
    assert siblings == pytest.approx(above, rel=1e-3)


def test_no_offset_parts_the_points_of_a_dense_code():
    assert smallest_offset(np.array([0.5]), np.array([0.3]))[0] == np.inf


@pytest.mark.parametrize("children", [100, 240, 300])
def test_the_children_of_a_crowded_node_are_nearer_to_it_than_to_each_other(children):
    lineage = 6
    parent = np.r_[-1, np.arange(lineage - 1), np.full(children, lineage - 1)]
    tree = Hierarchy.from_parents(np.arange(len(parent)), parent)
    layout = cone_layout(tree, 10, 3.0)
    edges = reconstruct(tree, layout, choose_queries(tree, 10**6, 1, 0)).metrics()["edge_map"]
    assert edges > 0.99
    assert layout.radius.max() == pytest.approx(3.0)


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
