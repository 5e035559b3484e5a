"""The trainer that the options ask for."""

from __future__ import annotations

from terrarium.hyperbolic.training.problem import Problem
from terrarium.training.fit import Trainable
from terrarium.training.torch.device import resolve_device


def make_trainer(problem: Problem) -> Trainable:
    """Return the trainer for the optimizer and the device of the options.

    Raises:
        DeviceError: a device that is missing or lacks float64.
    """
    if problem.options.optimizer.name == "legacy_adam":
        from terrarium.hyperbolic.legacy.trainer import LegacyAdamTrainer

        return LegacyAdamTrainer(problem)
    device = resolve_device(problem.options.device)
    if device == "cpu":
        from terrarium.hyperbolic.training.cpu.trainer import CpuTrainer

        return CpuTrainer(problem)
    from terrarium.hyperbolic.training.torch.trainer import TorchTrainer

    return TorchTrainer(problem, device)
