"""What the model says of the triples asked about: the best tails of a question, ranks and probabilities."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TRAIN, Graph, Triples
from terrarium.common.arrays import Float64Array
from terrarium.kge.options import LossName
from terrarium.common.arrays import Int64Array
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.models.scorer import Scorer, score_entities

BATCH = 128
"""Questions asked at once."""


def best_tails(scorer: Scorer, graph: Graph, head: int, relation: int, count: int) -> Triples:
    """(T, 3) triples of a question with the highest scores, without those of training."""
    values = _tails(scorer, np.array([[head, relation, 0]]))[0].numpy().copy()
    _, answers = KnownAnswers(graph.splits[TRAIN], graph.num_relations).lookup(np.array([head]), np.array([relation]))
    values[answers] = -np.inf
    tails = np.argsort(-values, kind="stable")[: min(count, graph.num_entities - len(answers))]
    return np.stack([np.full(len(tails), head), np.full(len(tails), relation), tails], axis=1)


def standings(scorer: Scorer, graph: Graph, triples: Triples, loss: LossName) -> tuple[Int64Array, Float64Array]:
    """(T,) ranks of the tails, from 1, among those that training does not give the question, and (T,) probabilities.

    A probability is the softmax over all tails, or the logistic function of the score, as the loss has it.
    """
    known = KnownAnswers(graph.splits[TRAIN], graph.num_relations)
    ranks, probabilities = [np.empty(0, np.int64)], [np.empty(0)]
    for rows in np.split(triples, range(BATCH, len(triples), BATCH)):
        values, tail = _tails(scorer, rows), torch.from_numpy(np.ascontiguousarray(rows[:, TAIL]))
        given = torch.softmax(values, 1) if loss == "cross_entropy" else torch.sigmoid(values)
        probabilities.append(given.gather(1, tail[:, None])[:, 0].double().numpy())
        own = values.gather(1, tail[:, None])
        row, answer = known.lookup(rows[:, HEAD], rows[:, RELATION])
        values[torch.from_numpy(row), torch.from_numpy(answer)] = -torch.inf
        ranks.append((1 + (values > own).sum(1)).numpy())
    return np.concatenate(ranks), np.concatenate(probabilities)


def _tails(scorer: Scorer, questions: Triples) -> Tensor:
    """(B, N) scores of all tails."""
    head, relation = (torch.from_numpy(np.ascontiguousarray(questions[:, column])) for column in (HEAD, RELATION))
    with torch.no_grad():
        return score_entities(scorer(head, relation), scorer.entity.weight, scorer.bias)
