"""Names of devices, resolved and checked. torch is imported only for names other than `cpu`."""

import re

_NAMES = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


class DeviceError(ValueError):
    """A device that is unknown or not present, or a precision that it does not offer."""


def resolve_device(name: str) -> str:
    """Return the device to use for `name`: auto, cpu, cuda, cuda:N or mps.

    `auto` is cuda where there is one and cpu elsewhere, never mps. Raises DeviceError when the device is missing.
    """
    if not _NAMES.fullmatch(name):
        raise DeviceError(f"Unknown device '{name}'; choose auto, cpu, cuda, cuda:N (N from 0) or mps")
    if name == "cpu":
        return name
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "mps":
        return _checked(name, torch.backends.mps.is_available(), "Apple's Metal is not available")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = int(name.partition(":")[2] or 0)
    return _checked(name, index < count, f"torch sees {count} CUDA device(s)")


def check_precision(device: str, precision: str) -> None:
    """Raise `DeviceError` where `device` (resolved) does not offer `precision`."""
    if precision == "16-mixed" and device == "cpu":
        raise DeviceError("Precision 16-mixed needs a GPU; on the cpu choose bf16-mixed, 32-true or 64-true")
    if precision == "64-true" and device == "mps":
        raise DeviceError("Precision 64-true does not exist on mps; choose 32-true, or the cpu")


def _checked(name: str, present: bool, reason: str) -> str:
    if not present:
        raise DeviceError(f"Device '{name}' is not usable here ({reason}); choose auto or cpu")
    return name
