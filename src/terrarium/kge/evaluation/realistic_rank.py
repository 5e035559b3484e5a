"""Realistic ranks: the mean of the best and the worst place among equal scores (Berrendorf 2020)."""

from __future__ import annotations

import torch
from torch import Tensor


class ScoresNotFiniteError(ValueError):
    """Scores that no rank can be read from."""


def finite(scores: Tensor) -> Tensor:
    """The scores as they are.

    Raises:
        ScoresNotFiniteError: one is not a finite number, and would be placed first or last by chance of the sort.
    """
    if not torch.isfinite(scores).all():
        raise ScoresNotFiniteError(
            "scores are not finite, so there are no ranks: train with precision 32-true or a lower learning rate"
        )
    return scores


def realistic_ranks(scores: Tensor, target: Tensor, known_row: Tensor, known_entity: Tensor) -> Tensor:
    """(B,) filtered ranks from 1 of the targets, halves where scores are equal.

    Args:
        scores: (B, N), finite (see `finite`); the places of known answers are overwritten.
        target: (B,) the entity whose rank is wanted.
        known_row, known_entity: (K,) places of all known answers, which do not count; the target may be among them.
    """
    rows = torch.arange(len(target), device=scores.device)
    own = scores[rows, target]
    scores[known_row, known_entity] = -torch.inf
    scores[rows, target] = own
    better = (scores > own[:, None]).sum(1)
    equal = (scores == own[:, None]).sum(1)
    return better.double() + (equal.double() + 1) / 2
