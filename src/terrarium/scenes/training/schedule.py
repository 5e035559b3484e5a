"""Learning rates as functions of how far training is."""

from __future__ import annotations

import math

from terrarium.scenes.options import ScheduleOptions


def rate_at(options: ScheduleOptions, epoch: int, share: float, epochs: int) -> float:
    """The learning rate at a share of an epoch (from 1) of so many."""
    if options.warm_restarts:
        return _loops(options, epoch)
    done = epoch - 1 + share
    warm = options.warmup_epochs
    if done < warm:
        return options.learning_rate * done / warm
    if not options.cosine:
        return options.learning_rate
    return _cosine(options.learning_rate, options.min_lr_ratio, (done - warm) / max(epochs - warm, 1e-9))


def warmup_factor(options: ScheduleOptions, epoch: int) -> float:
    """The documents' factor in an epoch: (e + 1) / warm-up epochs, e from 0, until it is 1."""
    return min(1.0, epoch / options.warmup_epochs) if options.warmup_epochs else 1.0


def loop_of(options: ScheduleOptions, epoch: int) -> tuple[int, int]:
    """The loop, and the epoch within it, both from 1; one loop when the kind is step."""
    if not options.warm_restarts:
        return 1, epoch
    return (epoch - 1) // options.cycle_epochs + 1, (epoch - 1) % options.cycle_epochs + 1


def _loops(options: ScheduleOptions, epoch: int) -> float:
    """Rate times decay^loop; warm-up by global epochs, while the cosine of the loop does not move on."""
    loop, within = loop_of(options, epoch)
    base = options.learning_rate * options.restart_decay ** (loop - 1)
    if epoch <= options.warmup_epochs:
        return base * warmup_factor(options, epoch)
    if not options.cosine:
        return base
    first = (loop - 1) * options.cycle_epochs
    idle = max(0, options.warmup_epochs - first)
    return _cosine(base, options.min_lr_ratio, (within - 1 - idle) / options.cycle_epochs)


def _cosine(rate: float, floor: float, share: float) -> float:
    """floor + (1 - floor) (1 + cos(pi share)) / 2 of the rate (Loshchilov and Hutter 2017)."""
    return rate * (floor + (1.0 - floor) * (1.0 + math.cos(math.pi * min(share, 1.0))) / 2.0)
