"""Named axes: dimensions whose two sides are the poles of antonyms, found on some pairs and tested on others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.senses.data.splitting import relation_rows
from terrarium.senses.models.vectors import Floats, Vectors

TESTS = ("half", "held-out")
"""The half of the trained antonyms that found nothing, and antonyms that no training saw."""


@dataclass(frozen=True, eq=False)
class Opposites:
    """Rows (n, D) of both ends of antonyms, and their lemmas (n,)."""

    first: Floats
    second: Floats
    first_lemma: NDArray[np.str_]
    second_lemma: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.first)

    def take(self, places: NDArray[np.int64]) -> Opposites:
        """Some of the pairs."""
        return Opposites(*(getattr(self, name)[places] for name in self.__dataclass_fields__))


def opposites(vectors: Vectors, senses: pd.DataFrame, pairs: pd.DataFrame, part: str) -> Opposites:
    """Antonyms of a part that name senses at both ends."""
    chosen = relation_rows(pairs, "antonym", part)
    chosen = chosen[(chosen["head_sense"] >= 0) & (chosen["tail_sense"] >= 0)]
    lemma = senses["lemma"].to_numpy(str)
    head, tail = chosen["head_sense"].to_numpy(), chosen["tail_sense"].to_numpy()
    return Opposites(vectors.senses[head], vectors.senses[tail], lemma[head], lemma[tail])


def antonym_axes(
    vectors: Vectors, senses: pd.DataFrame, pairs: pd.DataFrame, minimum: int, directions: int, rng: np.random.Generator
) -> pd.DataFrame:
    """How well dimensions tell the poles of antonyms that did not name them.

    An axis is a dimension on which at least `minimum` pairs of one half of the trained antonyms oppose most. A tested
    pair belongs to the axis, and takes its poles, from its nearest pair of that half, whatever it does itself; it
    agrees where each of its ends lies on the side of its pole. The same is asked of random directions.

    Args:
        vectors, senses, pairs: as evaluated.
        minimum: pairs on either side of the test.
        directions: random directions.
        rng: of the halves and the directions.

    Returns:
        dimension, positive, negative (words of the pair that opposes most), test (half or held-out), pairs (tested),
        agreement, null_mean and null_95 of the random directions.
    """
    trained = opposites(vectors, senses, pairs, "train")
    order = rng.permutation(len(trained))
    found, rest = trained.take(order[: len(order) // 2]), trained.take(order[len(order) // 2 :])
    place = _most_opposed(found)
    tested = dict(zip(TESTS, (rest, opposites(vectors, senses, pairs, "test")), strict=True))
    belongs = {test: place[_nearest(found, opposed)[0]] for test, opposed in tested.items() if len(found)}
    rows = []
    for dimension in range(vectors.synsets.shape[1]):
        own = found.take(np.flatnonzero(place == dimension))
        if len(own) < minimum:
            continue
        for test, axis in belongs.items():
            mine = tested[test].take(np.flatnonzero(axis == dimension))
            if len(mine) >= minimum:
                numbers = _beside_random(own, mine, dimension, directions, rng)
                rows.append({**_poles(own, dimension), "test": test, "pairs": len(mine), **numbers})
    columns = ["dimension", "positive", "negative", "test", "pairs", "agreement", "null_mean", "null_95"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["test", "pairs"], ascending=False).reset_index(drop=True)


def axes_metrics(axes: pd.DataFrame) -> dict[str, float]:
    """Axes, those above the 95 % quantile of random directions, and mean agreement beside theirs, of either test."""
    numbers: dict[str, float] = {}
    for test in TESTS:
        own, name = axes[axes["test"] == test], "axes" if test == TESTS[0] else "axes_held_out"
        numbers[name] = float(len(own))
        numbers[f"{name}_beyond_null"] = float((own["agreement"] > own["null_95"]).sum())
        if len(own):
            numbers[f"{name}_agreement"] = float(np.average(own["agreement"], weights=own["pairs"]))
            numbers[f"{name}_null_agreement"] = float(np.average(own["null_mean"], weights=own["pairs"]))
    return numbers


def _most_opposed(pairs: Opposites) -> NDArray[np.int64]:
    """The dimension (n,) on which each pair opposes most, -1 where none does."""
    product = np.minimum(pairs.first * pairs.second, 0)
    if not len(pairs):
        return np.zeros(0, np.int64)
    return np.where(product.min(axis=1) < 0, product.argmin(axis=1), -1)


def _poles(pairs: Opposites, dimension: int) -> dict[str, str]:
    strongest = int((pairs.first[:, dimension] * pairs.second[:, dimension]).argmin())
    ends = [str(pairs.first_lemma[strongest]), str(pairs.second_lemma[strongest])]
    if pairs.first[strongest, dimension] < 0:
        ends.reverse()
    return {"dimension": f"x{dimension}", "positive": ends[0], "negative": ends[1]}


def _beside_random(
    found: Opposites, tested: Opposites, dimension: int, directions: int, rng: np.random.Generator
) -> dict[str, float]:
    size = found.first.shape[1]
    own = np.zeros(size, np.float32)
    own[dimension] = 1.0
    null = [_agreement(found, tested, _direction(size, rng)) for _ in range(directions)]
    return {
        "agreement": _agreement(found, tested, own),
        "null_mean": float(np.mean(null)),
        "null_95": float(np.quantile(null, 0.95)),
    }


def _agreement(found: Opposites, tested: Opposites, direction: Floats) -> float:
    """Share of the tested pairs whose ends lie on the sides that the nearest found pair gives them.

    The direction is left out of the vectors that decide which pair is nearest.
    """
    best, turned = _nearest(_without(found, direction), _without(tested, direction))
    way = np.sign((found.first - found.second) @ direction)[best] * np.where(turned, -1, 1)
    agrees = (tested.first @ direction * way > 0) & (tested.second @ direction * way < 0)
    return float(agrees.mean())


def _nearest(found: Opposites, tested: Opposites) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The found pair whose ends have the largest cosines with those of each tested one, and whether crosswise."""
    straight = tested.first @ found.first.T + tested.second @ found.second.T
    crossed = tested.first @ found.second.T + tested.second @ found.first.T
    best = np.maximum(straight, crossed).argmax(axis=1)
    row = np.arange(len(best))
    return best, crossed[row, best] > straight[row, best]


def _without(pairs: Opposites, direction: Floats) -> Opposites:
    first, second = (rows - np.outer(rows @ direction, direction) for rows in (pairs.first, pairs.second))
    return replace(pairs, first=first, second=second)


def _direction(size: int, rng: np.random.Generator) -> Floats:
    drawn = rng.standard_normal(size).astype(np.float32)
    direction: Floats = drawn / np.linalg.norm(drawn)
    return direction
