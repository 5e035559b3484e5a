"""Typed training options that the families share. Defaults live in the parameter files."""

from typing import Literal

from pydantic import Field

from terrarium.common.options import Options

Precision = Literal["64-true", "32-true", "bf16-mixed", "16-mixed"]


class StoppingOptions(Options):
    """When to stop early, and which metric chooses the best epoch."""

    patience: int = Field(ge=0, description="measured epochs without progress before training stops; 0 never stops")
    min_delta: float = Field(ge=0, allow_inf_nan=False, description="gain in the metric that counts as progress")
    metric: str = Field(min_length=1, description="column of the history that is watched, such as loss")
    direction: Literal["min", "max"] = Field(description="whether a smaller (min) or a larger (max) metric is better")


class CheckpointOptions(Options):
    """Which checkpoints to keep besides those of the best and of the last epoch."""

    keep_last: int = Field(ge=1, description="number of newest epochs whose checkpoints are kept")
    keep_every: int = Field(ge=0, description="also keep the checkpoint of every k-th epoch; 0 keeps none of them")
    retrain: bool = Field(
        description="train again if an equal training has finished; false uses its result, true clears it away"
    )


class FitOptions(Options):
    """Options of `fit`; a family's training options may inherit from it."""

    max_epochs: int = Field(ge=0, description="largest number of epochs; 0 exports the initial weights")
    stopping: StoppingOptions
    checkpoints: CheckpointOptions


class ScheduledFitOptions(FitOptions):
    """Options of a training whose learning rate or curriculum depends on how long it is."""

    schedule_epochs: int | None = Field(
        gt=0,
        description="epochs over which rates and curriculum change; null: max_epochs. To continue a finished training, "
        "raise max_epochs and set this to the old max_epochs",
    )

    @property
    def schedule_length(self) -> int:
        """Number of epochs over which the learning rate and the curriculum change; they stay constant after that."""
        return self.max_epochs if self.schedule_epochs is None else self.schedule_epochs


class PrecisionOptions(Options):
    """Where a torch model is trained, and with which numbers."""

    device: str = Field(description="where to train: cpu, cuda, cuda:N, mps, or auto (cuda if available, else cpu)")
    precision: Precision = Field(description="floating-point precision; 16-mixed needs a GPU")


class TorchOptions(PrecisionOptions):
    """Where and how a torch model is trained."""

    clip_norm: float = Field(ge=0, allow_inf_nan=False, description="largest norm of the gradient; 0 does not clip")
