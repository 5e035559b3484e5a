"""Separators: the caps of ancestors with second children are moved until they hold these as well."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.geometry.ball import Layout, pairwise
from terrarium.hyperbolic.layouts import separators
from terrarium.hyperbolic.layouts.caps import cap_layout
from terrarium.hyperbolic.layouts.separators import refit_caps
from tests.hyperbolic.trees import random_dag, random_tree


def two_lineages():
    """Nodes 1 and 2 below the root, 3 and 4 below 1, 5 below 2, with ten leaves each; 3 is also below 2."""
    leaves = np.arange(6, 36)
    child = [1, 2, 3, 4, 5, *leaves, 3]
    parent = [0, 0, 1, 1, 2, *np.repeat([3, 4, 5], 10), 2]
    return Hierarchy.from_edges(child, parent, several_parents=True)


def wrong_rows(tree, layout, row):
    """How many nodes the rule d(v, a) <= r_v gets wrong for the ancestor a = row."""
    others = np.setdiff1d(np.arange(1, len(tree)), row)
    inside = pairwise(layout, others, np.array([row])) <= layout.radius[others]
    return int((inside != tree.is_ancestor(row, others)).sum())


def test_a_cap_takes_in_the_children_that_it_shares():
    tree = two_lineages()
    second = int(tree.rows(2))
    caps = cap_layout(tree, 10, 20.0)
    assert wrong_rows(tree, caps, second) == 11
    assert wrong_rows(tree, refit_caps(tree, caps), second) <= 1


def test_only_ancestors_with_enough_extra_descendants_move():
    tree = two_lineages()
    caps = cap_layout(tree, 10, 20.0)
    moved = (refit_caps(tree, caps).direction != caps.direction).any(axis=1)
    assert tree.ids[moved].tolist() == [2]
    assert (refit_caps(tree, caps, min_extra=12).direction == caps.direction).all()


def test_a_tree_stays_as_it_is():
    tree = random_tree(np.random.default_rng(0), 60)
    caps = cap_layout(tree, 6, 20.0)
    refitted = refit_caps(tree, caps)
    assert (refitted.radius == caps.radius)[caps.radius > separators._MIN_RADIUS].all()
    assert (refitted.direction == caps.direction).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_ancestors_are_found_better_and_points_stay_valid(seed):
    tree = random_dag(np.random.default_rng(seed), 150)
    caps = cap_layout(tree, 10, 34.0)
    refitted = refit_caps(tree, caps)
    sample = choose_queries(tree, 1000, 1000, 0)
    before, after = (reconstruct(tree, layout, sample).metrics() for layout in (caps, refitted))
    assert after["ancestor_mean_rank_distance"] < before["ancestor_mean_rank_distance"]
    assert np.linalg.norm(refitted.direction, axis=1) == pytest.approx(1.0)
    assert refitted.radius.max() <= caps.radius.max()


@given(st.integers(0, 10**6))
def test_the_gradient_is_the_slope_of_the_soft_margin(seed):
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(12, 4))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    layout = Layout(rng.uniform(0.5, 4.0, 12), direction)
    rows, is_below = np.arange(1, 12), rng.random(11) < 0.5
    gradient, step = np.zeros(4), 1e-6
    arguments = (layout.radius, layout.direction, rows, is_below)
    _, by_radius = separators._add_gradient(*arguments, layout.radius[0], direction[0], gradient)

    def slope(change_radius, change_direction):
        high, low = (
            separators._soft_margin(
                *arguments, layout.radius[0] + sign * change_radius, direction[0] + sign * change_direction
            )
            for sign in (1.0, -1.0)
        )
        return (high - low) / (2.0 * step)

    assert by_radius == pytest.approx(slope(step, np.zeros(4)), rel=1e-3, abs=1e-4)
    for k in range(4):
        assert gradient[k] == pytest.approx(slope(0.0, step * np.eye(4)[k]), rel=1e-3, abs=1e-4)
