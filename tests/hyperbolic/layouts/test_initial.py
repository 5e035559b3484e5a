import numpy as np
import pytest

from terrarium.hyperbolic.geometry.ball import to_ball
from terrarium.hyperbolic.layouts.combinatorial import construct
from terrarium.hyperbolic.layouts.initial import (
    inherited_directions,
    initial_directions,
    initial_layout,
    off_origin,
    random_directions,
    uniform_layout,
)
from terrarium.hyperbolic.layouts.targets import target_radii
from tests.pipelines.hyperbolic.trees import chain, random_tree


@pytest.fixture(scope="module")
def tree():
    return random_tree(np.random.default_rng(0), 400)


@pytest.mark.parametrize("init", ["random", "inherited"])
def test_directions_are_unit_and_seeded(tree, init):
    first, same, other = (initial_directions(tree, init, 5, 0.3, 34.0, seed) for seed in (1, 1, 2))
    assert np.allclose(np.linalg.norm(first, axis=1), 1.0)
    assert (first == same).all()
    assert not np.allclose(first, other)


def test_random_directions_ignore_the_tree(tree):
    assert (initial_directions(tree, "random", 5, 0.3, 34.0, 1) == random_directions(len(tree), 5, 1)).all()


def test_constructed_directions_are_those_of_the_construction(tree):
    found = initial_directions(tree, "constructed", 5, 0.3, 20.0, 1)
    assert (found == construct(tree, 5, 20.0).direction).all()


def test_a_smaller_spread_keeps_children_nearer(tree):
    deep = np.flatnonzero(tree.depth > 3)
    cosines = []
    for spread in (0.1, 0.5):
        u = inherited_directions(tree, 5, spread, 1)
        cosines.append((u[deep] * u[tree.parent[deep]]).sum(1).mean())
    assert cosines[0] > cosines[1]


def test_without_spread_a_chain_keeps_its_direction_below_depth_3():
    u = inherited_directions(chain(20), 4, 1e-12, 1)
    assert np.allclose(u[4:], u[3])
    assert not np.allclose(u[1], u[0])


def test_the_uniform_start_lies_about_the_origin_whatever_the_depth(tree):
    target = target_radii(tree.depth, "linear", 0.1, 0.95)
    points = to_ball(initial_layout(tree, target, "uniform", 5, 0.3, 34.0, 1))
    assert 0.99e-3 < np.abs(points).max() <= 1e-3
    assert abs(np.corrcoef(np.linalg.norm(points, axis=1), tree.depth)[0, 1]) < 0.2
    assert (points == to_ball(uniform_layout(len(tree), 5, 1))).all()


@pytest.mark.parametrize("init", ["random", "inherited"])
def test_the_other_starts_lie_at_the_targets(tree, init):
    target = target_radii(tree.depth, "linear", 0.1, 0.95)
    layout = initial_layout(tree, target, init, 5, 0.3, 34.0, 1)
    assert (layout.radius == target).all()
    assert (layout.direction == initial_directions(tree, init, 5, 0.3, 34.0, 1)).all()


def test_only_points_at_the_origin_leave_it(tree):
    layout = construct(tree, 4, 20.0)
    moved = off_origin(layout)
    away = layout.radius > 0.0
    assert (moved.radius > 0.0).all()
    assert (moved.radius[away] == layout.radius[away]).all()
    assert (moved.direction[away] == layout.direction[away]).all()
    assert np.allclose(np.linalg.norm(moved.direction, axis=1), 1.0)
