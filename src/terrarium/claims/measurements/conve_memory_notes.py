"""Measurements of statements of "ConvE memory notes"."""

from __future__ import annotations

import warnings

import torch

from terrarium.claims.measurements.measure import Family, Measured, named
from terrarium.kge.models.conve import ConvEEncoder
from terrarium.kge.options import ModelOptions
from terrarium.training.torch.device import DeviceError, check_precision

_MODEL = {
    **{"name": "conve", "dim": 200, "inverse_relations": False, "entity_bias": False, "entity_encoder": "lookup"},
    **{"embedding_height": 10, "embedding_width": 20, "stack_axis": "width", "output_channels": 32},
    **{"kernel_height": 3, "kernel_width": 3, "input_dropout": 0.2, "feature_map_dropout": 0.2},
    **{"output_dropout": 0.3, "seed": 0},
}
"""The document's network."""


def accepted_images(_seed: int) -> Measured:
    """Return how many of two advised sizes, dimension 128 and 32 with images of 10 x 20, can be trained."""
    return Measured([sum(_is_accepted(_MODEL | {"dim": dim}) for dim in (128, 32))], " of 2")


def smaller_network(_seed: int) -> Measured:
    """Return how many times fewer parameters a network with dimension 128 and 16 filters has, below the entities."""
    small = _MODEL | {"dim": 128, "embedding_height": 8, "embedding_width": 16, "output_channels": 16}
    sizes = [
        sum(p.numel() for p in ConvEEncoder(ModelOptions.model_validate(options)).parameters())
        for options in (_MODEL, small)
    ]
    return Measured([sizes[0] / sizes[1]], " times")


def gradient_bits(_seed: int) -> Measured:
    """Return the bits of a gradient where the forward pass is in 16 bits."""
    layer = torch.nn.Linear(8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = layer(torch.ones(4, 8)).float().square().mean()
    loss.backward()
    gradient = layer.weight.grad
    return Measured([0.0 if gradient is None else float(torch.finfo(gradient.dtype).bits)], " bits")


def underflow_with_scaling(_seed: int) -> Measured:
    """Return the same after scaling by 65,536, the first scale of PyTorch's scaler."""
    small = torch.full((1000,), 1e-8) * torch.amp.GradScaler("cpu", enabled=True).get_scale()
    return Measured([100.0 * (small.half() == 0).float().mean().item()], " %")


def refused_precision(_seed: int) -> Measured:
    """Return 1 if fp16 on a CPU is refused before training, else 0."""
    try:
        check_precision("cpu", "16-mixed")
    except DeviceError:
        return Measured([1.0])
    return Measured([0.0])


def deprecated_scaler(_seed: int) -> Measured:
    """Return 1 if this PyTorch warns that `torch.cuda.amp.GradScaler` is deprecated, else 0."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        torch.cuda.amp.GradScaler(enabled=False)
    return Measured([float(any(issubclass(w.category, FutureWarning) for w in found))])


def _is_accepted(options: dict) -> bool:
    try:
        ModelOptions.model_validate(options)
    except ValueError:
        return False
    return True


MEASUREMENTS = Family(
    small=named(
        accepted_images, smaller_network, gradient_bits, underflow_with_scaling, refused_precision, deprecated_scaler
    ),
    large=named(),
)
