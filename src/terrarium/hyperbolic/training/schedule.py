"""The learning rate of each epoch."""

from __future__ import annotations

from terrarium.hyperbolic.options import TrainingOptions
from terrarium.training.schedules import geometric_rate


class LearningRateSchedule:
    """Geometric from the first epoch's rate to the last one's, times a factor in the burn-in."""

    def __init__(self, options: TrainingOptions) -> None:
        """Take the rates from the options of the optimizer and the schedule."""
        self._first, self._last = options.optimizer.learning_rate, options.schedule.final_learning_rate
        self._burn_in_epochs, self._burn_in_factor = options.schedule.burn_in_epochs, options.schedule.burn_in_factor
        self._epochs = options.schedule_length

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, from 1."""
        factor = self._burn_in_factor if epoch <= self._burn_in_epochs else 1.0
        return factor * geometric_rate(self._first, self._last, epoch, self._epochs)
