"""Batches of a training: links, negatives, pairs of the taxonomy and antonyms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrarium.senses.data.taxonomy import draw_pairs
from terrarium.senses.training.problem import Links, Problem


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows of one batch.

    Attributes:
        links: (B,) pairs.
        negatives: (K,) rows of synsets.
        first, second, similarity: (P,) pairs of the taxonomy and what their cosine should be.
        antonyms: (A,) pairs.
    """

    links: Links
    negatives: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: NDArray[np.float32]
    antonyms: Links


@dataclass(frozen=True)
class Shape:
    """Sizes of the batches.

    Attributes:
        links: pairs a batch.
        negatives: shared by a batch.
        taxonomic, antonyms: pairs for each pair of a batch.
        near: share of the taxonomic pairs below a common ancestor.
    """

    links: int
    negatives: int
    taxonomic: float
    antonyms: float
    near: float


def batches(
    links: Links, antonyms: Links, problem: Problem, shape: Shape, rng: np.random.Generator, *, held_out: bool = False
) -> Iterator[Batch]:
    """All links once, in random order, with fresh negatives, pairs of the taxonomy and antonyms.

    Args:
        links, antonyms: of the part.
        problem: for its taxonomy.
        shape: of the batches.
        rng: of everything drawn.
        held_out: take the pairs of the taxonomy that are never trained on.
    """
    order = rng.permutation(len(links))
    for start in range(0, len(order), shape.links):
        chosen = links.take(order[start : start + shape.links])
        first, second, similarity = draw_pairs(
            problem.taxonomy, round(shape.taxonomic * len(chosen)), near=shape.near, held_out=held_out, rng=rng
        )
        some = rng.integers(0, len(antonyms), round(shape.antonyms * len(chosen))) if len(antonyms) else _NONE
        yield Batch(
            links=chosen,
            negatives=rng.integers(0, problem.synsets, shape.negatives),
            first=first.astype(np.int64),
            second=second.astype(np.int64),
            similarity=similarity,
            antonyms=antonyms.take(some),
        )


_NONE = np.zeros(0, np.int64)
