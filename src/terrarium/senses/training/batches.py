"""Batches: links with negatives, taxonomy pairs and antonym pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from terrarium.common.arrays import Float32Array, Int64Array
from terrarium.senses.data.taxonomy import sample_taxonomy_pairs
from terrarium.senses.options import SamplerOptions
from terrarium.senses.training.problem import Links, Problem

BATCH_FLOOR = 32_768
"""Smallest batch size that growth leads to, unless the batch size is smaller from the start (NAOMI-II)."""


@dataclass(frozen=True, eq=False)
class Batch:
    """The rows of one batch.

    Attributes:
        links: (B,) links.
        negatives: (K,) synset rows.
        first, second, similarity: (P,) synset rows of the taxonomy pairs and their Lin similarity.
        antonyms: (A,) antonym links.
    """

    links: Links
    negatives: Int64Array
    first: Int64Array
    second: Int64Array
    similarity: Float32Array
    antonyms: Links


def draw_batches(
    problem: Problem,
    split: str,
    size: int,
    sampler: SamplerOptions,
    rng: np.random.Generator,
) -> Iterator[Batch]:
    """Yield all links of a split once, in random order, with negatives, taxonomy pairs and antonyms drawn for them.

    Args:
        problem: the data.
        split: train, or validation, which has taxonomy pairs of its own that are never trained on.
        size: links per batch.
        sampler: what is drawn per batch.
        rng: random numbers.
    """
    links, antonyms = problem.links[split], problem.antonyms[split]
    order = rng.permutation(len(links))
    for start in range(0, len(order), size):
        chosen = links.take(order[start : start + size])
        pairs = sample_taxonomy_pairs(
            problem.taxonomy,
            round(sampler.taxonomy_pairs_per_link * len(chosen)),
            common_ancestor_fraction=sampler.common_ancestor_fraction,
            held_out=split != "train",
            rng=rng,
        )
        count = round(sampler.antonym_pairs_per_link * len(chosen))
        drawn = rng.integers(0, len(antonyms), count) if len(antonyms) else np.zeros(0, np.int64)
        yield Batch(
            links=chosen,
            negatives=rng.integers(0, problem.synsets, sampler.num_negatives),
            first=pairs.first.astype(np.int64),
            second=pairs.second.astype(np.int64),
            similarity=pairs.similarity,
            antonyms=antonyms.take(drawn),
        )


def split_batch(batch: Batch, size: int) -> Iterator[Batch]:
    """Yield parts of a batch with at most `size` links, each with its part of everything but the negatives."""
    count = -(-len(batch.links) // size)
    for i in range(count):
        links, pairs, antonyms = (
            np.arange(i, total, count) for total in (len(batch.links), len(batch.first), len(batch.antonyms))
        )
        yield Batch(
            links=batch.links.take(links),
            negatives=batch.negatives,
            first=batch.first[pairs],
            second=batch.second[pairs],
            similarity=batch.similarity[pairs],
            antonyms=batch.antonyms.take(antonyms),
        )


def adapt_batch_size(batch_size: int, start_dim: int, dim: int) -> int:
    """Return batch_size * start_dim / dim, but at least 32,768 unless batch_size is smaller (NAOMI-II's rule)."""
    return max(int(batch_size * start_dim / dim), min(batch_size, BATCH_FLOOR))
