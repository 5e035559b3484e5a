"""What the loss joint adds, compiled, against PyTorch: values, and gradients by autograd."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.training.batches import HostBatches
from terrarium.hyperbolic.training.cpu import gradients, joint
from terrarium.hyperbolic.training.cpu.slots import make_slots, touched_rows
from terrarium.hyperbolic.training.problem import joint_terms
from terrarium.hyperbolic.training.sampling.negatives import sampler_settings
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import tree_arrays
from terrarium.hyperbolic.training.torch.objectives import Table, pair_losses
from tests.hyperbolic.training.problems import problem
from tests.hyperbolic.trees import random_layout

SIZE, DIM, EPOCH = 60, 5, 3
TERMS = {"edge": {"edge_weight": 1.5, "stress_weight": 0.0}, "stress": {"edge_weight": 0.0, "stress_weight": 2.0}}


def one_pair(task, position):
    """The batch of one pair, with the negatives, walks and wanted distances of the compiled sampler."""
    return next(iter(HostBatches(task).epoch(np.array([position]), EPOCH))).pairs


def by_autograd(task, layout, batch):
    """Loss and Riemannian gradient of what the loss joint adds to the loss detour."""
    radius = torch.tensor(layout.radius, requires_grad=True)
    direction = torch.tensor(layout.direction, requires_grad=True)
    with_terms, without = (
        pair_losses(task.options.loss, Table(radius, direction), pairs).sum()
        for pairs in (batch, batch._replace(joint=None))
    )
    (with_terms - without).backward()
    u, g = layout.direction, direction.grad.numpy()
    tangent = (g - (g * u).sum(1, keepdims=True) * u) / np.sinh(layout.radius)[:, None]
    return (with_terms - without).item(), radius.grad.numpy(), tangent


def compiled(task, layout, batch, term):
    tree, sampler, terms = tree_arrays(task.tree), sampler_settings(task.options), joint_terms(task)
    points = gradients.Points(layout.radius, layout.direction.copy(), np.exp(layout.radius))
    gradient = gradients.SparseGradient(np.zeros((SIZE, DIM)), np.zeros(SIZE), make_slots(SIZE, SIZE))
    anchor = int(batch.anchor[0])
    present = batch.present[0].numpy()
    group = gradients.Group(batch.ancestor.numpy(), np.ones(1), batch.negatives[0].numpy()[present])
    if term == "edge":
        loss = gradients.LossSettings(gradients.DISTANCE_SOFTMAX, 0.0, 0.0, 1.0 / task.options.loss.temperature, 0.0)
        stream, work = Stream(task.options.seed, EPOCH), joint.make_edge_work(sampler)
        value = joint.edge_group(points, gradient, tree, anchor, group, (loss, terms, sampler), stream, work)
    else:
        value = joint.stress_group(points, gradient, tree, anchor, group, terms, sampler.num_hard)
    rows = touched_rows(gradient.slots)
    angular, radial = np.zeros((SIZE, DIM)), np.zeros(SIZE)
    angular[rows], radial[rows] = gradient.angular[: len(rows)], gradient.radial[: len(rows)]
    angular -= (angular * layout.direction).sum(1, keepdims=True) * layout.direction
    return value, radial, angular


@pytest.mark.parametrize("term", sorted(TERMS))
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), largest=st.sampled_from([1.0, 4.0, 9.0]), temperature=st.sampled_from([1.0, 0.1]))
def test_each_term_has_the_value_and_the_gradient_of_pytorch(term, seed, largest, temperature):
    rng = np.random.default_rng(seed)
    task = problem(size=SIZE, loss="joint", temperature=temperature, positive_weight=0.0, **TERMS[term])
    layout = random_layout(rng, SIZE, DIM, largest)
    layout.radius[:] += 0.05
    batch = one_pair(task, int(rng.integers(len(task.descendant))))
    value, radial, angular = compiled(task, layout, batch, term)
    expected, radial_t, angular_t = by_autograd(task, layout, batch)
    assert value == pytest.approx(expected, rel=1e-7, abs=1e-7)
    assert np.abs(radial).max() > 0.0 or value == pytest.approx(0.0, abs=1e-6)
    assert np.allclose(radial, radial_t, rtol=1e-6, atol=1e-6 / temperature)
    assert np.allclose(angular, angular_t, rtol=1e-6, atol=1e-6 / temperature)
