"""Options of the pairs of an epoch, of their negatives and their margins."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from pydantic import Field

from terrarium.common.options import Options

NegativeSampler = Literal["outside", "non_ancestors", "same_depth", "random", "tiered"]
PairSet = Literal["closure", "parent_child"]


class Phase(Options):
    """From an epoch on, pairs up to a depth difference."""

    epoch: int = Field(ge=1, description="first epoch of the phase")
    max_difference: int | None = Field(ge=1, description="largest depth difference; null: any")


class DepthMargin(Options):
    """A margin that grows with the depth difference."""

    min: float = Field(ge=0, description="at difference 0")
    max: float = Field(ge=0, description="at the depth of the tree")


Curriculum = Literal["auto"] | list[Phase]


def check_curriculum(curriculum: Curriculum) -> None:
    """Refuse phases that do not begin at epoch 1 or do not rise.

    Raises:
        ValueError: saying which.
    """
    if curriculum == "auto" or not curriculum:
        return
    starts = [phase.epoch for phase in curriculum]
    if starts[0] != 1 or any(later <= earlier for earlier, later in pairwise(starts)):
        raise ValueError(f"curriculum must begin with epoch 1 and rise, not {starts}")
