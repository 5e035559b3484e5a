"""Memory of a training: gradient checkpointing, cache cleanup, and how much either saves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from terrarium.training.torch.seeding import seeded

if TYPE_CHECKING:
    from lightning.fabric import Fabric


class SavedMemory(NamedTuple):
    """MB (10^6 bytes) that autograd keeps for the backward pass of a batch, with and without checkpointing."""

    checkpointed: float
    plain: float


def run_checkpointed(model: torch.nn.Module, entity: Tensor, relation: Tensor, table: Tensor) -> Tensor:
    """Return `model(entity, relation, table)`; its activations are recomputed in the backward pass instead of kept.

    Values, gradients and running statistics are the same as without (Chen et al. 2016): batch norm does not count the
    recomputed batch. The model is one segment. While the scores of a batch exist, no activation of the encoder does;
    all of them exist again while its gradients are computed. So the peak falls only where the scores cause it.
    """
    from torch.utils.checkpoint import checkpoint

    contexts = lambda: (nullcontext(), frozen_statistics(model))  # noqa: E731
    return checkpoint(model, entity, relation, table, use_reentrant=False, context_fn=contexts)


@contextmanager
def frozen_statistics(model: torch.nn.Module) -> Iterator[None]:
    """Leave the running statistics of batch norm as they are; it still normalizes by the batch."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count


def measure_saved_mb(model: torch.nn.Module, loss: Callable[[bool], Tensor], fabric: Fabric) -> SavedMemory:
    """Return what autograd keeps of `loss(checkpointing)`, parameters not counted; the model stays as it is."""
    with frozen_statistics(model), seeded(0, _gpus(fabric)):
        model.train()
        return SavedMemory(*(_saved_mb(model, loss, fabric, checkpointing) for checkpointing in (True, False)))


def _saved_mb(model: torch.nn.Module, loss: Callable[[bool], Tensor], fabric: Fabric, checkpointing: bool) -> float:
    parameters = {parameter.data_ptr() for parameter in model.parameters()}
    sizes: dict[int, int] = {}

    def record(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(record, lambda tensor: tensor), fabric.autocast():
        value = loss(checkpointing)
    total = sum(sizes.values()) / 1e6
    del value
    return total


class CacheCleanup:
    """Empty the GPU's cache of freed memory every `interval` batches; 0 never does.

    Attributes:
        released_mb: MB returned to the driver so far. The peak of allocated memory stays the same.
    """

    def __init__(self, interval: int) -> None:
        self._interval, self._batches = interval, 0
        self.released_mb = 0.0

    def after_batch(self) -> None:
        """Count a batch, and empty the cache if it is time."""
        self._batches += 1
        if not self._interval or self._batches % self._interval or not torch.cuda.is_available():
            return
        before = torch.cuda.memory_reserved()
        torch.cuda.empty_cache()
        self.released_mb += (before - torch.cuda.memory_reserved()) / 1e6


def _gpus(fabric: Fabric) -> list[Any]:
    return [fabric.device] if fabric.device.type == "cuda" else []
