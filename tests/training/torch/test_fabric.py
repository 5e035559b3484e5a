import copy
import warnings

import numpy as np
import pytest
import torch

from terrarium.training.options import TorchOptions
from terrarium.training.torch.device import DeviceError
from terrarium.training.torch.fabric import TorchTrainable, clip_gradients, clip_rows, fabric_epoch, make_fabric
from terrarium.training.torch.seeding import generator

from ..toy import options, same, train

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning.*")

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")),
]


def torch_options(device: str = "cpu", precision: str = "64-true", clip_norm: float = 0.0) -> TorchOptions:
    return TorchOptions.model_validate({"device": device, "precision": precision, "clip_norm": clip_norm})


def dense_model() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1))


def batches(epoch: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Three batches, the last one smaller, from the epoch's number alone."""
    rng = generator(1, "batches", epoch)
    inputs = [torch.from_numpy(rng.normal(size=(size, 4)).astype("float32")) for size in (5, 5, 2)]
    return [(x, x.sum(1, keepdim=True) * 100) for x in inputs]


def squares(model, batch):
    x, y = batch
    return (model(x) - y).square().mean(), len(x)


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=1e-3, momentum=0.9)


def trainable(device: str = "cpu", precision: str = "64-true", clip_norm: float = 1.0, **changes) -> TorchTrainable:
    torch.manual_seed(3)
    chosen = torch_options(device, precision, clip_norm)
    parts = {"make_optimizer": lambda parameters: torch.optim.AdamW(parameters, lr=0.05)} | changes
    return TorchTrainable(dense_model(), batches=batches, loss=squares, options=chosen, **parts)


@pytest.mark.parametrize("clip_norm", [0.0, 0.5])
def test_an_epoch_is_the_hand_written_loop_in_float64(clip_norm):
    torch.manual_seed(1)
    model = dense_model()
    twin = copy.deepcopy(model).double()
    fabric = make_fabric(torch_options())
    wrapped = fabric.setup_module(model)
    optimizer = fabric.setup_optimizers(sgd(model.parameters()))
    torch.manual_seed(2)
    numbers = fabric_epoch(fabric, wrapped, optimizer, batches(1), squares, clip_norm=clip_norm)

    by_hand = sgd(twin.parameters())
    torch.manual_seed(2)
    total = 0.0
    for x, y in batches(1):
        by_hand.zero_grad()
        loss = (twin(x.double()) - y.double()).square().mean()
        loss.backward()
        if clip_norm:
            torch.nn.utils.clip_grad_norm_(twin.parameters(), clip_norm)
        by_hand.step()
        total += loss.item() * len(x)
    assert numbers == {"loss": total / 12, "items": 12.0}
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        assert ours.dtype == torch.float64
        assert torch.equal(ours, theirs)


def test_precision_reaches_code_outside_of_forward():
    seen = []

    def loss(model, batch):
        value, items = squares(model, batch)
        weight = model.module[0].weight
        seen.append((torch.zeros(1).dtype, (batch[0].to(weight.dtype) @ weight.T).dtype))
        return value, items

    wanted = {"64-true": (torch.float64, torch.float64), "bf16-mixed": (torch.float32, torch.bfloat16)}
    for precision, expected in wanted.items():
        fabric = make_fabric(torch_options(precision=precision))
        model = dense_model()
        wrapped, optimizer = fabric.setup_module(model), fabric.setup_optimizers(sgd(model.parameters()))
        fabric_epoch(fabric, wrapped, optimizer, batches(1), loss, clip_norm=0.0)
        assert seen[-1] == expected


def test_sixteen_bits_on_a_cpu_are_an_error():
    with pytest.raises(DeviceError, match="16-mixed needs a GPU"):
        make_fabric(torch_options(precision="16-mixed"))


def test_an_epoch_without_items_is_an_error():
    empty = trainable()
    empty._batches = lambda epoch: []
    with pytest.raises(ValueError, match="held no items"):
        empty.epoch(1)


