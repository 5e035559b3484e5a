"""Options of the older documents' optimiser."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from terrarium.common.options import Options
from terrarium.hyperbolic.legacy.loss import Parametrisation

Projection = Literal["batch_rows", "schedule_as_written", "schedule_corrected", "all_rows"]

STRICTER = 100.0
"""By what the distance of the limit from the sphere grows over the epochs of `schedule_corrected`."""


class DenseOptions(Options):
    """How Adam over all rows is clipped, and how rows are held in the ball."""

    clip_norm: float = Field(ge=0, allow_inf_nan=False, description="largest norm of the whole gradient; 0: any")
    projection: Projection = Field(description="which rows are scaled back to the limit after a batch, and to which")
    projection_limit: float = Field(gt=0, lt=1, description="largest norm after the projection")
    project_all_every: int = Field(ge=0, description="also project all rows every so many batches; 0: never")
    parametrisation: Parametrisation = Field(description="ball: rows are points; tanh: logarithms, never projected")
    radial_nudge: float = Field(ge=0, lt=1, description="share of the way to its target that a named row is moved")

    @model_validator(mode="after")
    def _projects_points(self) -> DenseOptions:
        if self.parametrisation == "tanh" and self.project_all_every:
            raise ValueError("parametrisation tanh is never projected: set project_all_every to 0")
        return self

    def limit(self, epoch: int, epochs: int) -> float:
        """Largest norm after the projection in an epoch of so many.

        With eps = 1 - projection_limit, `schedule_as_written` is the documents' eps (1 - epoch / epochs), which they
        call stricter but which loosens to 1; `schedule_corrected` is eps 100^(epoch / epochs), which tightens
        exponentially. The others keep the limit.
        """
        eps, done = 1.0 - self.projection_limit, epoch / max(epochs, 1)
        match self.projection:
            case "schedule_as_written":
                return 1.0 - eps * (1.0 - done)
            case "schedule_corrected":
                return max(1.0 - eps * STRICTER**done, 0.0)
        return self.projection_limit
