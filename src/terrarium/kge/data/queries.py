"""Questions (entity, relation) with their answers, as compressed sparse rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrarium.kge.data.graph import HEAD, RELATION, TAIL, Triples, reciprocal

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Questions:
    """Q questions and their answers.

    Attributes:
        entity, relation: (Q,) what is asked.
        start: (Q + 1,) where the answers of a question begin in `answer`.
        answer: (A,) entities.
    """

    entity: Ints
    relation: Ints
    start: Ints
    answer: Ints

    def __len__(self) -> int:
        return len(self.entity)

    @property
    def answers_a_row(self) -> float:
        """How many answers a question has on average."""
        return len(self.answer) / len(self)

    def answers_of(self, rows: Ints) -> tuple[Ints, Ints, Ints]:
        """Of some questions: the place among them (K,) of each answer, the answers (K,), the counts."""
        count = self.start[rows + 1] - self.start[rows]
        place = np.repeat(np.arange(len(rows)), count)
        offset = np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)
        return place, self.answer[np.repeat(self.start[rows], count) + offset], count


def grouped(triples: Triples, relations: int) -> Questions:
    """A question for each (head, relation) of the triples, with all its tails; `relations` bounds their numbers."""
    key = triples[:, HEAD] * relations + triples[:, RELATION]
    order = np.lexsort((triples[:, TAIL], key))
    kinds, first = np.unique(key[order], return_index=True)
    start = np.append(first, len(order))
    return Questions(kinds // relations, kinds % relations, start.astype(np.int64), triples[order, TAIL])


def single(triples: Triples) -> Questions:
    """A question for each triple, with its tail alone."""
    start = np.arange(len(triples) + 1)
    return Questions(triples[:, HEAD], triples[:, RELATION], start, triples[:, TAIL])


def training_questions(triples: Triples, relations: int, *, all_answers: bool, way_back: bool) -> Questions:
    """The rows that are trained on, with the triples turned round if asked."""
    rows = np.concatenate([triples, reciprocal(triples, relations)]) if way_back else triples
    return grouped(rows, 2 * relations) if all_answers else single(rows)


class KnownAnswers:
    """All known answers of any question, in both directions, looked up in batches."""

    def __init__(self, known: Triples, relations: int) -> None:
        """`known` are the triples of all splits."""
        self._questions = grouped(np.concatenate([known, reciprocal(known, relations)]), 2 * relations)
        self._relations = 2 * relations
        self._keys = self._questions.entity * self._relations + self._questions.relation

    def of(self, entity: Ints, relation: Ints) -> tuple[Ints, Ints]:
        """Rows (K,) and entities (K,) of the known answers of questions; a question without any has none."""
        place, found = self._places(entity, relation)
        row, answer, _ = self._questions.answers_of(place)
        return found[row], answer

    def counts(self, entity: Ints, relation: Ints) -> Ints:
        """(B,) how many answers questions have."""
        place, found = self._places(entity, relation)
        counts = np.zeros(len(entity), np.int64)
        counts[found] = self._questions.start[place + 1] - self._questions.start[place]
        return counts

    def _places(self, entity: Ints, relation: Ints) -> tuple[Ints, Ints]:
        """Of the questions that have answers: their places here, and which of those asked they are."""
        key = entity * self._relations + relation
        place = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        found = np.flatnonzero(self._keys[place] == key)
        return place[found], found


def batches(order: Ints, size: int) -> Iterator[Ints]:
    """Pieces of `size`; a last one of a single row joins the one before, as batch norm needs two."""
    ends = list(range(size, len(order), size))
    if ends and len(order) - ends[-1] == 1:
        ends.pop()
    yield from np.split(order, ends)
