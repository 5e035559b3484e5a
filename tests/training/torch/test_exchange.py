"""What two processes exchange, compared with one process that has everything."""

import numpy as np
import pytest
import torch
from torch import distributed, multiprocessing, nn

from terrarium.training.torch.exchange import (
    average_gradients,
    gather_rows,
    sum_over_processes,
    synchronize_batch_norm,
)

SIZES = (3, 5)
"""Rows of a batch in each process."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What each process reports of every exchange."""
    folder = tmp_path_factory.mktemp("exchange")
    multiprocessing.spawn(work, (str(folder),), nprocs=len(SIZES))
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(len(SIZES))]


def work(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=len(SIZES))
    torch.save({"rows": rows(rank), "norm": norm(rank), "table": table(rank)}, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


def batch() -> tuple[torch.Tensor, ...]:
    """The whole batch (8, 4, 2) by process."""
    numbers = np.random.default_rng(0).normal(size=(sum(SIZES), 4, 2))
    return torch.from_numpy(numbers).split(SIZES)


def rows(rank: int) -> dict[str, torch.Tensor]:
    own = batch()[rank].requires_grad_()
    gathered = gather_rows(own)
    (gathered.cumsum(0) ** 2).sum().backward()
    total = sum_over_processes(own.detach().sum())
    return {"gathered": gathered.detach(), "gradient": own.grad / len(SIZES), "total": total}


def test_gathered_rows_are_the_whole_batch_and_their_gradients_its_gradients(outcomes):
    whole = torch.cat(batch()).requires_grad_()
    (whole.cumsum(0) ** 2).sum().backward()
    for outcome, gradient in zip(outcomes, whole.grad.split(SIZES), strict=True):
        assert torch.equal(outcome["rows"]["gathered"], whole)
        torch.testing.assert_close(outcome["rows"]["gradient"], gradient)
        torch.testing.assert_close(outcome["rows"]["total"], whole.detach().sum())


def normed(x: torch.Tensor, is_shared: bool) -> tuple[nn.Module, torch.Tensor]:
    model = nn.Sequential(nn.BatchNorm1d(4, momentum=0.3)).double()
    nn.init.uniform_(model[0].weight, generator=torch.Generator().manual_seed(1))
    if is_shared:
        synchronize_batch_norm(model)
    y = model(x)
    (y**3).sum().backward()
    return model, y


def norm(rank: int) -> dict[str, torch.Tensor]:
    x = batch()[rank].requires_grad_()
    model, y = normed(x, is_shared=True)
    gradient = sum_over_processes(model[0].weight.grad)
    state = {name: value.double() for name, value in model.state_dict().items()}
    return {"y": y.detach(), "x.grad": x.grad, "weight.grad": gradient, **state}


def test_batch_norm_sees_the_whole_batch(outcomes):
    x = torch.cat(batch()).requires_grad_()
    model, y = normed(x, is_shared=False)
    parts = zip(outcomes, y.split(SIZES), x.grad.split(SIZES), strict=True)
    for outcome, own, gradient in parts:
        torch.testing.assert_close(outcome["norm"]["y"], own.detach())
        torch.testing.assert_close(outcome["norm"]["x.grad"], gradient)
        torch.testing.assert_close(outcome["norm"]["weight.grad"], model[0].weight.grad)
        for name, value in model.state_dict().items():
            torch.testing.assert_close(outcome["norm"][name], value.double())


class Tables(nn.Module):
    """A table of which a batch reads few rows, one that is read whole, and a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(2)
        self.large, self.small, self.dense = nn.Embedding(1000, 6), nn.Embedding(3, 6), nn.Linear(6, 2)
        self.double()
        for parameter in self.parameters():
            nn.init.normal_(parameter, generator=generator)

    def backward(self, chosen: torch.Tensor) -> None:
        hidden = self.large(chosen) * self.small.weight.sum(0)
        self.dense(hidden).square().sum(1).mean().backward()


CHOSEN = (torch.tensor([5, 7, 7]), torch.tensor([7, 900, 0]))


def table(rank: int) -> dict[str, torch.Tensor]:
    model = Tables()
    model.backward(CHOSEN[rank])
    sent = average_gradients(model)
    return {"sent": torch.tensor(sent), **{name: parameter.grad for name, parameter in model.named_parameters()}}


def test_averaged_gradients_are_those_of_the_whole_batch_and_equal_in_all_bits(outcomes):
    model = Tables()
    model.backward(torch.cat(CHOSEN))
    for name, parameter in model.named_parameters():
        first, second = (outcome["table"][name] for outcome in outcomes)
        torch.testing.assert_close(first, parameter.grad)
        assert torch.equal(first, second)


def test_a_table_travels_as_the_rows_that_were_read(outcomes):
    """Two or three rows of 6 numbers and their positions; the small table and the layer travel whole."""
    whole = 8 * (3 * 6 + 2 * 6 + 2)
    assert [int(outcome["table"]["sent"]) - whole for outcome in outcomes] == [2 * 8 * 7, 3 * 8 * 7]
