"""The trainer that the options name."""

from __future__ import annotations

from terrarium.hyperbolic.training.problem import Problem
from terrarium.training.fit import Trainable
from terrarium.training.torch.device import resolve_device


def make_trainer(problem: Problem) -> Trainable:
    """The trainer for the optimiser and the device that the options name.

    Raises:
        DeviceError: a device that is not there or lacks float64.
    """
    if problem.options.optimizer.name == "legacy_adam":
        from terrarium.hyperbolic.legacy.trainer import DenseTrainer

        return DenseTrainer(problem)
    device = resolve_device(problem.options.device)
    if device == "cpu":
        from terrarium.hyperbolic.training.cpu_trainer import KernelTrainer

        return KernelTrainer(problem)
    from terrarium.hyperbolic.training.torch_trainer import TorchTrainer

    return TorchTrainer(problem, device)
