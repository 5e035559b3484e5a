"""The compiled losses against PyTorch's: gradients by autograd."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.options import LossOptions
from terrarium.hyperbolic.training.cpu import gradients
from terrarium.hyperbolic.training.cpu.slots import make_slots, touched_rows
from terrarium.hyperbolic.training.torch.objectives import PairBatch, Table, pair_losses
from tests.hyperbolic.training.problems import training_options
from tests.hyperbolic.trees import random_layout

N, DIM, MARGIN = 12, 4, 0.7
KINDS = {
    "margin_ranking": gradients.MARGIN_RANKING,
    "distance_softmax": gradients.DISTANCE_SOFTMAX,
    "detour": gradients.DETOUR,
}


def compiled(layout, loss: LossOptions, negatives):
    """Loss and Riemannian gradient of the pair (0, 1), for margin_ranking, or of (0, 1) and (8, 1) by the kernel."""
    points = gradients.Points(layout.radius, layout.direction.copy(), np.exp(layout.radius))
    gradient = gradients.SparseGradient(np.zeros((N, DIM)), np.zeros(N), make_slots(N, N))
    if loss.name == "margin_ranking":
        value = gradients.margin_ranking_pair(points, gradient, 0, 1, negatives, MARGIN, 1.0)
    else:
        group = gradients.Group(np.array([0, 8]), np.array([1.0, 0.5]), negatives)
        scratch = gradients.Scratch(*(np.zeros(len(negatives)) for _ in range(3)))
        chosen = gradients.LossSettings(KINDS[loss.name], MARGIN, 0.0, 1.0 / loss.temperature, loss.positive_weight)
        value = gradients.softmax_group(points, gradient, 1, group, scratch, chosen)
    rows = touched_rows(gradient.slots)
    angular, radial = np.zeros((N, DIM)), np.zeros(N)
    angular[rows], radial[rows] = gradient.angular[: len(rows)], gradient.radial[: len(rows)]
    angular -= (angular * layout.direction).sum(1, keepdims=True) * layout.direction
    return value, radial, angular


def by_autograd(layout, loss: LossOptions, negatives):
    ancestors, weights = ([0], [1.0]) if loss.name == "margin_ranking" else ([0, 8], [1.0, 0.5])
    radius = torch.tensor(layout.radius, requires_grad=True)
    direction = torch.tensor(layout.direction, requires_grad=True)
    num_pairs = len(ancestors)
    batch = PairBatch(
        ancestor=torch.tensor(ancestors),
        descendant=torch.tensor([1] * num_pairs),
        group=torch.zeros(num_pairs, dtype=torch.int64),
        anchor=torch.tensor([0 if loss.name == "margin_ranking" else 1]),
        negatives=torch.tensor(negatives)[None],
        present=torch.ones(1, len(negatives), dtype=torch.bool),
        margin=torch.full((num_pairs,), MARGIN, dtype=torch.float64),
    )
    losses = pair_losses(loss, Table(radius, direction), batch)
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
    positive_weight=st.sampled_from([0.0, 2.0]),
)
def test_gradient_equals_autograd(loss_name, seed, largest, temperature, positive_weight):
    layout = random_layout(np.random.default_rng(seed), N, DIM, largest)
    layout.radius[:] += 0.05
    negatives = np.array([2, 3, 4, 5, 5, 6, 7], np.int64)
    chosen = training_options(loss=loss_name, temperature=temperature, positive_weight=positive_weight).loss
    loss, radial, angular = compiled(layout, chosen, negatives)
    expected, radial_t, angular_t = by_autograd(layout, chosen, negatives)
    assert loss == pytest.approx(expected, rel=1e-7, abs=1e-7)
    assert np.allclose(radial, radial_t, rtol=1e-6, atol=1e-6 / temperature)
    assert np.allclose(angular, angular_t, rtol=1e-6, atol=1e-6 / temperature)
