"""Dot products of gradients over all parameters, from their factors.

With g the error, q the query, u and v the gradients by the vectors asked of parts i and j, asked about e and r:

    entity:      (g_i.g_j)(q_i.q_j) + g_i[e_j] q_i.u_j + g_j[e_i] q_j.u_i + [e_i = e_j] u_i.u_j
    relation:    [r_i = r_j] v_i.v_j
    bias:        g_i.g_j
    projection:  (left_i.left_j)(right_i.right_j)
    all others:  as they are
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import torch
from torch import Tensor

from terrarium.influence.gradients.factored import Gradients

ENTITY, RELATION, BIAS = "entity.weight", "relation.weight", "bias"


class Comparison(Protocol):
    """Triples asked about, ready to meet any training triples."""

    @property
    def numbers(self) -> int:
        """How many numbers a part of a training triple needs, roughly."""
        ...

    def between(self, train: Gradients, sides: int) -> Tensor:
        """(B, T) dot products of the gradients of B training triples and the T triples asked about."""
        ...


def fold(products: Tensor, sides: int) -> Tensor:
    """(B, T) sums over the sides of triples, from (sides * B, sides * T) products of parts."""
    rows, columns = products.shape
    return products.view(sides, rows // sides, sides, columns // sides).sum((0, 2))


class Targets:
    """Gradients of the parts asked about, as they are."""

    def __init__(self, gradients: Gradients, entities: int, layers: Collection[str]) -> None:
        self._own, self._layers = gradients, set(layers)
        self._errors = gradients.errors.full(entities)

    @property
    def numbers(self) -> int:
        """A handful of products with each part asked about."""
        return 8 * len(self._errors)

    def between(self, train: Gradients, sides: int) -> Tensor:
        """(B, T) dot products of triples."""
        return fold(self.products(train), sides)

    def products(self, train: Gradients) -> Tensor:
        """(U, V) dot products of U training parts and V parts asked about."""
        own, layers = self._own, self._layers
        found = torch.zeros(len(train.question), len(own.question), dtype=self._errors.dtype)
        found = found.to(self._errors.device)
        if layers & {ENTITY, BIAS}:
            errors = train.errors.times(self._errors.T)
            if BIAS in layers:
                found += errors * (train.bias * own.bias)
            if ENTITY in layers:
                found += errors * self._queries(train) + self._asked(train)
        if RELATION in layers:
            same = train.relation[:, None] == own.relation
            found += same * (train.slopes.relation @ own.slopes.relation.T)
        for name in layers & train.slopes.left.keys():
            right = (train.queries.right[name] @ own.queries.right[name].T)[:, own.question]
            found += (train.slopes.left[name] @ own.slopes.left[name].T) * right[train.question]
        for name in layers & train.slopes.small.keys():
            found += train.slopes.small[name] @ own.slopes.small[name].T
        return found

    def _queries(self, train: Gradients) -> Tensor:
        return (train.queries.query @ self._own.queries.query.T)[train.question][:, self._own.question]

    def _asked(self, train: Gradients) -> Tensor:
        """The terms in which the vector of an entity that is asked about has a part."""
        own = self._own
        at_own = train.queries.query @ own.slopes.head.T
        at_train = train.slopes.head @ own.queries.query.T
        found = train.errors.at(own.entity) * at_own[train.question]
        found += self._errors[:, train.entity].T * at_train[:, own.question]
        return found + (train.entity[:, None] == own.entity) * (train.slopes.head @ own.slopes.head.T)


def paired_products(gradients: Gradients, first: Tensor, second: Tensor, entities: int, layers: set[str]) -> Tensor:
    """(P,) dot products of the parts `first` (P,) with the parts `second` (P,) of the same gradients."""
    slopes, asked = gradients.slopes, gradients.queries
    found = torch.zeros(len(first), dtype=slopes.head.dtype, device=slopes.head.device)
    if layers & {ENTITY, BIAS}:
        errors = gradients.errors.full(entities)
        product = _rows(errors[first], errors[second])
        if BIAS in layers:
            found += product * gradients.bias**2
        if ENTITY in layers:
            found += product * _rows(asked.query[gradients.question[first]], asked.query[gradients.question[second]])
            found += _paired_asked(gradients, errors, first, second)
    if RELATION in layers:
        same = gradients.relation[first] == gradients.relation[second]
        found += same * _rows(slopes.relation[first], slopes.relation[second])
    for name in layers & slopes.left.keys():
        right = asked.right[name]
        product = _rows(right[gradients.question[first]], right[gradients.question[second]])
        found += product * _rows(slopes.left[name][first], slopes.left[name][second])
    for name in layers & slopes.small.keys():
        found += _rows(slopes.small[name][first], slopes.small[name][second])
    return found


def self_products(gradients: Gradients, sides: int, entities: int, layers: Collection[str]) -> Tensor:
    """(B,) squared lengths of the gradients of triples."""
    count = len(gradients.question) // sides
    place = torch.arange(count, device=gradients.question.device)
    found = [
        (1 if a == b else 2) * paired_products(gradients, place + a * count, place + b * count, entities, set(layers))
        for a in range(sides)
        for b in range(a, sides)
    ]
    return torch.stack(found).sum(0)


def _paired_asked(gradients: Gradients, errors: Tensor, first: Tensor, second: Tensor) -> Tensor:
    head, query, entity = gradients.slopes.head, gradients.queries.query[gradients.question], gradients.entity
    found = errors[first, entity[second]] * _rows(query[first], head[second])
    found = found + errors[second, entity[first]] * _rows(query[second], head[first])
    return found + (entity[first] == entity[second]) * _rows(head[first], head[second])


def _rows(left: Tensor, right: Tensor) -> Tensor:
    return torch.einsum("ij,ij->i", left, right)
