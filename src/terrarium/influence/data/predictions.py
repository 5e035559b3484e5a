"""What the model predicts for query triples: the best tails of a query, ranks and probabilities."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TRAIN, Graph, Triples
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.models.scorer import Scorer, score_entities
from terrarium.kge.options import LossName

BATCH_SIZE = 128
"""Queries scored together."""


class Predictions(NamedTuple):
    """What the model says about triples.

    Attributes:
        rank: (T,) rank of the tail, from 1, among the tails that are no answers in training.
        probability: (T,) softmax over all tails, or the logistic function of the score if that was trained.
    """

    rank: Int64Array
    probability: Float64Array


def best_tails(scorer: Scorer, graph: Graph, head: int, relation: int, count: int) -> Triples:
    """Return the triples of a head and a relation with the highest scores that are not in training.

    Args:
        scorer: the model, on the CPU and in evaluation mode.
        graph: its training triples are left out.
        head, relation: numbers.
        count: number of triples.

    Returns:
        Triples, shape (count, 3) or fewer, best first.
    """
    scored = _score_tails(scorer, np.array([[head, relation, 0]]))[0].numpy().copy()
    _, answers = KnownAnswers(graph.splits[TRAIN], graph.num_relations).lookup(np.array([head]), np.array([relation]))
    scored[answers] = -np.inf
    tails = np.argsort(-scored, kind="stable")[: min(count, graph.num_entities - len(answers))]
    return np.stack([np.full(len(tails), head), np.full(len(tails), relation), tails], axis=1)


def predict_triples(scorer: Scorer, graph: Graph, triples: Triples, loss: LossName) -> Predictions:
    """Return rank and probability of the tails of triples (T, 3).

    Args:
        scorer: the model, on the CPU and in evaluation mode.
        graph: its training triples are filtered from the ranks.
        triples: shape (T, 3).
        loss: the loss that was trained; it decides how a score becomes a probability.
    """
    known = KnownAnswers(graph.splits[TRAIN], graph.num_relations)
    ranks, probabilities = [np.empty(0, np.int64)], [np.empty(0)]
    for batch in np.split(triples, range(BATCH_SIZE, len(triples), BATCH_SIZE)):
        scored, tail = _score_tails(scorer, batch), torch.from_numpy(np.ascontiguousarray(batch[:, TAIL]))
        probability = torch.softmax(scored, 1) if loss == "cross_entropy" else torch.sigmoid(scored)
        probabilities.append(probability.gather(1, tail[:, None])[:, 0].double().numpy())
        own = scored.gather(1, tail[:, None])
        row, answer = known.lookup(batch[:, HEAD], batch[:, RELATION])
        scored[torch.from_numpy(row), torch.from_numpy(answer)] = -torch.inf
        ranks.append((1 + (scored > own).sum(1)).numpy())
    return Predictions(np.concatenate(ranks), np.concatenate(probabilities))


def _score_tails(scorer: Scorer, triples: Triples) -> Tensor:
    """Return the scores (B, N) of all tails for the heads and relations of triples (B, 3)."""
    head, relation = (torch.from_numpy(np.ascontiguousarray(triples[:, column])) for column in (HEAD, RELATION))
    with torch.no_grad():
        return score_entities(scorer(head, relation), scorer.entity.weight, scorer.bias)
