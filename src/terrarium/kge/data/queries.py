"""Queries (entity, relation) with their answers, as compressed sparse rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, Triples, invert_triples
from terrarium.kge.options import TrainType


class SelectedAnswers(NamedTuple):
    """The answers of B chosen queries: `row` and `entity` (K,) of each answer, `counts` (B,) per query."""

    row: Int64Array
    entity: Int64Array
    counts: Int64Array


@dataclass(frozen=True, eq=False)
class QueryIndex:
    """Q queries and their answers.

    Attributes:
        entity, relation: shape (Q,), the queries. A relation plus the number of relations is its inverse.
        offsets: shape (Q + 1,); the answers of query i are `answers[offsets[i]:offsets[i + 1]]`.
        answers: shape (A,), entities.
    """

    entity: Int64Array
    relation: Int64Array
    offsets: Int64Array
    answers: Int64Array

    def __len__(self) -> int:
        return len(self.entity)

    @property
    def mean_answers(self) -> float:
        """Mean number of answers per query."""
        return len(self.answers) / len(self)

    def select_answers(self, queries: Int64Array) -> SelectedAnswers:
        """Return the answers of the queries with the given positions, shape (B,)."""
        count = self.offsets[queries + 1] - self.offsets[queries]
        row = np.repeat(np.arange(len(queries)), count)
        within_row = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        return SelectedAnswers(row, self.answers[np.repeat(self.offsets[queries], count) + within_row], count)


def group_by_query(triples: Triples, num_relations: int) -> QueryIndex:
    """Return one query for each distinct (head, relation), sorted, with all its tails; relations < num_relations."""
    keys = triples[:, HEAD] * num_relations + triples[:, RELATION]
    order = np.lexsort((triples[:, TAIL], keys))
    distinct, first = np.unique(keys[order], return_index=True)
    offsets = np.append(first, len(order)).astype(np.int64)
    return QueryIndex(distinct // num_relations, distinct % num_relations, offsets, triples[order, TAIL])


def training_queries(
    triples: Triples, num_relations: int, *, train_type: TrainType, inverse_relations: bool
) -> QueryIndex:
    """Return the rows of a training.

    Args:
        triples: the training triples.
        num_relations: number of relations of the graph, inverses not counted.
        train_type: KvsAll: one row per query with all answers; 1vsAll: one row per triple with its tail alone.
        inverse_relations: add the inverse triples.
    """
    rows = np.concatenate([triples, invert_triples(triples, num_relations)]) if inverse_relations else triples
    if train_type == "KvsAll":
        return group_by_query(rows, 2 * num_relations)
    return QueryIndex(rows[:, HEAD], rows[:, RELATION], np.arange(len(rows) + 1), rows[:, TAIL])


class KnownAnswers:
    """All known answers of any query, for tails and (by inverse relations) for heads, looked up in batches."""

    def __init__(self, triples: Triples, num_relations: int) -> None:
        """Index the triples that count as known: of all splits, for filtered ranks."""
        both = np.concatenate([triples, invert_triples(triples, num_relations)])
        self._index = group_by_query(both, 2 * num_relations)
        self._num_relations = 2 * num_relations
        self._keys = self._index.entity * self._num_relations + self._index.relation

    def lookup(self, entity: Int64Array, relation: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Return the query's row (K,) and the entity (K,) of each known answer of B queries."""
        positions, rows = self._find(entity, relation)
        answers = self._index.select_answers(positions)
        return rows[answers.row], answers.entity

    def count(self, entity: Int64Array, relation: Int64Array) -> Int64Array:
        """Return the number of known answers (B,) of B queries."""
        positions, rows = self._find(entity, relation)
        counts = np.zeros(len(entity), np.int64)
        counts[rows] = self._index.offsets[positions + 1] - self._index.offsets[positions]
        return counts

    def _find(self, entity: Int64Array, relation: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Return the positions in the index of those queries that have answers, and their rows in the batch."""
        keys = entity * self._num_relations + relation
        positions = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        rows = np.flatnonzero(self._keys[positions] == keys)
        return positions[rows], rows
