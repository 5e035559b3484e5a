"""The compiled loss is that of PyTorch."""

import numpy as np
import pytest
import torch

from terrarium.senses.models.operators import normalize
from terrarium.senses.training import losses
from terrarium.senses.training.taxonomy_kernel import add_taxonomy_gradient


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
    total = add_taxonomy_gradient(rows, kept, first, second, similarity, 3.0, width, gradient)
    masked = torch.from_numpy(rows * kept).requires_grad_()
    codes = normalize(masked[:, :width])
    loss = losses.taxonomy_losses(codes[first], codes[second], torch.from_numpy(similarity)).sum()
    (expected,) = torch.autograd.grad(3 * loss, masked)
    assert total == pytest.approx(loss.item(), rel=1e-5)
    assert np.allclose(gradient, expected.numpy(), atol=2e-5)


def test_rows_without_entries_have_a_loss_and_no_gradient():
    rows, kept = np.ones((2, 4), np.float32), np.zeros((2, 4), bool)
    gradient = np.zeros_like(rows)
    one = np.zeros(1, np.int64)
    total = add_taxonomy_gradient(rows, kept, one, one + 1, np.float32([0.5]), 1.0, 4, gradient)
    assert total == 0.25
    assert (gradient == 0).all()
