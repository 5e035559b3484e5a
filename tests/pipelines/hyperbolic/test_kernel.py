"""The compiled kernel against the objective in PyTorch: gradients by autograd, steps by the exponential map."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.geometry.ball import distance
from terrarium.hyperbolic.training import cpu_kernel as kernel
from terrarium.hyperbolic.training.objectives import pair_losses

from .trees import random_layout

N, DIM = 12, 4


def compiled(layout, loss_name, negatives, margin, temperature, pull=0.0):
    """Loss and Riemannian gradient of the pair (0, 1), for ranking, or of (0, 1) and (8, 1) by the kernel."""
    table = (layout.direction.copy(), np.exp(layout.radius))
    gradient = (np.zeros((N, DIM)), np.zeros(N))
    slots = (np.full(N, -1, np.int64), np.zeros(N, np.int64), np.zeros(N, np.int64), np.zeros(2, np.int64))
    if loss_name == "margin_ranking":
        loss = kernel.ranking_pair(table, gradient, slots, 0, 1, negatives, margin, 1.0)
    else:
        scratch = tuple(np.zeros(len(negatives)) for _ in range(3))
        group = np.array([0, 8]), np.array([1.0, 0.5]), negatives
        with_radius = loss_name == "detour"
        loss = kernel.softmax_group(table, gradient, slots, 1, group, scratch, 1.0 / temperature, pull, with_radius)
    rows = slots[2][: slots[3][0]]
    angular, radial = np.zeros((N, DIM)), np.zeros(N)
    angular[rows], radial[rows] = gradient[0][: len(rows)], gradient[1][: len(rows)]
    angular -= (angular * layout.direction).sum(1, keepdims=True) * layout.direction
    return loss, radial, angular


def by_autograd(layout, loss_name, negatives, margin, temperature, pull=0.0):
    ancestors, weights = ([0], [1.0]) if loss_name == "margin_ranking" else ([0, 8], [1.0, 0.5])
    radius = torch.tensor(layout.radius, requires_grad=True)
    direction = torch.tensor(layout.direction, requires_grad=True)
    losses, _ = pair_losses(
        loss_name,
        radius,
        direction,
        torch.tensor(ancestors),
        torch.tensor([1] * len(ancestors)),
        torch.tensor(negatives).repeat(len(ancestors), 1),
        torch.ones(len(ancestors), len(negatives), dtype=torch.bool),
        margin=margin,
        temperature=temperature,
        pull=pull,
    )
    losses = losses * torch.tensor(weights, dtype=torch.float64)
    losses.sum().backward()
    u, g = layout.direction, direction.grad.numpy()
    tangent = (g - (g * u).sum(1, keepdims=True) * u) / np.sinh(layout.radius)[:, None]
    return losses.sum().item(), radius.grad.numpy(), tangent


@pytest.mark.parametrize("loss_name", ["margin_ranking", "distance_softmax", "detour"])
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    largest=st.sampled_from([1.0, 4.0, 10.0]),
    temperature=st.sampled_from([2.0, 1.0, 0.1]),
    pull=st.sampled_from([0.0, 2.0]),
)
def test_gradient_equals_autograd(loss_name, seed, largest, temperature, pull):
    layout = random_layout(np.random.default_rng(seed), N, DIM, largest)
    layout.radius[:] += 0.05
    negatives = np.array([2, 3, 4, 5, 5, 6, 7], np.int64)
    loss, radial, angular = compiled(layout, loss_name, negatives, 0.7, temperature, pull)
    expected, radial_t, angular_t = by_autograd(layout, loss_name, negatives, 0.7, temperature, pull)
    assert loss == pytest.approx(expected, rel=1e-7, abs=1e-7)
    assert np.allclose(radial, radial_t, rtol=1e-6, atol=1e-6 / temperature)
    assert np.allclose(angular, angular_t, rtol=1e-6, atol=1e-6 / temperature)


def fresh_state(size):
    return np.zeros(size), np.zeros((size, DIM)), np.zeros(size), np.zeros(size, np.int64)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), rate=st.sampled_from([1e-3, 0.1, 2.0]))
def test_the_first_step_has_the_length_of_the_learning_rate(seed, rate):
    """Adam's first step is the gradient over its own length; the exponential map keeps lengths."""
    rng = np.random.default_rng(seed)
    layout = random_layout(rng, N, DIM, 3.0)
    before = layout.radius.copy(), layout.direction.copy()
    gradient = rng.normal(size=(N, DIM)), rng.normal(size=N)
    table = (layout.direction, np.exp(layout.radius))
    kernel.step_rows(layout.radius, table, fresh_state(N), np.arange(N), gradient, rate, (34.0, True, True))
    moved = distance(before[0], before[1], layout.radius, layout.direction)
    assert np.allclose(moved, rate, rtol=1e-5)
    assert np.allclose(np.linalg.norm(layout.direction, axis=1), 1.0)
    assert np.allclose(table[1], np.exp(layout.radius))


def test_only_touched_rows_move_and_no_radius_passes_the_limit():
    rng = np.random.default_rng(0)
    layout = random_layout(rng, N, DIM, 3.0)
    before = layout.radius.copy(), layout.direction.copy()
    gradient = np.zeros((3, DIM)), np.full(3, -1.0)
    largest, beyond = kernel.step_rows(
        layout.radius,
        (layout.direction, np.exp(layout.radius)),
        fresh_state(N),
        np.array([1, 4, 7]),
        gradient,
        1.0,
        (2.5, True, True),
    )
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
    table = (layout.direction, np.exp(layout.radius))
    kernel.step_rows(layout.radius, table, fresh_state(N), np.arange(N), gradient, 0.1, (34.0, False, True))
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
    table = (layout.direction, np.exp(layout.radius))
    kernel.step_rows(layout.radius, table, fresh_state(N), np.arange(N), (angular, radial), rate, (34.0, True, False))
    moved = distance(before[0], before[1], layout.radius, layout.direction)
    assert np.allclose(moved, rate * length, rtol=1e-5)
