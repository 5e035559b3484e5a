"""The part of the training loss that belongs to a triple, as numbers, before any gradient is computed.

A row of the training loss is a query i, a pair (entity, relation), with its set of k answers A. With the scores s_i
over N entities and the label smoothing e, the gradient of the row's loss by the scores is

    bce:            (sigmoid(s_i) - e/N) / N - w [j in A],   w = (1 - e) / N
    cross_entropy:  softmax(s_i) - e/N       - w [j in A],   w = (1 - e) / k

Write p for the first term, the predictions. The part of a triple with query i and target t has the gradient
a p + b [j in A] + c [j = t]. Its factors a, b, c depend on the attribution unit:

    row:      the whole row:  a = 1, b = -w, c = 0. All triples of a row have the same part.
    share:    a = 1/k, b = 0, c = -w. The parts of a row's triples sum to the row's loss.
    removal:  the loss of the row minus its loss without t. With k = 1 the row disappears, and the part is all of it.
              Otherwise a = 0; for bce b = 0, c = -w; for cross_entropy b = (1-e) / (k (k-1)), c = -(1-e) / (k-1).
              With row weights v(k): a = v(k) - v(k-1), b = v(k-1) w(k-1) - v(k) w(k), c = -v(k-1) w(k-1).
    positive: the term of the target alone, (u - 1) [j = t] with u the target's probability (logistic function for bce,
              softmax otherwise). For bce it is the gradient of -log sigmoid(s_t). a = b = 0, c = u - 1.

With one answer per row the first three are equal. The N3 penalty of a row is v (|h|^3 + |r|^3 + mean of |t|^3 over its
answers), so a part has a times that of its query, and -(b + c) / (1 - e) times that of its target; what a part with b
other than 0 has of the penalty of other answers is left out. A triple is in one row, or in two where the training also
has inverse relations; both count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, Triples
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.options import LossName

AttributionUnit = Literal["removal", "share", "row", "positive"]
_NONE = np.empty(0, np.int64)


@dataclass(frozen=True)
class LossSpec:
    """The loss that was trained.

    Attributes:
        loss: `bce` or `cross_entropy`.
        label_smoothing: e.
        all_answers: a row has all answers of its query (KvsAll), not one triple's alone (1vsAll).
        inverse_relations: they are trained too, so that each triple is in two rows.
        num_entities, num_relations: sizes of the graph; inverse relations are numbered from `num_relations`.
        mean_answers: mean number of answers per row, where rows are weighted by theirs; None where all weigh 1.
        n3_weight: weight of the N3 penalty; 0 where its gradient is not part of the influence.
    """

    loss: LossName
    label_smoothing: float
    all_answers: bool
    inverse_relations: bool
    num_entities: int
    num_relations: int
    mean_answers: float | None = None
    n3_weight: float = 0.0

    @property
    def directions(self) -> int:
        """Rows of a triple: 1 (its tail is predicted) or 2 (its head too)."""
        return 2 if self.inverse_relations else 1

    def row_weight(self, count: Float64Array) -> Float64Array:
        """Return the weights v of rows with so many answers, of the same shape."""
        return np.ones_like(count) if self.mean_answers is None else count / self.mean_answers


@dataclass(frozen=True, eq=False)
class QueryAnswers:
    """Q queries and those of their answers that the parts need.

    Attributes:
        entity, relation: (Q,) the queries.
        answer: (K,) entities.
        answer_query: (K,) index of the query of each answer.
    """

    entity: Int64Array
    relation: Int64Array
    answer: Int64Array = field(default_factory=lambda: _NONE)
    answer_query: Int64Array = field(default_factory=lambda: _NONE)


@dataclass(frozen=True, eq=False)
class LossFactors:
    """The factors of P parts, each of shape (P,).

    Attributes:
        predictions: a, of the predictions p of the row.
        answers: b, of the indicator of the row's answers.
        target: c, of the indicator of the target.
        times_error: c is to be multiplied by u - 1, the target's probability minus 1.
    """

    predictions: Float64Array
    answers: Float64Array
    target: Float64Array
    times_error: bool = False


@dataclass(frozen=True, eq=False)
class LossParts:
    """P parts of the loss on Q queries; those that predict tails first, then, with inverse relations, those of heads.

    Attributes:
        queries: the queries.
        query: (P,) index of each part's query.
        target: (P,) entity that each part predicts.
        factors: a, b and c of each part.
        directions: parts per triple, 1 or 2; part n + d * (P / directions) belongs to triple n.
        is_penalized: whether the N3 penalty of the rows belongs to the parts.
    """

    queries: QueryAnswers
    query: Int64Array
    target: Int64Array
    factors: LossFactors
    directions: int
    is_penalized: bool = False

    @property
    def num_triples(self) -> int:
        """Number of triples that the parts belong to."""
        return len(self.query) // self.directions


def training_parts(triples: Triples, known: KnownAnswers, spec: LossSpec, unit: AttributionUnit) -> LossParts:
    """Return the parts of training triples (n, 3); equal queries are merged.

    Args:
        triples: training triples.
        known: answers of the training triples.
        spec: the loss that was trained.
        unit: the part that belongs to a triple.
    """
    pairs, target = _predicted_pairs(triples, spec)
    distinct, query = np.unique(pairs, axis=0, return_inverse=True)
    entity, relation, query = distinct[:, 0], distinct[:, 1], query.reshape(-1)
    count = np.ones(len(target))
    if spec.all_answers:
        count = known.count(entity, relation)[query].astype(np.float64)
    factors = _unit_factors(count, spec, unit)
    answer_query, answer = known.lookup(entity, relation) if factors.answers.any() else (_NONE, _NONE)
    queries = QueryAnswers(entity, relation, answer, answer_query)
    return LossParts(queries, query, target, factors, spec.directions, _is_penalized(spec, unit))


def query_parts(triples: Triples, known: KnownAnswers, spec: LossSpec, unit: AttributionUnit) -> LossParts:
    """Return the parts that triples (n, 3) would have if they were training triples; one query per part."""
    pairs, target = _predicted_pairs(triples, spec)
    query, count = np.arange(len(target)), np.ones(len(target))
    answer_query = answer = _NONE
    if spec.all_answers:
        answer_query, answer = known.lookup(pairs[:, 0], pairs[:, 1])
        others = answer != target[answer_query]
        answer_query = np.concatenate([answer_query[others], query])
        answer = np.concatenate([answer[others], target])
        count = np.bincount(answer_query, minlength=len(pairs)).astype(np.float64)
    queries = QueryAnswers(pairs[:, 0], pairs[:, 1], answer, answer_query)
    factors = _unit_factors(count, spec, unit)
    return LossParts(queries, query, target, factors, spec.directions, _is_penalized(spec, unit))


def loss_parts(triples: Triples, spec: LossSpec) -> LossParts:
    """Return the loss of triples (n, 3) with their targets as the only answers: cross entropy, or -log sigmoid for bce.

    A whole bce row would count every other answer as wrong, which says little about one triple.
    """
    if spec.loss == "bce":
        return _single_answer_parts(triples, spec, predictions=0.0, target=1.0, times_error=True)
    return _single_answer_parts(triples, spec, predictions=1.0, target=spec.label_smoothing - 1)


def score_parts(triples: Triples, spec: LossSpec) -> LossParts:
    """Return minus the scores of triples (n, 3) in place of a loss: a proponent raises the score."""
    return _single_answer_parts(triples, spec, predictions=0.0, target=-1.0)


def _single_answer_parts(
    triples: Triples, spec: LossSpec, *, predictions: float, target: float, times_error: bool = False
) -> LossParts:
    """Return parts with the same factors a and c everywhere, and no other answers."""
    pairs, targets = _predicted_pairs(triples, spec)
    count = len(targets)
    factors = LossFactors(np.full(count, predictions), np.zeros(count), np.full(count, target), times_error)
    return LossParts(QueryAnswers(pairs[:, 0], pairs[:, 1]), np.arange(count), targets, factors, spec.directions)


def _predicted_pairs(triples: Triples, spec: LossSpec) -> tuple[Int64Array, Int64Array]:
    """Return the queries (P, 2), entity and relation, of triples and the targets (P,)."""
    pairs, target = triples[:, [HEAD, RELATION]], triples[:, TAIL]
    if not spec.inverse_relations:
        return pairs, target
    inverse = np.stack([triples[:, TAIL], triples[:, RELATION] + spec.num_relations], axis=1)
    return np.concatenate([pairs, inverse]), np.concatenate([target, triples[:, HEAD]])


def _is_penalized(spec: LossSpec, unit: AttributionUnit) -> bool:
    return spec.n3_weight > 0 and unit != "positive"


def penalty_of_target(factors: LossFactors, spec: LossSpec) -> Float64Array:
    """Return (P,) the weight of the target's |t|^3 in each part, for cross_entropy."""
    return -(factors.answers + factors.target) / (1 - spec.label_smoothing)


def _unit_factors(count: Float64Array, spec: LossSpec, unit: AttributionUnit) -> LossFactors:
    """Return the factors of parts whose rows have `count` (P,) answers."""
    confidence, zero, alone = 1 - spec.label_smoothing, np.zeros_like(count), count == 1
    row_weight = spec.row_weight(count)
    weight = np.full_like(count, confidence / spec.num_entities) if spec.loss == "bce" else confidence / count
    weight = weight * row_weight
    if unit == "row":
        return LossFactors(row_weight, np.where(alone, zero, -weight), np.where(alone, -weight, zero))
    if unit == "share":
        return LossFactors(row_weight / count, zero, -weight)
    if unit == "positive":
        return LossFactors(zero, zero, np.ones_like(count), times_error=True)
    fewer = np.where(alone, 1, count - 1)
    row_weight_without = np.where(alone, zero, spec.row_weight(fewer))
    weight_without = row_weight_without * (confidence / spec.num_entities if spec.loss == "bce" else confidence / fewer)
    return LossFactors(
        predictions=row_weight - row_weight_without,
        answers=np.where(alone, zero, weight_without - weight),
        target=np.where(alone, -weight, -weight_without),
    )
