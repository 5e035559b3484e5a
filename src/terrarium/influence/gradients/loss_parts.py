"""What of the trained loss belongs to a triple, as numbers before any gradient is taken.

A row of the trained loss is a question i with k right answers P. With the scores s_i, N entities and the smoothing e,
the gradient of its loss by the scores is

    bce:      (sigmoid(s_i) - e/N) / N - w [t in P],   w = (1 - e) / N
    softmax:   softmax(s_i) - e/N      - w [t in P],   w = (1 - e) / k

Write p for the first part. What belongs to one triple (i, t) is  a p + b [. in P] + c [. = t]  with

    row:      all of the row's loss:  a = 1, b = -w, c = 0. Each of the row's triples has it.
    share:    a = 1/k, b = 0, c = -w. The shares of a row's triples add up to the row's loss.
    removal:  the loss of the row less that of the row without t. With k = 1 the row goes and it is all of it; else
              a = 0, and for bce b = 0, c = -w; for softmax b = (1 - e) / (k (k - 1)), c = -(1 - e) / (k - 1).
              Where rows count v(k) times: a = v(k) - v(k-1), b = v(k-1) w(k-1) - v(k) w(k), c = -v(k-1) w(k-1).
    positive: the own answer's term of the gradient and no other, (u - 1) [. = t], u the answer's probability: the
              logistic function of its score for bce, the softmax for softmax. For bce it is the gradient of
              -log sigmoid(s_t), the loss of the one right answer; a = b = 0, c = 1 times u - 1.

With a single answer a row the first three are one. Rows of the training count v times (`row_weight`), and so does all
that is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from terrarium.common.arrays import Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, Triples
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.options import LossName

Unit = Literal["removal", "share", "row", "positive"]
Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class Trained:
    """What the loss was: its kind, smoothing, whether a row has all answers, and whether questions go both ways.

    `mean_answers` is the mean of rows where a row counts as often as it has answers, None where all count the same.
    """

    loss: LossName
    smoothing: float
    all_answers: bool
    way_back: bool
    entities: int
    relations: int
    mean_answers: float | None = None

    def row_weight(self, count: Float64Array) -> Float64Array:
        """How much rows with so many right answers count."""
        return np.ones_like(count) if self.mean_answers is None else count / self.mean_answers

    @property
    def sides(self) -> int:
        """Rows that a triple stands in: its tail is asked for, and with a way back its head too."""
        return 2 if self.way_back else 1


@dataclass(frozen=True, eq=False)
class Units:
    """Parts of the loss: U of them on Q questions.

    Attributes:
        entity, relation: (Q,) the questions.
        row, answer: (K,) right answers: the place of the question of each, and the entity.
        question, target: (U,) of each part its question and its own answer.
        whole, others, own: (U,) the factors a, b and c above.
        sides: parts a triple; those that ask for tails come first, then those that ask for heads.
        lacking: whether c is multiplied by what the own answer's probability lacks, u - 1.
    """

    entity: Int64Array
    relation: Int64Array
    row: Int64Array
    answer: Int64Array
    question: Int64Array
    target: Int64Array
    whole: Float64Array
    others: Float64Array
    own: Float64Array
    sides: int
    lacking: bool = False


def training_units(triples: Triples, answers: KnownAnswers, trained: Trained, unit: Unit) -> Units:
    """The parts of training triples; equal questions are asked once. `answers` are those of the training triples."""
    asked, target = _asked(triples, trained)
    questions, question = np.unique(asked, axis=0, return_inverse=True)
    question = question.reshape(-1)
    row = answer = np.empty(0, np.int64)
    count = np.ones(len(target))
    if trained.all_answers:
        count = answers.count(questions[:, 0], questions[:, 1])[question].astype(np.float64)
    factors = _factors(count, trained, unit)
    if factors[1].any():
        row, answer = answers.lookup(questions[:, 0], questions[:, 1])
    shared = (questions[:, 0], questions[:, 1], row, answer, question, target)
    return Units(*shared, *factors, trained.sides, unit == "positive")


def asked_units(triples: Triples, answers: KnownAnswers, trained: Trained, unit: Unit) -> Units:
    """The parts that triples would have, did they stand among the training triples; a question each."""
    asked, target = _asked(triples, trained)
    own = np.arange(len(target))
    if not trained.all_answers:
        row = answer = np.empty(0, np.int64)
        count = np.ones(len(target))
    else:
        row, answer = answers.lookup(asked[:, 0], asked[:, 1])
        other = answer != target[row]
        row, answer = np.concatenate([row[other], own]), np.concatenate([answer[other], target])
        count = np.bincount(row, minlength=len(asked)).astype(np.float64)
    factors = _factors(count, trained, unit)
    shared = (asked[:, 0], asked[:, 1], row, answer, own, target)
    return Units(*shared, *factors, trained.sides, unit == "positive")


def lost_units(triples: Triples, trained: Trained) -> Units:
    """The loss of triples: of their questions' only right answers for softmax, their own terms -log sigmoid for bce.

    A row's bce counts every other answer as wrong, and of those there are many: it says little of one triple.
    """
    if trained.loss == "bce":
        return _alone(triples, trained, 0.0, 1.0, lacking=True)
    return _alone(triples, trained, 1.0, trained.smoothing - 1)


def scored_units(triples: Triples, trained: Trained) -> Units:
    """Minus the scores of triples, in place of a loss: whoever raises the score is a proponent."""
    return _alone(triples, trained, 0.0, -1.0)


def _alone(triples: Triples, trained: Trained, whole: float, own: float, lacking: bool = False) -> Units:
    """Parts of questions without other answers, with the factors a and c."""
    asked, target = _asked(triples, trained)
    none, place = np.empty(0, np.int64), np.arange(len(target))
    a, b, c = (np.full(len(target), factor) for factor in (whole, 0.0, own))
    return Units(asked[:, 0], asked[:, 1], none, none, place, target, a, b, c, trained.sides, lacking)


def _asked(triples: Triples, trained: Trained) -> tuple[Int64Array, Int64Array]:
    """(U, 2) entities and relations that are asked, and (U,) what is looked for."""
    asked, target = triples[:, [HEAD, RELATION]], triples[:, TAIL]
    if not trained.way_back:
        return asked, target
    back = np.stack([triples[:, TAIL], triples[:, RELATION] + trained.relations], axis=1)
    return np.concatenate([asked, back]), np.concatenate([target, triples[:, HEAD]])


def _factors(count: Float64Array, trained: Trained, unit: Unit) -> tuple[Float64Array, Float64Array, Float64Array]:
    """The factors a, b and c of parts whose rows have `count` right answers."""
    kept, none, alone = 1 - trained.smoothing, np.zeros_like(count), count == 1
    weight = np.full_like(count, kept / trained.entities) if trained.loss == "bce" else kept / count
    times = trained.row_weight(count)
    weight = weight * times
    if unit == "row":
        return times, np.where(alone, none, -weight), np.where(alone, -weight, none)
    if unit == "share":
        return times / count, none, -weight
    if unit == "positive":
        return none, none, np.ones_like(count)
    less = np.where(alone, 1, count - 1)
    before = np.where(alone, none, trained.row_weight(less))
    left = before * (kept / trained.entities if trained.loss == "bce" else kept / less)
    return times - before, np.where(alone, none, left - weight), np.where(alone, -weight, -left)
