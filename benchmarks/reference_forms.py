"""Training steps of "Taxonomy optimizations" before and after its optimisations, for `benchmarks.optimisations`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from torch import Tensor

Rows = NDArray[np.int64]
LIMIT = 1.0 - 1e-5
"""Largest norm that a projection leaves."""


def radius_penalty_loop(points: Tensor, depth: Mapping[int, int], max_depth: int) -> Tensor:
    """Return the mean over some rows of (|x| - target)^2 by a Python loop: the form before.

    Args:
        points: (N, d) ball coordinates.
        depth: depth of each row that counts.
        max_depth: depth at which the target norm is 0.95; it is 0.1 at depth 0 and linear between.
    """
    total = torch.zeros((), dtype=points.dtype)
    for row, level in depth.items():
        total = total + (points[row].norm() - (0.1 + 0.85 * level / max_depth)).square()
    return total / len(depth)


def radius_penalty_vectorised(points: Tensor, rows: Tensor, target: Tensor) -> Tensor:
    """Return the same for (R,) rows and their target norms: the form after."""
    return (points[rows].norm(dim=1) - target).square().mean()


def project_all(points: Tensor, limit: float = LIMIT) -> None:
    """Scale all rows beyond the limit back to it, in place: the form before."""
    norm = points.norm(dim=1, keepdim=True)
    points.mul_(torch.where(norm > limit, limit / norm, 1.0))


def project_batch(points: Tensor, named: Tensor, limit: float = LIMIT) -> None:
    """Scale the rows of a batch that are beyond the limit back to it, in place: the form after."""
    rows = torch.unique(named)
    part = points[rows]
    norm = part.norm(dim=1, keepdim=True)
    points[rows] = part * torch.where(norm > limit, limit / norm, 1.0)


def draw_same_depth(level: Rows, count: int, size: int, random: RandomState) -> Rows:
    """Draw rows of a level without replacement; a small level is padded with uniform rows out of all `size`.

    `RandomState.choice` permutes the level for each pair, as the functions of numpy did in that program.
    """
    drawn = random.choice(level, min(count, len(level)), replace=False)
    return np.concatenate([drawn, random.randint(0, size, count - len(drawn))])


def negatives_as_list(depths: Sequence[int], levels: Sequence[Rows], count: int, random: RandomState) -> Tensor:
    """Return (B, count) negatives of a batch by a list of arrays: the form before."""
    size = sum(map(len, levels))
    return tensor_of_list([draw_same_depth(levels[depth], count, size, random) for depth in depths])


def negatives_preallocated(depths: Sequence[int], levels: Sequence[Rows], count: int, random: RandomState) -> Tensor:
    """Return the same by one array, converted once: the form after."""
    size = sum(map(len, levels))
    return tensor_of_array([draw_same_depth(levels[depth], count, size, random) for depth in depths], count)


def tensor_of_list(drawn: Sequence[Rows]) -> Tensor:
    """Convert a list of arrays, which torch warns is slow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.tensor(drawn)


def tensor_of_array(drawn: Sequence[Rows], count: int) -> Tensor:
    """Convert the same by way of one (B, count) array."""
    filled = np.empty((len(drawn), count), np.int64)
    for i, row in enumerate(drawn):
        filled[i] = row
    return torch.from_numpy(filled)


def load_lists(batch: Sequence[Mapping[str, int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Return ancestors, descendants and depth differences of records by list comprehensions: the form before."""
    return (
        torch.tensor([pair["ancestor_idx"] for pair in batch]),
        torch.tensor([pair["descendant_idx"] for pair in batch]),
        torch.tensor([pair["depth_diff"] for pair in batch]),
    )


def load_arrays(batch: Sequence[Mapping[str, int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same by arrays of the size of the batch, converted once: the form after."""
    ancestor, descendant, difference = (np.empty(len(batch), np.int64) for _ in range(3))
    for i, pair in enumerate(batch):
        ancestor[i], descendant[i], difference[i] = pair["ancestor_idx"], pair["descendant_idx"], pair["depth_diff"]
    return torch.from_numpy(ancestor), torch.from_numpy(descendant), torch.from_numpy(difference)


def load_columns(columns: Sequence[NDArray[np.integer]], batch: Rows) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same from (P,) columns by the positions of the batch: the form of this project."""
    ancestor, descendant, difference = (torch.from_numpy(column[batch].astype(np.int64)) for column in columns)
    return ancestor, descendant, difference


def records(columns: Sequence[NDArray[np.integer]], batch: Rows) -> list[dict[str, int]]:
    """Return the records of seven fields that the program kept for each pair."""
    ancestor, descendant, difference, depth, ids = columns
    return [
        {
            "ancestor_idx": int(ancestor[p]),
            "descendant_idx": int(descendant[p]),
            "depth_diff": int(difference[p]),
            "ancestor_depth": int(depth[ancestor[p]]),
            "descendant_depth": int(depth[descendant[p]]),
            "ancestor_taxid": int(ids[ancestor[p]]),
            "descendant_taxid": int(ids[descendant[p]]),
        }
        for p in batch
    ]
