"""Lorentz centroids against the definition, at any radius."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.geometry.ball import Layout, excess
from terrarium.hyperbolic.geometry.centroids import lorentz_centroids
from tests.hyperbolic.trees import random_layout


def one(layout: Layout, weights: np.ndarray | None = None) -> Layout:
    return lorentz_centroids(layout, np.zeros(len(layout), np.int64), 1, weights)


def test_the_centroid_of_a_point_is_the_point() -> None:
    layout = random_layout(np.random.default_rng(0), 50, dim=4, largest=34.0)
    centre = lorentz_centroids(layout, np.arange(50), 50)
    # at radius 34 the rounding of a unit direction weighs as much as exp(-2 r)
    np.testing.assert_allclose(centre.radius, layout.radius, atol=1e-3)
    inner = layout.radius < 15.0
    np.testing.assert_allclose(centre.radius[inner], layout.radius[inner], atol=1e-8)
    np.testing.assert_allclose(centre.direction, layout.direction, atol=1e-12)


@pytest.mark.parametrize("radius", [0.5, 10.0, 34.0])
def test_opposite_points_meet_at_the_origin(radius: float) -> None:
    centre = one(Layout(np.full(2, radius), np.array([[0.0, 1.0], [0.0, -1.0]])))
    assert centre.radius[0] == pytest.approx(0.0, abs=1e-9)


def test_two_points_at_right_angles() -> None:
    """|space| / time = tanh(r) / sqrt(2)."""
    centre = one(Layout(np.full(2, 3.0), np.eye(2)))
    assert centre.radius[0] == pytest.approx(np.arctanh(np.tanh(3.0) / np.sqrt(2.0)))
    np.testing.assert_allclose(centre.direction[0], np.sqrt([0.5, 0.5]))


def test_a_large_weight_draws_the_centroid_to_its_point() -> None:
    layout = random_layout(np.random.default_rng(1), 3)
    centre = one(layout, np.array([1.0, 1e12, 1.0]))
    assert centre.radius[0] == pytest.approx(layout.radius[1], rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_point_nearby_has_a_smaller_sum_of_cosh_distances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layout, weights = random_layout(rng, 6), rng.uniform(0.1, 2.0, 6)
    centre = one(layout, weights)
    near = random_layout(rng, 20)
    step = 0.1 * near.direction
    direction = centre.direction + step
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    moved = Layout(np.abs(centre.radius + rng.normal(0.0, 0.1, 20)), direction)

    def cost(points: Layout) -> np.ndarray:
        apart = excess(points.radius[:, None], points.direction[:, None], layout.radius, layout.direction)
        return apart @ weights

    assert (cost(moved) >= cost(centre) * (1.0 - 1e-12)).all()


def test_groups_are_independent() -> None:
    layout = random_layout(np.random.default_rng(2), 10)
    group = np.arange(10) % 3
    centres = lorentz_centroids(layout, group, 3)
    for number in range(3):
        part = Layout(layout.radius[group == number], layout.direction[group == number])
        assert centres.radius[number] == pytest.approx(one(part).radius[0])
