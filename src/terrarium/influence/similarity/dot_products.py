"""Dot products of gradients over all parameters, from their factors.

With g the gradient by the scores, q the query embedding, u and v the gradients by the embeddings of the query's entity
e and relation r, the parts i and j have the dot products

    entity embeddings:    (g_i.g_j)(q_i.q_j) + g_i[e_j] q_i.u_j + g_j[e_i] q_j.u_i + [e_i = e_j] u_i.u_j
    relation embeddings:  [r_i = r_j] v_i.v_j
    entity biases:        g_i.g_j
    projection:           (left_i.left_j)(right_i.right_j)
    all others:           as they are

Where entity embeddings are sums of own vectors, the entity embeddings' part is by own vectors: with M of `entity_sums`

    (M g_i.g_j)(q_i.q_j) + (M g_i)[e_j] q_i.u_j + (M g_j)[e_i] q_j.u_i + M[e_i, e_j] u_i.u_j
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import torch
from torch import Tensor

from terrarium.influence.gradients.entity_sums import EntitySums
from terrarium.influence.gradients.factored import Gradients

ENTITY, RELATION, BIAS = "entity.weight", "relation.weight", "bias"


class QueryGradients(Protocol):
    """Gradients of T query triples, ready to be multiplied with those of training triples."""

    @property
    def floats_per_part(self) -> int:
        """Approximate number of floats that a part of a training triple needs."""
        ...

    def dot_products(self, train: Gradients, directions: int) -> Tensor:
        """Return (B, T) dot products of the gradients of B training triples and the T query triples.

        Args:
            train: gradients of training triples, all tails first, then all heads if `directions` is 2.
            directions: parts per triple: 1, or 2 with inverse relations.
        """
        ...


def sum_directions(products: Tensor, directions: int) -> Tensor:
    """Return (B, T) sums over the parts of triples, from products of parts (directions * B, directions * T)."""
    rows, columns = products.shape
    return products.view(directions, rows // directions, directions, columns // directions).sum((0, 2))


class FactoredQueryGradients:
    """Factored gradients of query triples, without projection or element-wise preconditioner."""

    def __init__(self, gradients: Gradients, num_entities: int, layers: Collection[str]) -> None:
        """Take the query triples' gradients and the names of the parameters that count."""
        self._gradients, self._layers = gradients, set(layers)
        self._by_scores = gradients.scores.dense(num_entities)

    @property
    def floats_per_part(self) -> int:
        """A few products with each part of a query triple."""
        return 8 * len(self._by_scores)

    def dot_products(self, train: Gradients, directions: int) -> Tensor:
        """Return (B, T) dot products of triples."""
        return sum_directions(self.part_products(train), directions)

    def part_products(self, train: Gradients) -> Tensor:
        """Return (P, V) dot products of P parts of training triples and V parts of query triples."""
        own, layers = self._gradients, self._layers
        total = torch.zeros(len(train), len(own), dtype=self._by_scores.dtype, device=self._by_scores.device)
        if layers & {ENTITY, BIAS}:
            total += self._entity_products(train)
        if RELATION in layers:
            same = train.relation[:, None] == own.relation
            total += same * (train.factors.relation @ own.factors.relation.T)
        for name in sorted(layers & train.factors.left.keys()):
            right = (train.queries.right[name] @ own.queries.right[name].T)[:, own.query]
            total += (train.factors.left[name] @ own.factors.left[name].T) * right[train.query]
        for name in sorted(layers & train.factors.dense.keys()):
            total += train.factors.dense[name] @ own.factors.dense[name].T
        return total

    def _entity_products(self, train: Gradients) -> Tensor:
        """Return the terms of entity embeddings and biases."""
        own = self._gradients
        by_scores = train.scores.matmul(self._by_scores.T)
        total = torch.zeros_like(by_scores)
        if BIAS in self._layers:
            total += by_scores * (train.bias_factor * own.bias_factor)
        if ENTITY in self._layers:
            total += by_scores * self._embedding_products(train)
            same = train.entity[:, None] == own.entity
            total += self._query_entity_products(train, train.scores.columns(own.entity), same)
        return total

    def _embedding_products(self, train: Gradients) -> Tensor:
        return (train.queries.embedding @ self._gradients.queries.embedding.T)[train.query][:, self._gradients.query]

    def _query_entity_products(self, train: Gradients, at_entity: Tensor, same: Tensor) -> Tensor:
        """Return the terms with a gradient by the embedding of a query's entity.

        Args:
            train: gradients of P parts of training triples.
            at_entity: (P, V) the gradients by the scores at the entities of the query triples.
            same: (P, V) whether the entities are the same.
        """
        own = self._gradients
        at_own = train.queries.embedding @ own.factors.entity.T
        at_train = train.factors.entity @ own.queries.embedding.T
        total = at_entity * at_own[train.query]
        total += self._by_scores[:, train.entity].T * at_train[:, own.query]
        return total + same * (train.factors.entity @ own.factors.entity.T)


