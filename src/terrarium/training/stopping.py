"""Which epoch is the best so far, and when a training should stop early."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Literal

from terrarium.training.checkpointing.state import JSON

Direction = Literal["min", "max"]


@dataclass(frozen=True)
class StoppingState:
    """The counters of early stopping.

    Attributes:
        best: best value so far, None before the first.
        best_epoch: epoch of `best`, 0 before the first.
        reference: value that the next must beat by more than `min_delta` to count as progress.
        waited: measured epochs since the last progress.
    """

    best: float | None = None
    best_epoch: int = 0
    reference: float | None = None
    waited: int = 0

    def as_json(self) -> dict[str, JSON]:
        """Return the counters as a JSON object; `StoppingState(**counters)` reads it back."""
        return asdict(self)


@dataclass(frozen=True)
class EarlyStopping:
    """Stop after `patience` measured epochs in a row without progress of more than `min_delta`; patience 0 never stops.

    Any gain, however small, makes an epoch the best; only a gain of more than `min_delta` resets the patience.
    """

    patience: int
    min_delta: float
    direction: Direction = "min"

    def update(self, state: StoppingState, epoch: int, value: float) -> StoppingState:
        """Return the counters after `epoch` has reached `value`; NaN means that the epoch was not measured."""
        if math.isnan(value):
            return state
        if self._beats(value, state.best, 0.0):
            state = replace(state, best=value, best_epoch=epoch)
        if self._beats(value, state.reference, self.min_delta):
            return replace(state, reference=value, waited=0)
        return replace(state, waited=state.waited + 1)

    def should_stop(self, state: StoppingState) -> bool:
        """Return whether the patience is used up."""
        return 0 < self.patience <= state.waited

    def _beats(self, value: float, other: float | None, margin: float) -> bool:
        if other is None:
            return True
        gain = other - value if self.direction == "min" else value - other
        return gain > margin
