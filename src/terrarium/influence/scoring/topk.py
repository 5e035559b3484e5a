"""The strongest proponents and opponents of each triple, of any number of training triples, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrarium.common.arrays import Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class Strongest:
    """(T, k) places of training triples and their influences: the highest first, and the lowest first.

    Only those of the right sign are proponents or opponents, so that no triple is both.
    """

    proponents: Int64Array
    proponent_scores: Float64Array
    opponents: Int64Array
    opponent_scores: Float64Array

    @property
    def sides(self) -> dict[str, tuple[Int64Array, Float64Array, NDArray[np.bool_]]]:
        """By name, the places, the influences, and which of them have the side's sign."""
        return {
            "proponent": (self.proponents, self.proponent_scores, self.proponent_scores > 0),
            "opponent": (self.opponents, self.opponent_scores, self.opponent_scores < 0),
        }


def strongest(stream: Iterable[tuple[Int64Array, Tensor]], count: int) -> Strongest:
    """The `count` highest and lowest of a stream of places (B,) and influences (B, T); it holds at least so many."""
    high = low = None
    for places, values in stream:
        at = torch.from_numpy(places).to(values.device)[:, None].expand(values.shape)
        high = _merge(high, values, at, count)
        low = _merge(low, -values, at, count)
    if high is None or low is None:
        raise ValueError("there are no training triples to choose from")
    (high_values, high_at), (low_values, low_at) = (
        (values.T.double().cpu().numpy(), at.T.cpu().numpy()) for values, at in (high, low)
    )
    return Strongest(high_at, high_values, low_at, -low_values)


def _merge(held: tuple[Tensor, Tensor] | None, values: Tensor, at: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The highest of what is held and what comes, column by column."""
    if held is not None:
        values, at = torch.cat([held[0], values]), torch.cat([held[1], at])
    best = torch.topk(values, min(count, len(values)), dim=0)
    return best.values, at.gather(0, best.indices)
