"""Typed training options that the families share. Defaults live in the parameter files."""

from typing import Literal

from pydantic import Field

from terrarium.common.options import Options

Precision = Literal["64-true", "32-true", "bf16-mixed", "16-mixed"]


class StoppingOptions(Options):
    """When to stop early, and by which number the best epoch is chosen."""

    patience: int = Field(ge=0, description="measured epochs without progress before stopping; 0 never stops")
    min_delta: float = Field(ge=0, allow_inf_nan=False, description="gain in the metric that counts as progress")
    metric: str = Field(min_length=1, description="column of the history to watch, usually loss")
    direction: Literal["min", "max"] = Field(description="whether a smaller or a larger metric is better")


class CheckpointOptions(Options):
    """Which checkpoints to keep beside the best and the final one."""

    keep_last: int = Field(ge=1, description="how many of the newest epochs to keep")
    keep_every: int = Field(ge=0, description="also keep every k-th epoch; 0 keeps none")


class FitOptions(Options):
    """Options of `fit`; a family's training options may inherit from it."""

    max_epochs: int = Field(ge=0, description="epochs at most; 0 trains nothing and exports the initial weights")
    stopping: StoppingOptions
    checkpoints: CheckpointOptions


class TorchOptions(Options):
    """Where and how a torch model is trained."""

    device: str = Field(description="auto, cpu, cuda, cuda:N or mps")
    precision: Precision
    clip_norm: float = Field(ge=0, allow_inf_nan=False, description="largest gradient norm; 0 does not clip")