def test_rows_are_clipped_one_by_one():
    indices = torch.tensor([[4, 1, 4, 0]])
    values = torch.tensor([[3.0, 0.0], [0.1, 0.1], [0.0, 4.0], [0.0, 0.0]])
    gradient = torch.sparse_coo_tensor(indices, values, (6, 2), check_invariants=True)
    clipped = clip_rows(gradient, 1.0).to_dense()
    torch.testing.assert_close(clipped[4], torch.tensor([0.6, 0.8]))
    assert torch.equal(clipped[[0, 1, 2, 3, 5]], gradient.to_dense()[[0, 1, 2, 3, 5]])


def test_dense_and_sparse_gradients_are_clipped_together():
    model = torch.nn.ModuleDict({"e": torch.nn.Embedding(9, 3, sparse=True), "l": torch.nn.Linear(3, 1)})
    fabric = make_fabric(torch_options(precision="32-true"))
    wrapped, optimizer = fabric.setup_module(model), fabric.setup_optimizers(sgd(model.parameters()))
    (1000 * model["l"](model["e"](torch.tensor([1, 2, 2]))).sum()).backward()
    clip_gradients(fabric, wrapped, optimizer, 0.5)
    rows = model["e"].weight.grad.to_dense().norm(dim=1)
    assert rows[[1, 2]].tolist() == pytest.approx([0.5, 0.5])
    dense = torch.stack([parameter.grad.norm() for parameter in model["l"].parameters()]).norm()
    assert dense.item() == pytest.approx(0.5, rel=1e-4)
    optimizer.step()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["64-true", "32-true", "bf16-mixed", "16-mixed"])
def test_resumed_equals_uninterrupted(tmp_path, device, precision):
    if (device, precision) == ("cpu", "16-mixed"):
        pytest.skip("16-mixed does not exist on the cpu")
    step = {"make_scheduler": lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=9)}
    whole = train(tmp_path / "whole", trainable(device, precision, **step), options(6))
    broken = trainable(device, precision, **step)
    real = broken.epoch

    def dying(epoch):
        if epoch == 4:
            raise InterruptedError
        return real(epoch)

    broken.epoch = dying
    with pytest.raises(InterruptedError):
        train(tmp_path / "broken", broken, options(6))
    torch.manual_seed(99)
    resumed = train(tmp_path / "broken", trainable(device, precision, **step), options(6))
    assert same(resumed, whole)
    assert list(resumed.history["learning_rate"]) == list(whole.history["learning_rate"])
    assert len(set(whole.history["learning_rate"])) == 6


def test_it_learns():
    torch.manual_seed(3)
    layer = torch.nn.Linear(4, 1)
    model = TorchTrainable(layer, sgd, lambda epoch: batches(1), squares, torch_options())
    reached = [model.epoch(epoch)["loss"] for epoch in range(1, 301)]
    assert reached[-1] < 0.01 * reached[0]


def test_optimisers_that_start_with_state_are_made_on_the_device_and_in_the_precision():
    model = trainable(make_optimizer=lambda parameters: torch.optim.Adagrad(parameters, lr=0.1))
    model.epoch(1)
    sums = [array for name, array in model.state().tensors.items() if name.endswith("sum")]
    assert len(sums) == 4
    assert {array.dtype for array in sums} == {np.dtype("float64")}


def test_weights_are_a_copy_by_name():
    model = trainable()
    before = model.weights()
    saved = {name: array.copy() for name, array in before.tensors.items()}
    model.epoch(1)
    assert list(before.tensors) == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert all((saved[name] == array).all() for name, array in before.tensors.items())
    assert not before.equals(model.weights())


def test_reproducible_algorithms_are_used_only_inside_the_epoch():
    seen = []

    def loss(model, batch):
        seen.append(torch.are_deterministic_algorithms_enabled())
        return squares(model, batch)

    model = trainable()
    model._loss = loss
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.epoch(1)
    assert all(seen)
    assert not torch.are_deterministic_algorithms_enabled()
