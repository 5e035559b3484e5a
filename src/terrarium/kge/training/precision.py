"""Which number format a precision's name means on a device, and whether fp16 pays there."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from terrarium.kge.options import Precision
from terrarium.training.options import Precision as Resolved
from terrarium.training.torch.device import check_precision, resolve_device

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

TENSOR_CORES = (7, 0)
"""The compute capability from which NVIDIA's GPUs have units for fp16 (Volta)."""


def resolve_precision(precision: Precision, device: str) -> Resolved:
    """`mixed` is fp16 with scaling on a GPU and bf16 on a CPU; all others are what they say."""
    if precision != "mixed":
        return precision
    return "16-mixed" if resolve_device(device).startswith("cuda") else "bf16-mixed"


def autocast_context(precision: Precision, device: str) -> AbstractContextManager[object]:
    """The context in which an evaluation computes. Raises DeviceError where the device lacks the precision."""
    import torch

    name = resolve_precision(precision, device)
    check_precision(device, name)
    if name in {"32-true", "64-true"}:
        return nullcontext()
    return torch.autocast(device.partition(":")[0], torch.bfloat16 if name == "bf16-mixed" else torch.float16)


def log_device(device: str, precision: Precision) -> None:
    """Log where a training runs, and whether half precision can pay there."""
    import torch

    name, used = resolve_device(device), resolve_precision(precision, device)
    if not name.startswith("cuda"):
        logger.info("Device: %s, precision %s; fp16 needs a GPU, so its gain cannot be measured here", name, used)
        return
    capability = torch.cuda.get_device_capability(name)
    text = f"{torch.cuda.get_device_name(name)}, compute capability {capability[0]}.{capability[1]}"
    if capability >= TENSOR_CORES:
        logger.info("Device: %s, precision %s; fp16 and its tensor cores can pay", text, used)
    elif used == "16-mixed":
        logger.warning("Device: %s: below 7.0 there are no tensor cores, so fp16 will hardly be faster", text)
    else:
        logger.info("Device: %s, precision %s; below 7.0 fp16 would hardly be faster", text, used)


def cast_model(scorer: torch.nn.Module, precision: Precision) -> torch.nn.Module:
    """The scorer in 64 bits if the precision says so."""
    return scorer.double() if precision == "64-true" else scorer
