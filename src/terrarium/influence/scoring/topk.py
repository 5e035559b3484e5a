"""The top proponents and opponents of each query triple, among any number of training triples, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from terrarium.common.arrays import BoolArray, Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class Ranking:
    """Training triples in the order of their influence on each of T query triples.

    Attributes:
        index: (T, k) indices of training triples, strongest first.
        score: (T, k) their influences.
        counts: (T, k) whether the influence has the right sign; the others are neither proponents nor opponents.
    """

    index: Int64Array
    score: Float64Array
    counts: BoolArray


@dataclass(frozen=True, eq=False)
class TopK:
    """Proponents (positive influence) and opponents (negative influence) of T query triples."""

    proponents: Ranking
    opponents: Ranking

    @staticmethod
    def of(high_index: Int64Array, high: Float64Array, low_index: Int64Array, low: Float64Array) -> TopK:
        """Take the highest and the lowest influences (T, k), strongest first, and their training triples."""
        return TopK(Ranking(high_index, high, high > 0), Ranking(low_index, low, low < 0))

    @property
    def sides(self) -> dict[str, Ranking]:
        """The rankings by name."""
        return {"proponent": self.proponents, "opponent": self.opponents}


def select_top_k(stream: Iterable[tuple[Int64Array, Tensor]], count: int) -> TopK:
    """Return the highest and lowest influences of a stream.

    Args:
        stream: blocks of indices (B,) and influences (B, T), as `stream_influence` yields them.
        count: k.

    Raises:
        ValueError: the stream is empty.
    """
    high = low = None
    for block, values in stream:
        index = torch.from_numpy(block).to(values.device)[:, None].expand(values.shape)
        high = _merge(high, values, index, count)
        low = _merge(low, -values, index, count)
    if high is None or low is None:
        raise ValueError("there are no training triples to choose from")
    (high_values, high_index), (low_values, low_index) = (
        (values.T.double().cpu().numpy(), index.T.cpu().numpy()) for values, index in (high, low)
    )
    return TopK.of(high_index, high_values, low_index, -low_values)


def concatenate(parts: Sequence[TopK]) -> TopK:
    """Return the rankings of several batches of query triples as one."""
    rankings = ([part.proponents for part in parts], [part.opponents for part in parts])
    (high_index, high), (low_index, low) = (
        (np.concatenate([one.index for one in side]), np.concatenate([one.score for one in side])) for side in rankings
    )
    return TopK.of(high_index, high, low_index, low)


def _merge(best: tuple[Tensor, Tensor] | None, values: Tensor, index: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the highest values of each column, and their indices, among the best so far and new ones."""
    if best is not None:
        values, index = torch.cat([best[0], values]), torch.cat([best[1], index])
    top = torch.topk(values, min(count, len(values)), dim=0)
    return top.values, index.gather(0, top.indices)
