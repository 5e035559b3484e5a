"""Gradients of parts of the loss in factored form, never as one long vector per triple.

With g the gradient of a part by its row of scores, q the query embedding, and u, v the gradients by the embeddings of
the query's entity and relation, the gradient by

    entity embeddings    (N, d)  is  g x q, plus u in the row of the query's entity
    relation embeddings  (R, d)  is  v in the row of the query's relation
    entity biases        (N,)    is  g
    the projection       (d, m)  is  left x right
    all other parameters are small and written out.

Where entity embeddings are sums of own vectors, `sums` leads from the gradient by embeddings to that by own vectors.

g is kept as its factors (see `loss_parts`), so that the dense predictions p are computed once per query.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from terrarium.influence.gradients.closed_form import (
    EncodedQueries,
    GradientFactors,
    backpropagate,
    encode_queries,
)
from terrarium.influence.gradients.entity_sums import EntitySums
from terrarium.influence.gradients.loss_parts import LossParts, LossSpec, penalty_of_target
from terrarium.influence.gradients.probabilities import Predictions, ScaledPredictions
from terrarium.kge.models.scorer import Scorer, compute_moduli
from terrarium.kge.options import ModelName


@dataclass(frozen=True, eq=False)
class ScoreGradients:
    """Gradients g (P, N) of P parts by the scores: a predictions[query] + b [j in answers of query] + c [j = target].

    Attributes:
        predictions: p of Q queries; None where no part has any of it.
        answers: (Q, N) sparse indicator of the answers; None where no part needs it.
        query, target: (P,) index of each part's query, and its target entity.
        a, b, c: (P, 1) factors, see `loss_parts`.
    """

    predictions: Predictions | ScaledPredictions | None
    answers: Tensor | None
    query: Tensor
    target: Tensor
    a: Tensor
    b: Tensor
    c: Tensor

    def matmul(self, matrix: Tensor) -> Tensor:
        """Return the product (P, m) with a matrix (N, m)."""
        product = self.c * matrix[self.target]
        if self.predictions is not None:
            product = product + self.a * self.predictions.matmul(matrix).to(product.dtype)[self.query]
        if self.answers is not None:
            product = product + self.b * torch.sparse.mm(self.answers, matrix)[self.query]
        return product

    def columns(self, entity: Tensor) -> Tensor:
        """Return the columns (P, m) of m entities."""
        values = self.c * (self.target[:, None] == entity)
        if self.predictions is not None:
            values = values + self.a * self.predictions.columns(entity)[self.query]
        if self.answers is not None:
            one_hot = torch.zeros(self.answers.shape[1], len(entity), dtype=values.dtype, device=values.device)
            one_hot[entity, torch.arange(len(entity), device=values.device)] = 1
            values = values + self.b * torch.sparse.mm(self.answers, one_hot)[self.query]
        return values

    def scale_entities(self, factor: Tensor) -> ScoreGradients:
        """Return the gradients with the column of each entity multiplied by its factor (N,)."""
        predictions = None if self.predictions is None else self.predictions.scale_entities(factor)
        answers = self.answers
        if answers is not None:
            values = answers.values() * factor[answers.indices()[1]]
            answers = torch.sparse_coo_tensor(
                answers.indices(), values, answers.shape, is_coalesced=True, check_invariants=False
            )
        return replace(self, predictions=predictions, answers=answers, c=self.c * factor[self.target, None])

    def dense(self, num_entities: int) -> Tensor:
        """Return the gradients (P, N) written out."""
        values = torch.zeros(len(self.target), num_entities, dtype=self.c.dtype, device=self.c.device)
        if self.predictions is not None:
            values += self.a * self.predictions.dense()[self.query]
        if self.answers is not None:
            values += self.b * self.answers.to_dense()[self.query]
        return values.scatter_add_(1, self.target[:, None], self.c)


@dataclass(frozen=True, eq=False)
class Gradients:
    """The gradients of P parts.

    Attributes:
        scores: g, by the scores.
        queries: Q encoded queries, with q and the right factors.
        factors: u, v, the left factors and the small parameters' gradients.
        entity, relation: (P,) the query's entity and relation of each part.
        bias_factor: the gradient by the entity biases is g times this: 1 without a preconditioner, (N,) with sums.
        sums: what the entity embeddings are sums of; None for plain embeddings.
    """

    scores: ScoreGradients
    queries: EncodedQueries
    factors: GradientFactors
    entity: Tensor
    relation: Tensor
    bias_factor: Tensor | float = 1.0
    sums: EntitySums | None = None

    @property
    def query(self) -> Tensor:
        """(P,) index of each part's query."""
        return self.scores.query

    def __len__(self) -> int:
        return len(self.query)


