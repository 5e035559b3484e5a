"""The compiled parts do what PyTorch states."""

import numpy as np
import pytest
import torch

from terrarium.senses.models.table import step_rows
from terrarium.senses.training import kernel
from terrarium.senses.training import losses as objective


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("width", [24, 10])
def test_the_gradient_of_the_taxonomy_is_that_of_autograd(rng, width):
    rows = rng.standard_normal((20, 24)).astype(np.float32)
    kept = rng.random((20, 24)) < 0.6
    first, second = rng.integers(0, 20, (2, 50))
    similarity = rng.random(50).astype(np.float32)
    gradient = np.zeros_like(rows)
    total = kernel.add_taxonomy_gradient(rows, kept, first, second, similarity, 3.0, width, gradient)
    masked = torch.from_numpy(rows * kept).requires_grad_()
    codes = objective.normalise(masked[:, :width])
    loss = objective.taxonomy_losses(codes[first], codes[second], torch.from_numpy(similarity)).sum()
    (expected,) = torch.autograd.grad(3 * loss, masked)
    assert total == pytest.approx(loss.item(), rel=1e-5)
    assert np.allclose(gradient, expected.numpy(), atol=2e-5)


def test_rows_without_entries_have_a_loss_and_no_gradient():
    rows, kept = np.ones((2, 4), np.float32), np.zeros((2, 4), bool)
    gradient = np.zeros_like(rows)
    one = np.zeros(1, np.int64)
    total = kernel.add_taxonomy_gradient(rows, kept, one, one + 1, np.float32([0.5]), 1.0, 4, gradient)
    assert total == 0.25
    assert (gradient == 0).all()


def test_the_step_is_that_of_torch(rng):
    rows = objective.normalise(torch.from_numpy(rng.standard_normal((30, 16)).astype(np.float32)))
    gradient = torch.from_numpy(rng.standard_normal((30, 16)).astype(np.float32))
    touched, row_sum = torch.tensor([0, 4, 11, 20, 29]), torch.rand(30)
    compiled = [x.clone() for x in (rows, row_sum, gradient)]
    step_rows(rows, row_sum, touched, gradient, 15, 0.1, 2.0)
    kernel.step_rows(*(x.numpy() for x in (*compiled[:2], touched, compiled[2])), 15, 0.1, 2.0)
    for ours, theirs in zip(compiled, (rows, row_sum, gradient), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)
