"""What the processes of one training exchange: gradients, rows of a batch, and the sums of batch norm.

A step of P processes equals a step of one process with the whole batch, up to rounding. Each process takes a part of
the batch, its loss is such that the mean over processes is the loss of the whole batch, and gradients are averaged.

The gradient of an embedding table (`torch.nn.Embedding`) is 0 outside of the rows that the batch has read, unless the
loss compares with all rows. It travels as rows where that is less: k rows of d numbers and their positions, from each
process, instead of the whole table.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, distributed, nn


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows (n, ...) of all processes, one below the other in the order of their ranks; differentiable."""
    gathered: Tensor = _GatherRows.apply(rows)  # type: ignore[no-untyped-call]
    return gathered


def sum_over_processes(value: Tensor) -> Tensor:
    """Return the sum of a tensor over the processes; differentiable."""
    total: Tensor = _Sum.apply(value)  # type: ignore[no-untyped-call]
    return total


def synchronize_batch_norm(module: nn.Module) -> None:
    """Make every batch norm below `module` take its statistics from all processes."""
    for name, child in module.named_children():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            setattr(module, name, SynchronizedBatchNorm(child))
        else:
            synchronize_batch_norm(child)


class SynchronizedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """A batch norm over the batches of all processes, on any device (torch's own needs GPUs).

    Args:
        norm: whose parameters and running statistics it takes over.
    """

    def __init__(self, norm: nn.modules.batchnorm._BatchNorm) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        for name, parameter in norm.named_parameters(recurse=False):
            setattr(self, name, parameter)
        for name, buffer in norm.named_buffers(recurse=False):
            setattr(self, name, buffer)

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalized batch (n, features, ...); in evaluation mode by the running statistics."""
        if not self.training:
            return super().forward(x)
        dims, shape = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
        wide = x if x.dtype == torch.float64 else x.float()
        count = sum_over_processes(wide.new_tensor(wide.numel() / wide.shape[1]))
        mean = sum_over_processes(wide.sum(dims)) / count
        centred = wide - mean.view(shape)
        variance = sum_over_processes(centred.square().sum(dims)) / count
        self._update(mean.detach(), variance.detach() * count / (count - 1).clamp_min(1))
        y = centred * torch.rsqrt(variance + self.eps).view(shape)
        if self.affine:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        return y.to(x.dtype)

    def _check_input_dim(self, input: Tensor) -> None:
        """Accept any shape: the batch norm that this replaces has had its own check."""

    @torch.no_grad()
    def _update(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics, as torch does."""
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        weight = 1 / float(self.num_batches_tracked or 1) if self.momentum is None else self.momentum
        for running, value in ((self.running_mean, mean), (self.running_var, variance)):
            if running is not None:
                running.lerp_(value.to(running.dtype), weight)


@torch.no_grad()
def average_gradients(model: nn.Module) -> int:
    """Average the gradients of a model over the processes.

    Args:
        model: after its backward pass; all processes have gradients of the same parameters.

    Returns:
        Bytes that this process has sent.
    """
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    gradients = [(id(parameter), parameter.grad) for parameter in model.parameters()]
    as_rows = [gradient for name, gradient in gradients if gradient is not None and name in tables]
    dense = [gradient for name, gradient in gradients if gradient is not None and name not in tables]
    rows = [gradient.ne(0).any(dim=1).nonzero()[:, 0] for gradient in as_rows]
    counts = _all_counts(rows, dense[0].device if dense else None)
    sent = 0
    for gradient, own, count in zip(as_rows, rows, counts.T.tolist(), strict=True):
        if sum(count) >= len(gradient):
            dense.append(gradient)
        else:
            sent += _average_rows(gradient, own, count)
    return sent + _average_dense(dense)


def _all_counts(rows: list[Tensor], device: Any) -> Tensor:
    """Return the numbers of rows (processes, tables)."""
    own = torch.tensor([len(each) for each in rows], device=rows[0].device if rows else device)
    gathered = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    if rows:
        distributed.all_gather(gathered, own)
    return torch.stack(gathered)


def _average_rows(gradient: Tensor, own: Tensor, counts: list[int]) -> int:
    values = gradient[own]
    every_row, every_value = _all_gather(own, counts), _all_gather(values, counts)
    gradient.zero_()
    for row, value in zip(every_row, every_value, strict=True):
        gradient.index_add_(0, row, value)
    gradient /= len(counts)
    return own.nbytes + values.nbytes


def _average_dense(gradients: list[Tensor]) -> int:
    if not gradients:
        return 0
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for gradient, part in zip(gradients, torch.split(flat, [gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
    return flat.nbytes


def _all_gather(rows: Tensor, counts: Iterable[int]) -> list[Tensor]:
    """Return the rows of each process; `counts` says how many each has."""
    counts = list(counts)
    padded = rows.new_zeros((max(counts), *rows.shape[1:]))
    padded[: len(rows)] = rows
    gathered = [torch.empty_like(padded) for _ in counts]
    distributed.all_gather(gathered, padded)
    return [each[:count] for each, count in zip(gathered, counts, strict=True)]


class _GatherRows(torch.autograd.Function):
    """All rows; the gradient of a process's own rows is the sum over processes."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        counts = _all_counts([rows], rows.device)[:, 0].tolist()
        ctx.counts = counts
        return torch.cat(_all_gather(rows.contiguous(), counts))

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> Tensor:
        gradient = outputs[0].contiguous()
        distributed.all_reduce(gradient)
        return torch.split(gradient, ctx.counts)[distributed.get_rank()]


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> Tensor:
        gradient = outputs[0].clone()
        distributed.all_reduce(gradient)
        return gradient
