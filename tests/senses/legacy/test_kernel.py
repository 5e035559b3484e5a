import numpy as np
import pytest
import torch

from terrarium.senses.legacy.kernel import adam_step, add_gradient


def test_the_kernel_is_the_loss_and_its_gradient():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(7, 5)).astype(np.float32)
    head, tail = rng.integers(0, 7, 20).astype(np.int32), rng.integers(0, 7, 20).astype(np.int32)
    target = rng.random(20).astype(np.float32)
    gradient = np.zeros_like(rows)
    total = add_gradient(rows, head, tail, target, 1 / 20, gradient)
    x = torch.from_numpy(rows).double().requires_grad_()
    apart = head != tail
    distance = (x[head[apart]] - x[tail[apart]]).norm(dim=1)
    same = float((target[~apart] ** 2).sum())
    loss = ((distance - torch.from_numpy(target[apart])) ** 2).sum()
    assert total == pytest.approx(loss.item() + same, rel=1e-5)
    (loss / 20).backward()
    assert np.allclose(gradient, x.grad.numpy(), atol=1e-5)


def test_the_step_is_torchs_adam_with_clipping():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(6, 4)).astype(np.float32)
    first, second = np.zeros_like(rows), np.zeros_like(rows)
    x = torch.nn.Parameter(torch.from_numpy(rows.copy()))
    adam = torch.optim.Adam([x], lr=0.05)
    for step in range(1, 6):
        gradient = rng.normal(size=rows.shape).astype(np.float32)
        x.grad = torch.from_numpy(gradient.copy()) + 0.1 * torch.sign(x.detach())
        torch.nn.utils.clip_grad_norm_([x], 1.0)
        adam.step()
        adam_step(rows, gradient, first, second, step, 0.05, 1.0, 0.1)
        assert (gradient == 0).all()
    assert np.allclose(rows, x.detach().numpy(), atol=1e-5)
