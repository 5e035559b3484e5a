"""What the model says of the triples asked about: the best tails of a question, ranks and probabilities."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TRAIN, Graph, Triples
from terrarium.kge.evaluation.metrics import Floats
from terrarium.kge.training.losses import Kind
from terrarium.kge.data.queries import Ints, KnownAnswers
from terrarium.kge.models.scorer import Scorer, scores

BATCH = 128
"""Questions asked at once."""


def best_tails(scorer: Scorer, graph: Graph, head: int, relation: int, count: int) -> Triples:
    """(T, 3) triples of a question with the highest scores, without those of training."""
    values = _tails(scorer, np.array([[head, relation, 0]]))[0].numpy().copy()
    _, answers = KnownAnswers(graph.parts[TRAIN], graph.relations).of(np.array([head]), np.array([relation]))
    values[answers] = -np.inf
    tails = np.argsort(-values, kind="stable")[: min(count, graph.entities - len(answers))]
    return np.stack([np.full(len(tails), head), np.full(len(tails), relation), tails], axis=1)


def standings(scorer: Scorer, graph: Graph, triples: Triples, loss: Kind) -> tuple[Ints, Floats]:
    """(T,) ranks of the tails, from 1, among those that training does not give the question, and (T,) probabilities.

    A probability is the softmax over all tails, or the logistic function of the score, as the loss has it.
    """
    known = KnownAnswers(graph.parts[TRAIN], graph.relations)
    ranks, probabilities = [np.empty(0, np.int64)], [np.empty(0)]
    for rows in np.split(triples, range(BATCH, len(triples), BATCH)):
        values, tail = _tails(scorer, rows), torch.from_numpy(np.ascontiguousarray(rows[:, TAIL]))
        given = torch.softmax(values, 1) if loss == "softmax" else torch.sigmoid(values)
        probabilities.append(given.gather(1, tail[:, None])[:, 0].double().numpy())
        own = values.gather(1, tail[:, None])
        row, answer = known.of(rows[:, HEAD], rows[:, RELATION])
        values[torch.from_numpy(row), torch.from_numpy(answer)] = -torch.inf
        ranks.append((1 + (values > own).sum(1)).numpy())
    return np.concatenate(ranks), np.concatenate(probabilities)


def _tails(scorer: Scorer, questions: Triples) -> Tensor:
    """(B, N) scores of all tails."""
    head, relation = (torch.from_numpy(np.ascontiguousarray(questions[:, column])) for column in (HEAD, RELATION))
    with torch.no_grad():
        return scores(scorer(head, relation), scorer.entity.weight, scorer.bias)
