"""Axes: dimensions whose signs are the poles of antonyms, found on some pairs and tested on others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.common.arrays import BoolArray, Float32Array, Int64Array
from terrarium.senses.data.relations import Lexicon
from terrarium.senses.data.splitting import select_pairs
from terrarium.senses.models.vectors import SenseVectors

QUERY_HALF, TEST = "query_half", "test"
"""What axes are tested on: the half of the trained antonyms that did not define them, and held-out antonyms."""
COLUMNS = ["dimension", "positive", "negative", "test", "pairs", "agreement", "null_mean", "null_95"]


@dataclass(frozen=True, eq=False)
class Antonyms:
    """Vectors (n, D) of both ends of antonym pairs, and their lemmas (n,)."""

    first: Float32Array
    second: Float32Array
    first_lemma: NDArray[np.str_]
    second_lemma: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.first)

    def take(self, positions: Int64Array) -> Antonyms:
        """Return the pairs at some positions."""
        return Antonyms(*(getattr(self, name)[positions] for name in self.__dataclass_fields__))


class NearestPairs(NamedTuple):
    """For each pair the nearest defining pair (n,), and whether it is nearer with its ends swapped (n,)."""

    position: Int64Array
    swapped: BoolArray


def select_antonyms(vectors: SenseVectors, lexicon: Lexicon, split: str) -> Antonyms:
    """Return the antonyms of a split that name senses at both ends."""
    pairs = select_pairs(lexicon.relations, "antonym", split)
    pairs = pairs[(pairs["head_sense"] >= 0) & (pairs["tail_sense"] >= 0)]
    lemma = lexicon.senses["lemma"].to_numpy(str)
    head, tail = pairs["head_sense"].to_numpy(), pairs["tail_sense"].to_numpy()
    return Antonyms(vectors.senses[head], vectors.senses[tail], lemma[head], lemma[tail])


def find_axes(
    vectors: SenseVectors, lexicon: Lexicon, *, min_pairs: int, num_directions: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Find axes on one half of the trained antonyms, and test them on the other half and on held-out antonyms.

    An axis is a dimension on which at least `min_pairs` pairs of the defining half oppose most. A tested pair belongs
    to the axis of its nearest defining pair, whatever its own entries are, and takes its poles from that pair. It
    agrees with the axis if each of its ends is on the side of its pole. Random directions are tested the same way.

    Args:
        vectors: to evaluate.
        lexicon: senses, and pairs with the column split as its relations.
        min_pairs: smallest number of defining and of tested pairs.
        num_directions: number of random directions.
        rng: of the halves and the directions.

    Returns:
        Columns dimension (x0, ...), positive and negative (lemmas of the pair that opposes most), test (query_half or
        test), pairs (number tested), agreement (fraction), null_mean and null_95 (mean and 95 % quantile of the
        agreement of random directions).
    """
    trained = select_antonyms(vectors, lexicon, "train")
    order = rng.permutation(len(trained))
    defining, rest = trained.take(order[: len(order) // 2]), trained.take(order[len(order) // 2 :])
    dimension_of = _most_opposed_dimensions(defining)
    tested = {QUERY_HALF: rest, TEST: select_antonyms(vectors, lexicon, "test")}
    axis_of = {
        test: dimension_of[_nearest_pairs(defining, pairs).position] for test, pairs in tested.items() if len(defining)
    }
    rows = []
    for dimension in range(vectors.dim):
        own = defining.take(np.flatnonzero(dimension_of == dimension))
        if len(own) < min_pairs:
            continue
        for test, axis in axis_of.items():
            pairs = tested[test].take(np.flatnonzero(axis == dimension))
            if len(pairs) >= min_pairs:
                numbers = _test_axis(own, pairs, dimension, num_directions, rng)
                rows.append({**_poles(own, dimension), "test": test, "pairs": len(pairs), **numbers})
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values(["test", "pairs"], ascending=False).reset_index(drop=True)


def axes_metrics(axes: pd.DataFrame) -> dict[str, float]:
    """Return the number of axes, of those above the 95 % quantile of random directions, and the mean agreements.

    Args:
        axes: from `find_axes`.

    Returns:
        For the query half and, with axes_held_out in place of axes, for the test split: axes, axes_beyond_null,
        axes_agreement and axes_null_agreement (weighted by pairs).
    """
    metrics: dict[str, float] = {}
    for test, name in ((QUERY_HALF, "axes"), (TEST, "axes_held_out")):
        own = axes[axes["test"] == test]
        metrics[name] = float(len(own))
        metrics[f"{name}_beyond_null"] = float((own["agreement"] > own["null_95"]).sum())
        if len(own):
            metrics[f"{name}_agreement"] = float(np.average(own["agreement"], weights=own["pairs"]))
            metrics[f"{name}_null_agreement"] = float(np.average(own["null_mean"], weights=own["pairs"]))
    return metrics


def _most_opposed_dimensions(pairs: Antonyms) -> Int64Array:
    """Return the dimension (n,) on which each pair opposes most, -1 if it opposes on none."""
    if not len(pairs):
        return np.zeros(0, np.int64)
    product = np.minimum(pairs.first * pairs.second, 0)
    return np.where(product.min(axis=1) < 0, product.argmin(axis=1), -1)


def _poles(pairs: Antonyms, dimension: int) -> dict[str, str]:
    strongest = int((pairs.first[:, dimension] * pairs.second[:, dimension]).argmin())
    ends = [str(pairs.first_lemma[strongest]), str(pairs.second_lemma[strongest])]
    if pairs.first[strongest, dimension] < 0:
        ends.reverse()
    return {"dimension": f"x{dimension}", "positive": ends[0], "negative": ends[1]}


def _test_axis(
    defining: Antonyms, tested: Antonyms, dimension: int, num_directions: int, rng: np.random.Generator
) -> dict[str, float]:
    size = defining.first.shape[1]
    axis = np.zeros(size, np.float32)
    axis[dimension] = 1.0
    null = [_agreement(defining, tested, _random_direction(size, rng)) for _ in range(num_directions)]
    return {
        "agreement": _agreement(defining, tested, axis),
        "null_mean": float(np.mean(null)),
        "null_95": float(np.quantile(null, 0.95)),
    }


def _agreement(defining: Antonyms, tested: Antonyms, direction: Float32Array) -> float:
    """Return the fraction of the tested pairs whose ends are on the sides that their nearest defining pairs give.

    The direction is removed from the vectors that decide which pair is nearest.
    """
    nearest = _nearest_pairs(_remove(defining, direction), _remove(tested, direction))
    sign = np.sign((defining.first - defining.second) @ direction)[nearest.position]
    sign = sign * np.where(nearest.swapped, -1, 1)
    agrees = (tested.first @ direction * sign > 0) & (tested.second @ direction * sign < 0)
    return float(agrees.mean())


def _nearest_pairs(defining: Antonyms, tested: Antonyms) -> NearestPairs:
    straight = tested.first @ defining.first.T + tested.second @ defining.second.T
    crossed = tested.first @ defining.second.T + tested.second @ defining.first.T
    best = np.maximum(straight, crossed).argmax(axis=1)
    row = np.arange(len(best))
    return NearestPairs(best, crossed[row, best] > straight[row, best])


def _remove(pairs: Antonyms, direction: Float32Array) -> Antonyms:
    first, second = (rows - np.outer(rows @ direction, direction) for rows in (pairs.first, pairs.second))
    return replace(pairs, first=first, second=second)


def _random_direction(size: int, rng: np.random.Generator) -> Float32Array:
    drawn = rng.standard_normal(size).astype(np.float32)
    direction: Float32Array = drawn / np.linalg.norm(drawn)
    return direction
