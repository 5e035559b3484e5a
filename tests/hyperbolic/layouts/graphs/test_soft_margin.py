"""The soft margin of a cap or cone: the kernel's slope is that of the formula, and its minimum separates the nodes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.common.vectors import normalize_rows
from terrarium.hyperbolic.geometry.ball import distance
from terrarium.hyperbolic.layouts.graphs import soft_margin as module
from terrarium.hyperbolic.layouts.graphs.separators import CAP
from terrarium.hyperbolic.layouts.graphs.soft_margin import (
    Score,
    Sides,
    add_gradient,
    minimize_soft_margin,
    soft_margin,
)

CONE = Score(own_radius=1.0, threshold=2.0)


def random_sides(seed, dim=4, count=12):
    rng = np.random.default_rng(seed)
    sign = np.where(rng.random(count) < 0.5, 1.0, -1.0)
    direction = normalize_rows(rng.normal(size=(count, dim)))
    return Sides(rng.uniform(0.5, 4.0, count), direction, sign, rng.uniform(0.5, 3.0, count))


@pytest.mark.parametrize("score", [CAP, CONE])
@given(seed=st.integers(0, 10**6))
def test_the_gradient_is_the_slope_of_the_soft_margin(score, seed):
    sides, own = random_sides(seed), random_sides(seed + 1)
    radius, direction, gradient, step = own.radius[0], own.direction[0], np.zeros(4), 1e-6
    grown = np.exp(sides.radius)
    by_radius = add_gradient(grown, 1.0 / grown, *sides[1:], *score, radius, direction, gradient)

    def slope(by_step, by_direction):
        high, low = (
            soft_margin(sides, score, radius + sign * by_step, direction + sign * by_direction) for sign in (1.0, -1.0)
        )
        return (high - low) / (2.0 * step)

    assert by_radius == pytest.approx(slope(step, np.zeros(4)), rel=1e-3, abs=1e-4)
    for k in range(4):
        assert gradient[k] == pytest.approx(slope(0.0, step * np.eye(4)[k]), rel=1e-3, abs=1e-4)


@given(seed=st.integers(0, 10**6))
def test_the_soft_margin_is_the_sum_of_softplus_of_signed_scores(seed):
    sides, own = random_sides(seed), random_sides(seed + 1)
    for score in (CAP, CONE):
        s = distance(own.radius[0], own.direction[0], sides.radius, sides.direction) - sides.radius
        s += score.own_radius * own.radius[0] - score.threshold
        expected = (sides.weight * np.log1p(np.exp(4.0 * sides.sign * s + module.MARGIN))).sum()
        assert soft_margin(sides, score, own.radius[0], own.direction[0]) == pytest.approx(expected)


@pytest.mark.parametrize("score", [CAP, CONE])
def test_half_angle_and_radius_are_inverse(score):
    for radius in (0.1, 1.0, 8.0, 30.0):
        assert score.radius(score.half_angle(radius)) == pytest.approx(radius)


@pytest.mark.parametrize("score", [CAP, CONE])
def test_a_bunch_of_nodes_is_separated_from_the_others(score):
    rng = np.random.default_rng(0)
    centre = np.eye(5)[0]
    near = normalize_rows(centre + 0.1 * rng.normal(size=(100, 5)))
    far = normalize_rows(-centre + 0.7 * rng.normal(size=(300, 5)))
    sign = np.repeat([1.0, -1.0], [100, 300])
    sides = Sides(np.full(400, 12.0), np.concatenate([near, far]), sign, np.ones(400))
    start = (1.0, normalize_rows(np.array([[1.0, 1.0, 0.0, 0.0, 0.0]]))[0])
    radius, direction = minimize_soft_margin(sides, score, *start, max_radius=20.0)
    s = distance(radius, direction, sides.radius, sides.direction) - 12.0 + score.own_radius * radius - score.threshold
    assert ((s <= 0.0) == (sign > 0.0)).mean() > 0.99
    assert np.linalg.norm(direction) == pytest.approx(1.0)


def test_a_cap_without_others_grows_and_one_without_descendants_shrinks_to_the_largest_radius():
    alone, none = (random_sides(0)._replace(sign=np.full(12, sign)) for sign in (1.0, -1.0))
    start = (0.5, alone.direction[0], 1.5)
    assert module.MIN_RADIUS <= minimize_soft_margin(alone, CAP, *start)[0] < 0.5
    assert minimize_soft_margin(none, CAP, *start)[0] == 1.5
