"""The best answers of chosen queries, with names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TEST, TRAIN, Graph, Triples
from terrarium.kge.evaluation.baselines import relation_index
from terrarium.kge.evaluation.calibration import Calibration, candidate_masks, log_softmax_of_candidates
from terrarium.kge.evaluation.ranking import score_batches
from terrarium.kge.models.scorer import Scorer
from terrarium.kge.options import EvaluationOptions, PredictOptions

DEFAULT_QUERIES = 5
"""Number of queries of test triples where no head is named."""
COLUMNS = ["head", "head_name", "relation", "rank", "tail", "tail_name", "score", "probability", "known"]


class UnknownEntityError(ValueError):
    """An entity in the parameters that the graph lacks, or a name that several entities have."""


class NothingToPredictError(ValueError):
    """Options that leave no query."""


class Queries(NamedTuple):
    """Questions with one part of a triple left open.

    Attributes:
        triples: (Q, 3); the column that is predicted has no meaning.
        predicted: which column that is: HEAD, RELATION or TAIL.
    """

    triples: Triples
    predicted: int


def predict_answers(
    graph: Graph,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    scorer: Scorer,
    evaluation: EvaluationOptions,
    calibration: Calibration | None = None,
) -> pd.DataFrame:
    """Return the best tails, heads or relations of the queries chosen by `evaluation.predict`.

    Args:
        graph: the graph.
        entities, relations: its tables.
        scorer: the trained model.
        evaluation: the queries, how many answers and among which, and how to score.
        calibration: of probabilities; None takes the softmax over the candidates.

    Returns:
        Columns head, head_name, relation, rank (from 1), tail, tail_name, score, probability (NaN for relations), and
        known: the split that holds the triple, or an empty string for a prediction. Known answers are left out without
        `include_known`.

    Raises:
        UnknownEntityError, UnknownRelationError: a name that does not exist.
        NothingToPredictError: no query is left.
        ScoresNotFiniteError: a score is not finite.
    """
    queries = choose_queries(graph, entities, relations, evaluation.predict)
    split_of = _known_splits(queries, graph)
    ids, names = entities["entity"].to_numpy(), entities["name"].to_numpy()
    rows = []
    with torch.inference_mode():
        for positions, scores in _score_queries(scorer, queries, evaluation):
            probability = _probabilities(scores, queries, positions, graph, calibration)
            _exclude(scores, queries, positions, graph, evaluation.predict, split_of)
            best = torch.topk(scores, min(evaluation.predict.top_k, scores.shape[1]), dim=1)
            chances = np.take_along_axis(probability, best.indices.cpu().numpy(), axis=1).tolist()
            columns = positions, best.values.tolist(), best.indices.tolist(), chances
            for position, values, answers, likely in zip(*columns, strict=True):
                listed = [row for row in zip(values, answers, likely, strict=True) if row[0] > -np.inf]
                for rank, (score, answer, chance) in enumerate(listed, start=1):
                    triple = _answered(queries, int(position), answer)
                    head, relation, tail = triple
                    query = (ids[head], names[head], relations["relation"].iloc[relation], rank)
                    rows.append((*query, ids[tail], names[tail], score, chance, split_of.get(triple, "")))
    return pd.DataFrame(rows, columns=COLUMNS)


def _answered(queries: Queries, position: int, answer: int) -> tuple[int, ...]:
    """Return the triple of a query with its open part filled in."""
    triple = queries.triples[position].tolist()
    triple[queries.predicted] = answer
    return tuple(triple)


def _score_queries(
    scorer: Scorer, queries: Queries, evaluation: EvaluationOptions
) -> Iterator[tuple[Int64Array, torch.Tensor]]:
    """Yield rows (B,) of the queries and the scores of all their answers, (B, N) or, of relations, (B, R)."""
    if queries.predicted != RELATION:
        yield from score_batches(scorer, queries.triples, queries.predicted, evaluation)
        return
    for row, (head, _, tail) in enumerate(queries.triples.tolist()):
        every = np.arange(scorer.num_relations)
        triples = np.stack([np.full_like(every, head), every, np.full_like(every, tail)], axis=1)
        own = [scores[:, tail] for _, scores in score_batches(scorer, triples, TAIL, evaluation)]
        yield np.array([row]), torch.cat(own)[None]


def _probabilities(
    scores: torch.Tensor, queries: Queries, positions: Int64Array, graph: Graph, calibration: Calibration | None
) -> Float64Array:
    """Return the probabilities (B, N) of heads or tails; NaN for relations, which are not calibrated."""
    if queries.predicted == RELATION:
        return np.full(tuple(scores.shape), np.nan)
    masks = candidate_masks(queries.triples, graph, queries.predicted)
    allowed = np.stack([masks[relation] for relation in queries.triples[positions, RELATION].tolist()])
    log_p = log_softmax_of_candidates(scores, allowed)
    if calibration is None:
        return np.exp(log_p)
    return (calibration.head if queries.predicted == HEAD else calibration.tail).probability(log_p)


def _exclude(
    scores: torch.Tensor,
    queries: Queries,
    positions: Int64Array,
    graph: Graph,
    predict: PredictOptions,
    split_of: dict[tuple[int, ...], str],
) -> None:
    """Set to minus infinity, in place, the scores of what is no candidate, and of known answers if so chosen."""
    if queries.predicted != RELATION:
        masks = _candidate_masks(queries, graph, predict.candidates)
        allowed = torch.stack([masks[relation] for relation in queries.triples[positions, RELATION].tolist()])
        scores.masked_fill_(~allowed.to(scores.device), -torch.inf)
    if not predict.include_known:
        given = [column for column in (HEAD, RELATION, TAIL) if column != queries.predicted]
        rows = {tuple(queries.triples[position, given].tolist()): row for row, position in enumerate(positions)}
        for triple in split_of:
            row = rows.get(tuple(triple[column] for column in given))
            if row is not None:
                scores[row, triple[queries.predicted]] = -torch.inf


def entity_index(entities: pd.DataFrame, text: str) -> int:
    """Return the number of an entity by its id, or by a name that only one entity has.

    Args:
        entities: columns entity (id) and name; row i is entity number i.
        text: id or name.

    Raises:
        UnknownEntityError: no entity has the id or name, or several have the name.
    """
    matches = np.flatnonzero((entities["entity"] == text).to_numpy())
    if not len(matches):
        matches = np.flatnonzero((entities["name"] == text).to_numpy())
    if len(matches) == 1:
        return int(matches[0])
    if len(matches):
        some = ", ".join(entities["entity"].iloc[matches[:5]])
        raise UnknownEntityError(f"{text!r} names {len(matches)} entities: give the id of one, such as {some}")
    raise UnknownEntityError(f"the graph has no entity {text!r}: give an id or a name of knowledge_graph.entities")


def choose_queries(graph: Graph, entities: pd.DataFrame, relations: pd.DataFrame, predict: PredictOptions) -> Queries:
    """Return the queries of the options.

    Args:
        graph: the graph.
        entities: columns entity (id) and name; row i is entity number i.
        relations: column relation (id); row i is relation number i.
        predict: heads, tails and relation of the queries; null for those of test triples.

    Raises:
        UnknownEntityError, UnknownRelationError: a name that does not exist.
        NothingToPredictError: no entity is named and no test triple has the relation.
    """
    test = graph.splits[TEST]
    relation = None if predict.relation is None else relation_index(relations, predict.relation)
    heads, tails = (
        np.array([entity_index(entities, text) for text in one], int) for one in (predict.heads, predict.tails)
    )
    if len(heads) and len(tails):
        return Queries(np.stack([heads, np.zeros_like(heads), tails], axis=1), RELATION)
    if len(heads) or len(tails):
        if relation is None:
            relation = int(np.bincount(test[:, RELATION]).argmax()) if len(test) else 0
        given = heads if len(heads) else tails
        columns = given, np.full_like(given, relation), given
        return Queries(np.stack(columns, axis=1), TAIL if len(heads) else HEAD)
    matching = test if relation is None else test[test[:, RELATION] == relation]
    if relation is not None and not len(matching):
        raise NothingToPredictError(
            f"no test triple has the relation {predict.relation!r} of evaluation.predict.relation: name "
            "evaluation.predict.heads, or another relation"
        )
    _, first = np.unique(matching[:, [HEAD, RELATION]], axis=0, return_index=True)
    return Queries(matching[np.sort(first)[:DEFAULT_QUERIES]], TAIL)


def _candidate_masks(
    queries: Queries, graph: Graph, candidates: Literal["answers", "entities"]
) -> dict[int, torch.Tensor]:
    """Return, for each relation of the queries, a mask (N,) of the candidates; all where training has no answer."""
    train, masks = graph.splits[TRAIN], {}
    for relation in np.unique(queries.triples[:, RELATION]).tolist():
        answers = train[train[:, RELATION] == relation, queries.predicted]
        mask = torch.zeros(graph.num_entities, dtype=torch.bool)
        mask[torch.from_numpy(answers) if candidates == "answers" and len(answers) else slice(None)] = True
        masks[relation] = mask
    return masks


def _known_splits(queries: Queries, graph: Graph) -> dict[tuple[int, ...], str]:
    """Return the split of each known triple that answers one of the queries."""
    first, second = (column for column in (HEAD, RELATION, TAIL) if column != queries.predicted)
    factor = max(graph.num_entities, graph.num_relations)
    keys = queries.triples[:, first] * factor + queries.triples[:, second]
    return {
        tuple(triple): name
        for name, triples in graph.splits.items()
        for triple in triples[np.isin(triples[:, first] * factor + triples[:, second], keys)].tolist()
    }
