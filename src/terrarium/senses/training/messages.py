"""What a training says on its way."""

from __future__ import annotations

import logging

import numpy as np

from terrarium.senses.options import ModelOptions, TrainingOptions


def describe_columns(logger: logging.Logger, epoch: int, density: np.ndarray, active: float) -> None:
    """The block of dimension statistics; density is the share of rows with a number other than zero."""
    groups = np.histogram(density, bins=[0.0, 0.1, 0.3, 0.7, 1.0 + 1e-9])[0]
    logger.info("[Epoch %d] Dimension statistics:", epoch)
    logger.info("  Total dimensions: %d, active by energy: %d", len(density), round(active * len(density)))
    logger.info("  By density: %d below 10%%, %d to 30%%, %d to 70%%, %d above", *(int(g) for g in groups))


def gigabytes(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.2f} GB"


def announce(logger: logging.Logger, model: ModelOptions, training: TrainingOptions) -> None:
    """The banner of settings before a training."""
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
    mode = "unsupervised" if training.unsupervised else "named axes supervised"
    logger.info("  Objective: %s, %s; batch size: %d", training.objective, mode, training.batch_size)
