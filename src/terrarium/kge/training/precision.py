"""Number formats: what a precision means on a device, and whether fp16 is faster there."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from terrarium.kge.options import Precision
from terrarium.training.options import Precision as ResolvedPrecision
from terrarium.training.torch.device import check_precision, resolve_device

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

TENSOR_CORE_CAPABILITY = (7, 0)
"""Compute capability of the first NVIDIA GPUs with tensor cores (Volta)."""


def resolve_precision(precision: Precision, device: str) -> ResolvedPrecision:
    """Return what `mixed` means on a device; other precisions are unchanged.

    It is 16-mixed on a GPU, bf16-mixed on a CPU with instructions for bf16, and 32-true on other CPUs, where bf16 is
    slower than 32 bits.
    """
    if precision != "mixed":
        return precision
    if resolve_device(device).startswith("cuda"):
        return "16-mixed"
    return "bf16-mixed" if has_bf16_instructions() else "32-true"


def has_bf16_instructions() -> bool:
    """Return whether the CPU multiplies bf16 numbers itself, as with avx512_bf16 or amx_bf16."""
    import torch

    flags = torch.cpu.get_capabilities()
    return any(bool(value) for name, value in flags.items() if str(name).endswith("bf16"))


def autocast_context(precision: Precision, device: str) -> AbstractContextManager[object]:
    """Return the context for computing without gradients in a precision.

    Raises:
        DeviceError: the device lacks the precision.
    """
    import torch

    name = resolve_precision(precision, device)
    check_precision(device, name)
    if name in {"32-true", "64-true"}:
        return nullcontext()
    return torch.autocast(device.partition(":")[0], torch.bfloat16 if name == "bf16-mixed" else torch.float16)


def log_device(device: str, precision: Precision) -> None:
    """Log the device and precision of a training, and whether fp16 can be faster there."""
    import torch

    name, used = resolve_device(device), resolve_precision(precision, device)
    if not name.startswith("cuda"):
        bf16 = "has bf16 instructions" if has_bf16_instructions() else "has no bf16 instructions"
        logger.info("Device: %s, precision %s; fp16 needs a GPU, and this CPU %s", name, used, bf16)
        return
    capability = torch.cuda.get_device_capability(name)
    gpu = f"{torch.cuda.get_device_name(name)}, compute capability {capability[0]}.{capability[1]}"
    if capability >= TENSOR_CORE_CAPABILITY:
        logger.info("Device: %s, precision %s; fp16 and its tensor cores can pay", gpu, used)
    elif used == "16-mixed":
        logger.warning("Device: %s: below 7.0 there are no tensor cores, so fp16 will hardly be faster", gpu)
    else:
        logger.info("Device: %s, precision %s; below 7.0 fp16 would hardly be faster", gpu, used)


def cast_model(model: torch.nn.Module, precision: Precision) -> torch.nn.Module:
    """Return the model in 64 bits for precision 64-true, else as it is."""
    return model.double() if precision == "64-true" else model
