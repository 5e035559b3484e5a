"""The compiled Riemannian step: lengths, limits, and rows that stay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.geometry.ball import distance
from terrarium.hyperbolic.training.cpu.gradients import Points, SparseGradient
from terrarium.hyperbolic.training.cpu.slots import make_slots
from terrarium.hyperbolic.training.cpu.step import Moments, StepSettings, step_rows
from tests.hyperbolic.trees import random_layout

N, DIM = 12, 4


def fresh_moments(size):
    return Moments(np.zeros(size), np.zeros((size, DIM)), np.zeros(size), np.zeros(size, np.int64))


def step(layout, gradient, rate, rows=None, max_radius=34.0, train_radius=True, adaptive=True):
    """Move rows of the layout in place; returns exp(radius) and what `step_rows` returns."""
    points = Points(layout.radius, layout.direction, np.exp(layout.radius))
    rows = np.arange(N) if rows is None else rows
    settings = StepSettings(16, rate, 0.0, max_radius, train_radius, adaptive)
    sparse = SparseGradient(*gradient, make_slots(N, N))
    return points.exp_radius, step_rows(points, fresh_moments(N), rows, sparse, settings)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), rate=st.sampled_from([1e-3, 0.1, 2.0]))
def test_the_first_step_has_the_length_of_the_learning_rate(seed, rate):
    """Adam's first step is the gradient over its own length; the exponential map keeps lengths."""
    rng = np.random.default_rng(seed)
    layout = random_layout(rng, N, DIM, 3.0)
    before = layout.radius.copy(), layout.direction.copy()
    gradient = rng.normal(size=(N, DIM)), rng.normal(size=N)
    exp_radius, _ = step(layout, gradient, rate)
    moved = distance(before[0], before[1], layout.radius, layout.direction)
    assert np.allclose(moved, rate, rtol=1e-5)
    assert np.allclose(np.linalg.norm(layout.direction, axis=1), 1.0)
    assert np.allclose(exp_radius, np.exp(layout.radius))


def test_only_touched_rows_move_and_no_radius_passes_the_limit():
    rng = np.random.default_rng(0)
    layout = random_layout(rng, N, DIM, 3.0)
    before = layout.radius.copy(), layout.direction.copy()
    gradient = np.zeros((3, DIM)), np.full(3, -1.0)
    _, (largest, beyond) = step(layout, gradient, 1.0, np.array([1, 4, 7]), max_radius=2.5)
    still = np.setdiff1d(np.arange(N), [1, 4, 7])
    assert (layout.radius[still] == before[0][still]).all()
    assert (layout.direction[still] == before[1][still]).all()
    assert layout.radius[[1, 4, 7]].max() <= 2.5
    assert largest == pytest.approx(before[0][[1, 4, 7]].max() + 1.0)
    assert beyond == int((before[0][[1, 4, 7]] + 1.0 > 2.5).sum())


def test_frozen_radii_stay():
    rng = np.random.default_rng(0)
    layout = random_layout(rng, N, DIM, 3.0)
    before = layout.radius.copy()
    gradient = rng.normal(size=(N, DIM)), rng.normal(size=N)
    step(layout, gradient, 0.1, train_radius=False)
    assert (layout.radius == before).all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), rate=st.sampled_from([1e-3, 0.1, 0.5]))
def test_a_step_of_plain_descent_is_as_long_as_the_gradient_times_the_rate(seed, rate):
    rng = np.random.default_rng(seed)
    layout = random_layout(rng, N, DIM, 3.0)
    before = layout.radius.copy(), layout.direction.copy()
    angular, radial = rng.normal(size=(N, DIM)), rng.normal(size=N)
    tangent = angular - (angular * layout.direction).sum(1, keepdims=True) * layout.direction
    length = np.sqrt(radial**2 + (tangent**2).sum(1))
    step(layout, (angular, radial), rate, adaptive=False)
    moved = distance(before[0], before[1], layout.radius, layout.direction)
    assert np.allclose(moved, rate * length, rtol=1e-5)
