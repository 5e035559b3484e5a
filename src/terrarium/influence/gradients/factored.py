"""Gradients of parts of the loss in factored form, never as one long vector a triple.

With g the gradient of a part by its row of scores, q its query and u, v the gradients by the vectors asked:

    entity:      g x q, and u added to the row of the entity asked     (N, d)
    relation:    v in the row of the relation asked                    (R, d)
    bias:        g                                                     (N,)
    projection:  left x right                                          (d, m)
    all others:  as they are, they are small

g is kept as its factors (see `units`), so that the part p, which is dense, is computed once a question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from terrarium.influence.gradients.closed_form import Queries, Slopes, ask, back
from terrarium.influence.gradients.loss_parts import Trained, Units
from terrarium.influence.gradients.probabilities import Predicted
from terrarium.kge.models.scorer import Scorer


@dataclass(frozen=True, eq=False)
class Errors:
    """g of U parts: whole * dense[question] + others * [. in answers of the question] + own * [. = target].

    Attributes:
        dense: p of Q questions, or None where no part has any of it.
        answers: (Q, N) sparse, ones where an answer is, or None where no part needs them.
        question, target: (U,).
        whole, others, own: (U, 1).
    """

    dense: Predicted | None
    answers: Tensor | None
    question: Tensor
    target: Tensor
    whole: Tensor
    others: Tensor
    own: Tensor

    def times(self, matrix: Tensor) -> Tensor:
        """(U, m) from a matrix (N, m)."""
        found = self.own * matrix[self.target]
        if self.dense is not None:
            found = found + self.whole * self.dense.times(matrix).to(found.dtype)[self.question]
        if self.answers is not None:
            found = found + self.others * torch.sparse.mm(self.answers, matrix)[self.question]
        return found

    def at(self, entity: Tensor) -> Tensor:
        """(U, m) numbers at m entities."""
        found = self.own * (self.target[:, None] == entity)
        if self.dense is not None:
            found = found + self.whole * self.dense.at(entity)[self.question]
        if self.answers is not None:
            chosen = torch.zeros(self.answers.shape[1], len(entity), dtype=found.dtype, device=found.device)
            chosen[entity, torch.arange(len(entity), device=found.device)] = 1
            found = found + self.others * torch.sparse.mm(self.answers, chosen)[self.question]
        return found

    def scaled(self, factor: Tensor) -> Errors:
        """g with the number of each entity multiplied by its factor (N,)."""
        dense = None if self.dense is None else self.dense.scaled(factor)
        answers = self.answers
        if answers is not None:
            values = answers.values() * factor[answers.indices()[1]]
            answers = torch.sparse_coo_tensor(
                answers.indices(), values, answers.shape, is_coalesced=True, check_invariants=False
            )
        return replace(self, dense=dense, answers=answers, own=self.own * factor[self.target, None])

    def full(self, entities: int) -> Tensor:
        """(U, N) written out."""
        found = torch.zeros(len(self.target), entities, dtype=self.own.dtype, device=self.own.device)
        if self.dense is not None:
            found += self.whole * self.dense.full()[self.question]
        if self.answers is not None:
            found += self.others * self.answers.to_dense()[self.question]
        return found.scatter_add_(1, self.target[:, None], self.own)


@dataclass(frozen=True, eq=False)
class Gradients:
    """The gradients of U parts: errors, queries (Q rows), slopes (U rows), and what is asked (U,).

    The gradient by the bias of entities is `bias` times g: 1, unless gradients are weighted.
    """

    errors: Errors
    queries: Queries
    slopes: Slopes
    entity: Tensor
    relation: Tensor
    bias: Tensor | float = 1.0

    @property
    def question(self) -> Tensor:
        """(U,) the place of each part's question."""
        return self.errors.question


def gradients_of(scorer: Scorer, units: Units, trained: Trained) -> Gradients:
    """The gradients of parts of the loss under a scorer, on its device and in its dtype."""
    weight = scorer.entity.weight
    move = _Mover(weight)
    entity, relation = move.ints(units.entity), move.ints(units.relation)
    asked = ask(scorer, entity, relation)
    errors = _errors(scorer, asked, units, trained, move)
    slopes = back(scorer, asked, errors.question, errors.times(weight))
    return Gradients(errors, asked, slopes, entity[errors.question], relation[errors.question])


class _Mover:
    """Arrays to tensors like another."""

    def __init__(self, like: Tensor) -> None:
        self._like = like

    def ints(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._like.device)

    def column(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._like)[:, None]


def _errors(scorer: Scorer, asked: Queries, units: Units, trained: Trained, move: _Mover) -> Errors:
    dense = answers = None
    if units.whole.any():
        dense = Predicted(scorer, asked.query, trained)
    if units.others.any():
        places = torch.stack([move.ints(units.row), move.ints(units.answer)])
        ones = torch.ones(len(units.row), dtype=asked.query.dtype, device=asked.query.device)
        shape = (len(units.entity), scorer.num_entities)
        answers = torch.sparse_coo_tensor(places, ones, shape, check_invariants=False).coalesce()
    question, target = move.ints(units.question), move.ints(units.target)
    whole, others, own = (move.column(part) for part in (units.whole, units.others, units.own))
    if units.lacking:
        own = own * (_probability(scorer, asked.query, question, target, trained) - 1)[:, None].to(own)
    return Errors(dense, answers, question, target, whole, others, own)


def _probability(scorer: Scorer, query: Tensor, question: Tensor, target: Tensor, trained: Trained) -> Tensor:
    """(U,) u of the formulas in `units`."""
    found = Predicted(scorer, query, replace(trained, smoothing=0.0)).own(question, target)
    return found * trained.entities if trained.loss == "bce" else found