class SummedQueryGradients(FactoredQueryGradients):
    """The same where entity embeddings are sums of own vectors, by the own vectors."""

    def __init__(self, gradients: Gradients, sums: EntitySums, num_entities: int, layers: Collection[str]) -> None:
        """Take the query triples' gradients, the sums, and the names of the parameters that count."""
        super().__init__(gradients, num_entities, layers)
        by_bias = [self._by_scores * gradients.bias_factor**2] if BIAS in self._layers else []
        self._by_scores = sums.multiply(self._by_scores)
        self._at_entity = sums.rows_of(gradients.entity)
        self._columns = torch.cat([self._by_scores, self._at_entity, *by_bias]).T

    @property
    def floats_per_part(self) -> int:
        """A few products with each part of a query triple, and those with the columns."""
        return super().floats_per_part + self._columns.shape[1]

    def _entity_products(self, train: Gradients) -> Tensor:
        by_columns = train.scores.matmul(self._columns)
        by_scores, at_entity, *by_bias = by_columns.view(len(train), -1, len(self._gradients)).unbind(1)
        total = torch.zeros_like(by_scores)
        for products in by_bias:
            total += products
        if ENTITY in self._layers:
            total += by_scores * self._embedding_products(train)
            total += self._query_entity_products(train, at_entity, self._at_entity[:, train.entity].T)
        return total


class PairedProducts:
    """Dot products of pairs of parts of the same gradients."""

    def __init__(self, gradients: Gradients, num_entities: int, layers: Collection[str]) -> None:
        """Take the gradients and the names of the parameters that count."""
        self._gradients, self._layers = gradients, set(layers)
        if self._layers & {ENTITY, BIAS}:
            self._by_scores = self._weighted = gradients.scores.dense(num_entities)
        if ENTITY in self._layers and gradients.sums is not None:
            self._weighted = gradients.sums.multiply(self._by_scores)
            self._at_entity = gradients.sums.rows_of(gradients.entity)

    def multiply(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the dot products (K,) of the parts at positions `first` and `second`, both (K,)."""
        gradients, layers = self._gradients, self._layers
        factors, queries, query = gradients.factors, gradients.queries, gradients.query
        total = torch.zeros(len(first), dtype=factors.entity.dtype, device=factors.entity.device)
        if layers & {ENTITY, BIAS}:
            total += self._entity_products(first, second)
        if RELATION in layers:
            same = gradients.relation[first] == gradients.relation[second]
            total += same * _row_products(factors.relation[first], factors.relation[second])
        for name in sorted(layers & factors.left.keys()):
            right = queries.right[name]
            product = _row_products(right[query[first]], right[query[second]])
            total += product * _row_products(factors.left[name][first], factors.left[name][second])
        for name in sorted(layers & factors.dense.keys()):
            total += _row_products(factors.dense[name][first], factors.dense[name][second])
        return total

    def _entity_products(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the terms of entity embeddings and biases."""
        gradients, sums = self._gradients, self._gradients.sums
        by_entity, entity = gradients.factors.entity, gradients.entity
        embedding = gradients.queries.embedding[gradients.query]
        product = _row_products(self._weighted[first], self._by_scores[second])
        total = torch.zeros_like(product)
        if BIAS in self._layers and sums is None:
            total += product * gradients.bias_factor**2
        elif BIAS in self._layers:
            by_bias = self._by_scores * gradients.bias_factor
            total += _row_products(by_bias[first], by_bias[second])
        if ENTITY in self._layers:
            total += product * _row_products(embedding[first], embedding[second])
            total += self._weighted[first, entity[second]] * _row_products(embedding[first], by_entity[second])
            total += self._weighted[second, entity[first]] * _row_products(embedding[second], by_entity[first])
            same = entity[first] == entity[second] if sums is None else self._at_entity[first, entity[second]]
            total += same * _row_products(by_entity[first], by_entity[second])
        return total


def squared_norms(gradients: Gradients, directions: int, num_entities: int, layers: Collection[str]) -> Tensor:
    """Return the squared norms of the gradients of triples.

    Args:
        gradients: of the parts of B triples.
        directions: parts per triple: 1, or 2 with inverse relations.
        num_entities: number of entities.
        layers: names of the parameters that count.

    Returns:
        Shape (B,).
    """
    paired, count = PairedProducts(gradients, num_entities, layers), len(gradients) // directions
    triple = torch.arange(count, device=gradients.query.device)
    products = [
        (1 if a == b else 2) * paired.multiply(triple + a * count, triple + b * count)
        for a in range(directions)
        for b in range(a, directions)
    ]
    return torch.stack(products).sum(0)


def _row_products(left: Tensor, right: Tensor) -> Tensor:
    return torch.einsum("ij,ij->i", left, right)
