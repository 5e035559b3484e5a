"""Memory of a training: recomputing instead of keeping, giving back, and how much either saves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from lightning.fabric import Fabric


def run_checkpointed(model: torch.nn.Module, entity: Tensor, relation: Tensor) -> Tensor:
    """model(entity, relation), whose inner values are computed again on the way back instead of kept.

    Same values, gradients and running statistics as without (Chen 2016; batch norm's statistics are not counted a
    second time). One segment: while the scores of a batch exist, nothing of the encoder does, and all of
    it is there again while its gradients are taken, so the peak falls only where the scores make it.
    """
    from torch.utils.checkpoint import checkpoint

    contexts = lambda: (nullcontext(), frozen_statistics(model))  # noqa: E731
    return checkpoint(model, entity, relation, use_reentrant=False, context_fn=contexts)


@contextmanager
def frozen_statistics(model: torch.nn.Module) -> Iterator[None]:
    """Batch norm keeps normalising by the batch and leaves its running statistics as they are."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count


def measure_saved_mb(model: torch.nn.Module, loss: Callable[[bool], Tensor], fabric: Fabric) -> tuple[float, float]:
    """MB that autograd keeps of `loss(checkpointing)`, with and without; parameters are not counted."""
    own = {parameter.data_ptr() for parameter in model.parameters()}
    found = []
    with frozen_statistics(model), torch.random.fork_rng(devices=_devices(fabric)):
        model.train()
        for checkpointing in (True, False):
            sizes: dict[int, int] = {}

            def note(tensor: Tensor, sizes: dict[int, int] = sizes) -> Tensor:
                storage = tensor.untyped_storage()
                if storage.data_ptr() not in own:
                    sizes[storage.data_ptr()] = storage.nbytes()
                return tensor

            with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor), fabric.autocast():
                value = loss(checkpointing)
            found.append(sum(sizes.values()) / 1e6)
            del value
    return found[0], found[1]


class CacheCleanup:
    """Empties the GPU's cache of freed memory after every `interval` batches; 0 never."""

    def __init__(self, interval: int) -> None:
        self._interval, self._batches = interval, 0
        self.released_mb = 0.0

    def after_batch(self) -> None:
        """Count a batch; what is given back is added to `released_mb`. Peak allocation stays as it was."""
        self._batches += 1
        if not self._interval or self._batches % self._interval or not torch.cuda.is_available():
            return
        before = torch.cuda.memory_reserved()
        torch.cuda.empty_cache()
        self.released_mb += (before - torch.cuda.memory_reserved()) / 1e6


def _devices(fabric: Fabric) -> list[Any]:
    return [fabric.device] if fabric.device.type == "cuda" else []
