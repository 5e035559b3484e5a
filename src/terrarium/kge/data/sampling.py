"""Entities that a batch scores instead of all: its answers, and wrong answers drawn at random.

Every drawn entity stands for as many as were not drawn, so that the sums over entities in the loss are estimated
without bias given the batch (sampled softmax, Jean et al. 2015).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Float32Array, Int64Array
from terrarium.kge.data.ancestors import Ancestors


class SampledEntities(NamedTuple):
    """What a batch reads of the table of entities.

    Attributes:
        rows: (M,) distinct entities, rising; what else is here gives positions in it.
        scored: (C,) the entities that all queries of the batch are scored with.
        weight: (C,) how many entities each of these stands for; together all entities.
        entity, ancestor: (P,) pairs of an entity and one of its ancestors.
    """

    rows: Int64Array
    scored: Int64Array
    weight: Float32Array
    entity: Int64Array
    ancestor: Int64Array

    def positions(self, entities: Int64Array) -> Int64Array:
        """Return the positions in `rows` of entities that are there, of any shape."""
        return np.searchsorted(self.rows, entities)


class EntitySampler:
    """Draws the entities that a batch scores."""

    def __init__(self, num_entities: int, num_negatives: int, ancestors: Ancestors | None) -> None:
        """Draw `num_negatives` entities per batch; embeddings are sums over `ancestors`, if given."""
        self._num_entities, self._num_negatives, self._ancestors = num_entities, num_negatives, ancestors
        if ancestors is not None:
            self._offsets = np.searchsorted(ancestors.entity, np.arange(num_entities + 1))

    def draw(self, rng: np.random.Generator, answers: Int64Array, queries: Int64Array) -> SampledEntities:
        """Return the sample of a batch.

        Args:
            rng: source of the random numbers.
            answers: answers of the batch, which are always scored.
            queries: entities of the batch's queries, which are read.
        """
        fixed = np.unique(answers)
        drawn = np.unique(rng.integers(self._num_entities, size=self._num_negatives))
        drawn = drawn[~np.isin(drawn, fixed, assume_unique=True)]
        others = (self._num_entities - len(fixed)) / max(len(drawn), 1)
        scored = np.concatenate([fixed, drawn])
        weight = np.repeat(np.array([1.0, others], np.float32), [len(fixed), len(drawn)])
        read = np.union1d(scored, queries)
        entity, ancestor = self._links(read)
        rows = np.union1d(read, ancestor) if len(ancestor) else read
        at = [np.searchsorted(rows, each) for each in (scored, entity, ancestor)]
        return SampledEntities(rows, at[0], weight, at[1], at[2])

    def _links(self, entities: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Return the pairs of some entities and their ancestors."""
        if self._ancestors is None:
            return entities[:0], entities[:0]
        first, count = self._offsets[entities], self._offsets[entities + 1] - self._offsets[entities]
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        chosen = np.repeat(first, count) + within
        return self._ancestors.entity[chosen], self._ancestors.ancestor[chosen]