def compute_gradients(
    scorer: Scorer, parts: LossParts, spec: LossSpec, encoding: AbstractContextManager[object] | None = None
) -> Gradients:
    """Return the gradients of parts of the loss under a scorer, on its device and in its dtype.

    Args:
        scorer: the model.
        parts: parts of the loss.
        spec: the loss that was trained.
        encoding: context in which queries are encoded, for a precision that nothing else is computed in.
    """
    weight = scorer.entity.weight
    entity, relation = (_to_device(ids, weight) for ids in (parts.queries.entity, parts.queries.relation))
    with encoding or nullcontext():
        queries = encode_queries(scorer, entity, relation)
    if encoding is not None:
        queries = queries.cast(weight.dtype)
    by_scores = _score_gradients(scorer, queries, parts, spec)
    factors = backpropagate(scorer, queries, by_scores.query, by_scores.matmul(weight))
    if parts.is_penalized:
        factors = _add_penalty(scorer, parts, spec, factors)
    return Gradients(by_scores, queries, factors, entity[by_scores.query], relation[by_scores.query])


def _add_penalty(scorer: Scorer, parts: LossParts, spec: LossSpec, factors: GradientFactors) -> GradientFactors:
    """Return the factors with the gradient of the N3 penalty.

    The target of a part is the query's entity of the part in the other direction, so the target's penalty is added
    there. That needs both directions; the sum over the parts of a triple is exact.
    """
    weight, name = scorer.entity.weight, scorer.options.name
    own = parts.factors.predictions
    of_entity = own + np.roll(penalty_of_target(parts.factors, spec), parts.num_triples)
    entity, relation = parts.queries.entity[parts.query], parts.queries.relation[parts.query]
    by_entity, by_relation = (
        spec.n3_weight
        * _to_device(factor, weight).to(weight)[:, None]
        * n3_gradient(table[_to_device(ids, weight)], name)
        for factor, table, ids in ((of_entity, weight, entity), (own, scorer.relation.weight, relation))
    )
    return replace(factors, entity=factors.entity + by_entity, relation=factors.relation + by_relation)


def n3_gradient(vectors: Tensor, model: ModelName) -> Tensor:
    """Return the gradient of the sum of cubed moduli, 3 |z| z, of embeddings (..., d)."""
    moduli = compute_moduli(vectors, model)
    return 3 * vectors * (torch.cat([moduli, moduli], dim=-1) if model == "complex" else moduli)


def _score_gradients(scorer: Scorer, queries: EncodedQueries, parts: LossParts, spec: LossSpec) -> ScoreGradients:
    weight, factors = scorer.entity.weight, parts.factors
    predictions = answers = None
    if factors.predictions.any():
        predictions = Predictions(scorer, queries.embedding, spec)
    if factors.answers.any():
        answers = _answer_indicator(parts, queries.embedding, scorer.num_entities)
    query, target = _to_device(parts.query, weight), _to_device(parts.target, weight)
    a, b, c = (
        _to_device(factor, weight).to(weight)[:, None]
        for factor in (factors.predictions, factors.answers, factors.target)
    )
    if factors.times_error:
        probability = _target_probability(scorer, queries.embedding, query, target, spec)
        c = c * (probability - 1)[:, None].to(c)
    return ScoreGradients(predictions, answers, query, target, a, b, c)


def _answer_indicator(parts: LossParts, embedding: Tensor, num_entities: int) -> Tensor:
    """Return a sparse (Q, N) matrix with 1 for each answer of each query."""
    queries = parts.queries
    positions = torch.stack([_to_device(ids, embedding) for ids in (queries.answer_query, queries.answer)])
    ones = torch.ones(len(queries.answer), dtype=embedding.dtype, device=embedding.device)
    shape = (len(queries.entity), num_entities)
    return torch.sparse_coo_tensor(positions, ones, shape, check_invariants=False).coalesce()


def _target_probability(scorer: Scorer, embedding: Tensor, query: Tensor, target: Tensor, spec: LossSpec) -> Tensor:
    """Return u (P,) of the formulas in `loss_parts`."""
    elements = Predictions(scorer, embedding, replace(spec, label_smoothing=0.0)).elements(query, target)
    return elements * spec.num_entities if spec.loss == "bce" else elements


def _to_device(array: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(like.device)
