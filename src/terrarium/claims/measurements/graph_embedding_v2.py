"""Measurements of statements of "Graph embedding V2"."""

from __future__ import annotations

import numpy as np
import torch

from terrarium.claims.measurements.measure import Family, Measured, named
from terrarium.scenes.graphs.views import View
from terrarium.scenes.options import AugmentationOptions, ScheduleOptions
from terrarium.scenes.training.augmentations import augment_view
from terrarium.scenes.training.losses import info_nce
from terrarium.scenes.training.schedule import learning_rate

_DIM, _PAIRS = 96, 768
_SCHEDULE = ScheduleOptions(
    warm_restarts=True, warmup_epochs=3, cosine=True, min_lr_ratio=0.1, cycle_epochs=4, restart_decay=0.85
)
_PEAK, _DECAY = 0.0015, 5e-6


def _views(seed: int, count: int, noise: float = 0.6) -> tuple[torch.Tensor, torch.Tensor]:
    """Return two noisy views of random vectors: the same vectors and noise for every batch size."""
    draw = torch.Generator().manual_seed(seed)
    first = torch.randn(_PAIRS, _DIM, generator=draw)
    second = first + noise * 3.0 * torch.randn(_PAIRS, _DIM, generator=draw)
    return first[:count], second[:count]


def _loss(seed: int, count: int, temperature: float) -> float:
    return info_nce(*_views(seed, count), temperature).item()


def loss_ratio_of_batches(seed: int) -> Measured:
    """Return the loss with batches of 768 divided by that of the same vectors with batches of 64."""
    return Measured([_loss(seed + i, 768, 0.07) / _loss(seed + i, 64, 0.07) for i in range(5)], " times")


def loss_change_of_temperature(seed: int) -> Measured:
    """Return by how many per cent the loss of the same vectors is lower with temperature 0.07 than with 0.1."""
    found = [100.0 * (1.0 - _loss(seed + i, 384, 0.07) / _loss(seed + i, 384, 0.1)) for i in range(5)]
    return Measured(found, " %")


def sharper_similarities(seed: int) -> Measured:
    """Return the entropy of the softmax of similarities with temperature 0.07 divided by that with 0.1."""
    found = []
    for i in range(5):
        first, second = (torch.nn.functional.normalize(view, dim=1) for view in _views(seed + i, 384))
        entropy = [
            torch.special.entr(torch.softmax(first @ second.T / temperature, dim=1)).sum(dim=1).mean().item()
            for temperature in (0.07, 0.1)
        ]
        found.append(entropy[0] / entropy[1])
    return Measured(found)


def first_warmup_rate(_seed: int) -> Measured:
    """Return the rate of the first epoch as a fraction of the peak."""
    return Measured([learning_rate(_PEAK, _SCHEDULE, 1, 1.0, 60) / _PEAK])


def last_rate_of_a_cycle(_seed: int) -> Measured:
    """Return the rate of the last epoch of the second cycle as a fraction of that cycle's peak."""
    return Measured([learning_rate(_PEAK, _SCHEDULE, 8, 1.0, 60) / (_PEAK * 0.85)])


def jump_at_a_restart(_seed: int) -> Measured:
    """Return by what the rate jumps from the last epoch of the second cycle to the first of the third."""
    rates = [learning_rate(_PEAK, _SCHEDULE, epoch, 1.0, 60) for epoch in (8, 9)]
    return Measured([rates[1] / rates[0]], " times")


def decay_of_60_epochs(_seed: int) -> Measured:
    """Return by how many per cent weight decay shrinks a weight in 60 epochs of 1,015 batches at the peak rate."""
    return Measured([100.0 * (1.0 - (1.0 - _PEAK * _DECAY) ** (60 * 1015))], " %")


def half_dropped_relations(seed: int) -> Measured:
    """Return the percentage of relations that lose one of their two directions if edges are dropped one by one."""
    count, shares = 5000, []
    for i in range(5):
        pair = np.repeat(np.arange(count), 2)
        ends = np.stack([np.arange(2 * count), np.arange(2 * count) ^ 1])
        view = View(np.zeros((2 * count, 7), np.float32), ends, np.zeros((2 * count, 7), np.float32), pair, pair, count)
        kept = np.bincount(augment_view(view, _augmentation(), np.random.default_rng(seed + i)).pair, minlength=count)
        shares.append(100.0 * np.mean(kept == 1))
    return Measured(shares, " %")


def noise_of_speed(seed: int) -> Measured:
    """Return by how many per cent the noise of 0.08 m/s changes a speed of 10 m/s, on average."""
    count = 5000
    nodes = np.zeros((count, 7), np.float32)
    nodes[:, 0] = 10.0
    edges = np.zeros((2, 0), np.int64)
    view = View(nodes, edges, np.zeros((0, 7), np.float32), np.zeros(0, np.int64), np.arange(count), count)
    changed = augment_view(view, _augmentation(), np.random.default_rng(seed)).x[:, 0]
    return Measured([float(100.0 * np.abs(changed - 10.0).mean() / 10.0)], " %")


def more_numbers(_seed: int) -> Measured:
    """Return by how many per cent 192 numbers are more than 128."""
    return Measured([100.0 * (192 / 128 - 1.0)], " %")


def hidden_ratio(_seed: int) -> Measured:
    """Return hidden channels divided by the embedding's numbers, in the system's two configurations and ours."""
    return Measured([384 / 192])


def _augmentation() -> AugmentationOptions:
    return AugmentationOptions(
        apply_to="second",
        node_noise=0.08,
        edge_noise=0.08,
        edge_drop_prob=0.1,
        drop_edge_pairs=False,
        node_drop_prob=0.0,
        temporal_positive_prob=0.0,
    )


MEASUREMENTS = Family(
    small=named(
        loss_ratio_of_batches,
        loss_change_of_temperature,
        sharper_similarities,
        first_warmup_rate,
        last_rate_of_a_cycle,
        jump_at_a_restart,
        decay_of_60_epochs,
        half_dropped_relations,
        noise_of_speed,
        more_numbers,
        hidden_ratio,
    ),
    large=named(),
)
