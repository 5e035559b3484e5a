"""Vector operations of the model in PyTorch.

A relation r maps a head h to the query q_r(h) = normalize(h * scale_r + shift_r), with one scale and one shift per
dimension, and its inverse has another pair: that is what gives is-a its direction. Antonymy is a reflection: its scale
is -1 on the few polar dimensions and 1 elsewhere, its shift is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from terrarium.common.arrays import BoolArray

if TYPE_CHECKING:
    from torch import Tensor

POLAR_EVERY = 20
"""One dimension in this many is polar."""


class RelationOperators(NamedTuple):
    """Scale and shift (2 R, D) of the R relations, followed by those of their inverses."""

    scale: Tensor
    shift: Tensor


def polar_columns(first: int, count: int) -> BoolArray:
    """Return which of the columns first .. first + count - 1 are polar: the last of every twenty."""
    polar: BoolArray = np.arange(first, first + count) % POLAR_EVERY == POLAR_EVERY - 1
    return polar


def normalize(rows: Tensor) -> Tensor:
    """Return rows (..., D) at length 1; rows of zeros stay zero."""
    import torch

    return torch.nn.functional.normalize(rows, dim=-1)


def query(heads: Tensor, relation: Tensor, operators: RelationOperators) -> Tensor:
    """Return the queries (B, D) of heads (B, D) in relations (B,); R + r is the inverse of r."""
    scale, shift = (operator.index_select(0, relation) for operator in operators)
    return normalize(heads * scale + shift)
