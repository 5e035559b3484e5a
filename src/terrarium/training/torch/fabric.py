"""The shared epoch of torch models on Lightning Fabric: device, precision and gradient clipping.

torch and Lightning take seconds to import, so both are imported inside functions.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from terrarium.training.checkpointing.state import State
from terrarium.training.options import TorchOptions
from terrarium.training.torch.device import DeviceError, check_precision, resolve_device
from terrarium.training.torch.packing import pack, unpack
from terrarium.training.torch.processes import ALONE, World, lead, make_strategy
from terrarium.training.torch.seeding import GLOBAL_STATE, derive_seed, seeded

if TYPE_CHECKING:
    import torch
    from lightning.fabric import Fabric
    from torch.optim.lr_scheduler import LRScheduler

Loss = Callable[
    ["torch.nn.Module", Any],
    tuple["torch.Tensor", int] | tuple["torch.Tensor", int, Mapping[str, "torch.Tensor"]],
]
"""Takes the model and a batch; gives the mean loss of the batch's items, how many items there were, and, optionally,
scalars to sum over the epoch."""


def make_fabric(options: TorchOptions, world: World = ALONE) -> "Fabric":
    """Return a Fabric with one device per process.

    Args:
        options: device and precision.
        world: the processes.

    Raises:
        DeviceError: the device is missing or lacks the precision, or several processes are to share one.
    """
    from lightning.fabric import Fabric

    device = resolve_device(options.device)
    check_precision(device, options.precision)
    accelerator, _, index = device.partition(":")
    if accelerator == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is not reproducible without it
    if world.size == 1:
        return Fabric(accelerator=accelerator, devices=[int(index)] if index else 1, precision=options.precision)
    if index or accelerator == "mps":
        raise DeviceError(f"Device '{device}' is one device and there are {world.size} processes; choose cpu or cuda")
    fabric = Fabric(
        accelerator=accelerator,
        devices=world.local_size,
        num_nodes=world.size // world.local_size,
        precision=options.precision,
        strategy=make_strategy(),
    )
    fabric.launch()
    return fabric


def fabric_epoch(
    fabric: "Fabric", model: Any, optimizer: Any, batches: Iterable[Any], loss: Loss, *, clip_norm: float
) -> dict[str, float]:
    """Train a model for one epoch.

    The loss is computed under the precision's autocast, even if it does not call the model's `forward`.

    Args:
        fabric: from `make_fabric`.
        model, optimizer: set up by `fabric`.
        batches: batches of one epoch; moved to the device here.
        loss: function of model and batch that returns the mean loss, the number of items, and perhaps sums to log by
            name. With several processes, the mean over processes of loss and number is that of the whole batch.
        clip_norm: largest norm of the gradients; 0 does not clip.

    Returns:
        loss (mean over all items), items (their number), and the sums that `loss` returned; with several processes
        also exchanged_mb, the gradients that each has sent.

    Raises:
        ValueError: there are no items.
    """
    import torch

    from terrarium.training.torch.exchange import average_gradients, sum_over_processes

    total = torch.zeros((), device=fabric.device, dtype=_sum_dtype(fabric))
    sums: dict[str, torch.Tensor] = {}
    items, sent = 0, 0
    model.train()
    with deterministic_algorithms():
        for batch in batches:
            optimizer.zero_grad()
            with fabric.autocast():
                value, count, *logs = loss(model, fabric.to_device(batch))
            fabric.backward(value)
            if fabric.world_size > 1:
                sent += average_gradients(model)
            if clip_norm > 0:
                clip_gradients(fabric, model, optimizer, clip_norm)
            optimizer.step()
            total += value.detach().to(total.dtype) * count
            items += count
            for name, number in (pair for log in logs for pair in log.items()):
                sums[name] = sums.get(name, torch.zeros_like(total)) + number.detach()
    if items == 0:
        raise ValueError("There is nothing to train on: the epoch's batches held no items")
    more = {} if fabric.world_size == 1 else {"exchanged_mb": sent / 1e6}
    if fabric.world_size > 1:
        total = sum_over_processes(total) / fabric.world_size
        sums = {name: sum_over_processes(value) for name, value in sums.items()}
    return {"loss": total.item() / items, "items": float(items), **{name: float(sums[name]) for name in sums}, **more}


def clip_gradients(fabric: "Fabric", model: Any, optimizer: Any, max_norm: float) -> float:
    """Scale the dense gradients to a joint norm of at most `max_norm`, and each row of the sparse ones likewise.

    Args:
        fabric: from `make_fabric`.
        model, optimizer: set up by `fabric`, after the backward pass.
        max_norm: largest norm.

    Returns:
        Joint norm of the dense gradients before the scaling.
    """
    import torch

    fabric.strategy.precision.unscale_gradients(getattr(optimizer, "optimizer", optimizer))
    parameters = [parameter for parameter in model.parameters() if parameter.grad is not None]
    for parameter in parameters:
        if parameter.grad.is_sparse:
            parameter.grad = clip_rows(parameter.grad, max_norm)
    return float(torch.nn.utils.clip_grad_norm_([p for p in parameters if not p.grad.is_sparse], max_norm))


def clip_rows(gradient: "torch.Tensor", max_norm: float) -> "torch.Tensor":
    """Return the sparse `gradient` (rows, ...) with every row scaled to a norm of at most `max_norm`."""
    import torch

    gradient = gradient.coalesce()
    values = gradient.values()
    norms = values.flatten(1).norm(dim=1).clamp_min(max_norm)
    scaled = values * (max_norm / norms).view(-1, *[1] * (values.dim() - 1))
    return torch.sparse_coo_tensor(
        gradient.indices(), scaled, gradient.shape, is_coalesced=True, check_invariants=False
    )


@contextmanager
def deterministic_algorithms() -> Iterator[None]:
    """Use torch's reproducible algorithms, and warn where there is none.

    Memory is not filled before it is written: what the algorithms write is all that is read. Both settings are global,
    so blocks in several threads take turns.
    """
    import torch
    from torch.utils import deterministic

    with GLOBAL_STATE:
        before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
        filled = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
        torch.use_deterministic_algorithms(True, warn_only=True)
        deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])
            deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]


class TorchTrainable:
    """A torch model, its optimizer and its batches as something that `fit` can train.

    Batches take their randomness from the number of the epoch (see `seeding.generator`); dropout draws from torch's
    global generators, which each epoch seeds. So there is no state of a generator to keep.
    """

    def __init__(
        self,
        model: "torch.nn.Module",
        make_optimizer: Callable[[Iterable["torch.nn.Parameter"]], "torch.optim.Optimizer"],
        batches: Callable[[int], Iterable[Any]],
        loss: Loss,
        options: TorchOptions,
        *,
        seed: int = 0,
        world: World = ALONE,
        make_scheduler: Callable[["torch.optim.Optimizer"], "LRScheduler"] | None = None,
        export: Callable[["torch.nn.Module"], State] | None = None,
    ) -> None:
        """Set up `model` on its device; optimizer and scheduler (one step per epoch) are made after that.

        `batches(epoch)` gives the batches of an epoch; `export(model)` the weights to keep, all of them by default;
        `seed` is that of dropout. With several processes in `world`, `batches` gives this process's part of each batch.
        """
        self._world = world
        self._fabric = make_fabric(options, world)
        if world.size > 1:
            from terrarium.training.torch.exchange import synchronize_batch_norm

            synchronize_batch_norm(model)
        self._model = self._fabric.setup_module(model)
        self._plain = model
        self._optimizer = make_optimizer(model.parameters())
        self._stepper = self._fabric.setup_optimizers(self._optimizer)
        self._scheduler = make_scheduler(self._optimizer) if make_scheduler else None
        self._batches, self._loss, self._clip_norm = batches, loss, options.clip_norm
        self._export, self._seed = export or export_all, seed

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch in all processes; returns what `train_epoch` returns."""
        lead(self._world, "epoch", epoch)
        return self.train_epoch(epoch)

    def train_epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch in this process.

        Returns:
            loss, items, learning_rate, exchanged_mb with several processes, and on CUDA gpu_peak_memory_mb.
        """
        rate = float(self._optimizer.param_groups[0]["lr"])
        _reset_gpu_memory(self._fabric)
        batches = self._batches(epoch)
        devices = [self._fabric.device] if self._fabric.device.type == "cuda" else []
        with seeded(derive_seed(self._seed, "dropout", epoch, *self._path), devices):
            numbers = fabric_epoch(
                self._fabric, self._model, self._stepper, batches, self._loss, clip_norm=self._clip_norm
            )
        if self._scheduler is not None:
            self._scheduler.step()
        return {**numbers, "learning_rate": rate, **_gpu_memory(self._fabric)}

    def state(self) -> State:
        """Return model, optimizer, scheduler and gradient scaler."""
        return pack({name: part.state_dict() for name, part in self._parts().items()})

    def load(self, state: State) -> None:
        """Become what `state` gave, in all processes."""
        lead(self._world, "load", state)
        self.restore(state)

    def restore(self, state: State) -> None:
        """Become what `state` gave, in this process."""
        content = unpack(state)
        for name, part in self._parts().items():
            part.load_state_dict(content[name])

    def weights(self) -> State:
        """Return a copy of the exported weights."""
        return self._export(self._plain)

    @property
    def _path(self) -> tuple[int, ...]:
        """What the random numbers of this process depend on, besides the seed."""
        return (self._world.rank,) if self._world.rank else ()

    def _parts(self) -> dict[str, Any]:
        parts = {"model": self._plain, "optimizer": self._optimizer, "precision": self._fabric.strategy.precision}
        return parts if self._scheduler is None else {**parts, "scheduler": self._scheduler}


def export_all(model: "torch.nn.Module") -> State:
    """Return a copy of the model's whole state dictionary, by name."""
    return State({name: tensor.detach().cpu().numpy().copy() for name, tensor in model.state_dict().items()})


def _sum_dtype(fabric: "Fabric") -> "torch.dtype":
    import torch

    return torch.float32 if fabric.device.type == "mps" else torch.float64


def _reset_gpu_memory(fabric: "Fabric") -> None:
    """Forget the peak of what came before, such as another training in this process."""
    import torch

    if fabric.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(fabric.device)


def _gpu_memory(fabric: "Fabric") -> dict[str, float]:
    import torch

    if fabric.device.type != "cuda":
        return {}
    return {"gpu_peak_memory_mb": torch.cuda.max_memory_allocated(fabric.device) / 1e6}
