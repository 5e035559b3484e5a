"""The learning rate as a function of the progress of a training."""

from __future__ import annotations

from terrarium.scenes.options import ScheduleOptions
from terrarium.training.schedules import cosine_rate


def learning_rate(peak: float, options: ScheduleOptions, epoch: int, fraction: float, epochs: int) -> float:
    """Return the rate of a step.

    Args:
        peak: the peak rate, before any restart.
        options: of the schedule.
        epoch: from 1.
        fraction: how much of the epoch is done after the step, 0 to 1.
        epochs: length of the training.
    """
    if options.warm_restarts:
        return _restarted_rate(peak, options, epoch)
    done = epoch - 1 + fraction
    if done < options.warmup_epochs:
        return peak * done / options.warmup_epochs
    if not options.cosine:
        return peak
    progress = (done - options.warmup_epochs) / max(epochs - options.warmup_epochs, 1e-9)
    return cosine_rate(peak, options.min_lr_ratio, progress)


def warmup_factor(options: ScheduleOptions, epoch: int) -> float:
    """Return the factor of an epoch (from 1) while it warms up, epoch / warmup_epochs, and 1 after that."""
    return min(1.0, epoch / options.warmup_epochs) if options.warmup_epochs else 1.0


def cycle_of(options: ScheduleOptions, epoch: int) -> tuple[int, int]:
    """Return the cycle of an epoch and the epoch within the cycle, both from 1; one cycle without restarts."""
    if not options.warm_restarts:
        return 1, epoch
    return (epoch - 1) // options.cycle_epochs + 1, (epoch - 1) % options.cycle_epochs + 1


def _restarted_rate(peak: float, options: ScheduleOptions, epoch: int) -> float:
    """Return peak x restart_decay^restarts along a cosine per cycle (Loshchilov and Hutter 2017).

    The warm-up counts epochs of the whole training; the cosine of a cycle waits for it.
    """
    cycle, within = cycle_of(options, epoch)
    peak *= options.restart_decay ** (cycle - 1)
    if epoch <= options.warmup_epochs:
        return peak * warmup_factor(options, epoch)
    if not options.cosine:
        return peak
    waited = max(0, options.warmup_epochs - (cycle - 1) * options.cycle_epochs)
    return cosine_rate(peak, options.min_lr_ratio, (within - 1 - waited) / options.cycle_epochs)
