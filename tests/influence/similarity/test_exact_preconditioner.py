import numpy as np
import torch

from terrarium.influence.similarity.exact_preconditioner import BATCH_NORMALIZED, read_preconditioner
from terrarium.kge.models.scorer import build_scorer
from tests.kge.graphs import options


def test_the_preconditioner_is_that_of_the_next_step():
    """Adam's step is rate * D m: with D from the state, D m is what the parameters move by."""
    scorer = build_scorer(options().model, 5, 2)
    for kind in (torch.optim.Adam, torch.optim.Adagrad):
        optimizer = kind(scorer.parameters(), lr=0.1)
        for step in range(3):
            optimizer.zero_grad()
            sum((p * (step + 1)).square().sum() for p in scorer.parameters()).backward()
            before = scorer.entity.weight.detach().clone()
            optimizer.step()
        content = optimizer.state_dict()
        number = [name for name, _ in scorer.named_parameters()].index("entity.weight")
        state = content["state"][number]
        mean = state["exp_avg"] / (1 - 0.9 ** float(state["step"])) if "exp_avg" in state else scorer.entity.weight.grad
        moved = before - scorer.entity.weight.detach()
        assert torch.allclose(moved, 0.1 * read_preconditioner(scorer, content)["entity.weight"] * mean, atol=1e-6)
        assert np.isfinite(moved.numpy()).all()


def test_biases_that_batch_norm_subtracts_have_no_weight():
    """Their gradients are rounding errors in training, and one over those would drown everything else."""
    scorer = build_scorer(options(model__name="conve").model, 5, 2)
    optimizer = torch.optim.Adam(scorer.parameters())
    ids = torch.tensor([0, 1, 2])
    scorer(ids, ids % 2).square().sum().backward()
    assert scorer.encoder.convolution.bias.grad.abs().max() < 1e-4
    for parameter in scorer.parameters():
        parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    optimizer.step()
    preconditioner = read_preconditioner(scorer, optimizer.state_dict())
    assert {name for name, values in preconditioner.items() if not values.any()} == set(BATCH_NORMALIZED)
