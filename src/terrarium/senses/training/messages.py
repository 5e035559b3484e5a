"""Log messages of a training."""

from __future__ import annotations

import logging

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.senses.options import ModelOptions, TrainingOptions


def log_columns(logger: logging.Logger, epoch: int, density: Float64Array, detail: str) -> None:
    """Log statistics of the columns.

    Args:
        logger: to write to.
        epoch: number of the epoch.
        density: (D,) fraction of rows with a nonzero entry in each column.
        detail: a further statistic.
    """
    groups = np.histogram(density, bins=[0.0, 0.1, 0.3, 0.7, 1.0 + 1e-9])[0]
    logger.info("[Epoch %d] Dimension statistics:", epoch)
    logger.info("  Total dimensions: %d, %s", len(density), detail)
    logger.info("  By density: %d below 10%%, %d to 30%%, %d to 70%%, %d above", *(int(g) for g in groups))


def log_settings(logger: logging.Logger, model: ModelOptions, training: TrainingOptions) -> None:
    """Log the main settings before a training."""
    growth, stopping = training.growth, training.stopping
    if growth.enabled:
        logger.info("  Dynamic dimensions enabled: %d -> max %d (%s)", model.dim, growth.max_dim, growth.rule)
        logger.info("  Expansion check interval: every %d epochs", growth.expand_interval)
        logger.info("  Expansion amount: %d dims per expansion", growth.expand_by)
    else:
        logger.info("  Fixed dimensions: %d", model.dim)
    if stopping.patience:
        logger.info("  Early stopping enabled: patience=%d, min_delta=%g", stopping.patience, stopping.min_delta)
    else:
        logger.info("  Early stopping disabled: %d epochs", training.max_epochs)
    axes = "named axes" if training.named_axes.enabled else "no named axes"
    logger.info("  Batch size: %d, %s", training.batch_size, axes)


def log_losses(logger: logging.Logger, train: dict[str, float], validation: dict[str, float]) -> None:
    """Log the total loss and its parts on both splits."""
    for name, means in (("Train", train), ("Val  ", validation)):
        parts = ", ".join(f"{part}: {value:.4f}" for part, value in means.items() if part != "loss")
        logger.info("  %s - total: %.4f, %s", name, means["loss"], parts)


def log_zeros(logger: logging.Logger, zeros: float, log_range: tuple[float, float]) -> None:
    """Log the fraction of exact zeros and its target range."""
    low, high = (f"{fraction:.0%}" for fraction in log_range)
    logger.info("  Sparsity: %.1f%% exact zeros (target: %s to %s)", 100 * zeros, low, high)
