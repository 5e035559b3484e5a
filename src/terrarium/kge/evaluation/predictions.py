"""The best answers of chosen queries, with names."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import torch

from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TEST, TRAIN, Graph, Triples
from terrarium.kge.evaluation.baselines import relation_index
from terrarium.kge.evaluation.ranking import score_batches
from terrarium.kge.models.scorer import Scorer
from terrarium.kge.options import EvaluationOptions, PredictOptions

DEFAULT_QUERIES = 5
"""Number of queries of test triples where no head is named."""
COLUMNS = ["head", "head_name", "relation", "rank", "tail", "tail_name", "score", "known"]


class UnknownEntityError(ValueError):
    """An entity in the parameters that the graph lacks, or a name that several entities have."""


class NothingToPredictError(ValueError):
    """Options that leave no query."""


def predict_answers(
    graph: Graph, entities: pd.DataFrame, relations: pd.DataFrame, scorer: Scorer, evaluation: EvaluationOptions
) -> pd.DataFrame:
    """Return the best tails of the queries chosen by `evaluation.predict`.

    Args:
        graph: the graph.
        entities, relations: its tables.
        scorer: the trained model.
        evaluation: the queries, how many answers and among which, and how to score.

    Returns:
        Columns head, head_name, relation, rank (from 1), tail, tail_name, score, and known: the split that holds the
        triple, or an empty string for a prediction.

    Raises:
        UnknownEntityError, UnknownRelationError: a name that does not exist.
        NothingToPredictError: no query is left.
        ScoresNotFiniteError: a score is not finite.
    """
    queries = choose_queries(graph, entities, relations, evaluation.predict)
    split_of = _known_splits(queries, graph)
    candidates = _candidate_masks(queries, graph, evaluation.predict.candidates)
    ids, names = entities["entity"].to_numpy(), entities["name"].to_numpy()
    top_k = min(evaluation.predict.top_k, graph.num_entities)
    rows = []
    with torch.inference_mode():
        for positions, scores in score_batches(scorer, queries, TAIL, evaluation):
            allowed = torch.stack([candidates[relation] for relation in queries[positions, RELATION].tolist()])
            scores.masked_fill_(~allowed.to(scores.device), -torch.inf)
            best = torch.topk(scores, top_k, dim=1)
            for position, values, tails in zip(positions, best.values.tolist(), best.indices.tolist(), strict=True):
                head, relation = int(queries[position, HEAD]), int(queries[position, RELATION])
                query = (ids[head], names[head], relations["relation"].iloc[relation])
                answers = [(score, tail) for score, tail in zip(values, tails, strict=True) if score > -np.inf]
                for rank, (score, tail) in enumerate(answers, start=1):
                    known = split_of.get((head, relation, tail), "")
                    rows.append((*query, rank, ids[tail], names[tail], score, known))
    return pd.DataFrame(rows, columns=COLUMNS)


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


def choose_queries(graph: Graph, entities: pd.DataFrame, relations: pd.DataFrame, predict: PredictOptions) -> Triples:
    """Return the queries of the options as triples (Q, 3); their tail has no meaning.

    Args:
        graph: the graph.
        entities: columns entity (id) and name; row i is entity number i.
        relations: column relation (id); row i is relation number i.
        predict: heads and relation of the queries; null for those of test triples.

    Raises:
        UnknownEntityError, UnknownRelationError: a name that does not exist.
        NothingToPredictError: no head is named and no test triple has the relation.
    """
    test = graph.splits[TEST]
    relation = None if predict.relation is None else relation_index(relations, predict.relation)
    if not predict.heads:
        matching = test if relation is None else test[test[:, RELATION] == relation]
        if relation is not None and not len(matching):
            raise NothingToPredictError(
                f"no test triple has the relation {predict.relation!r} of evaluation.predict.relation: name "
                "evaluation.predict.heads, or another relation"
            )
        _, first = np.unique(matching[:, [HEAD, RELATION]], axis=0, return_index=True)
        return matching[np.sort(first)[:DEFAULT_QUERIES]]
    if relation is None:
        relation = int(np.bincount(test[:, RELATION]).argmax()) if len(test) else 0
    return np.array([[entity_index(entities, text), relation, 0] for text in predict.heads], np.int64)


def _candidate_masks(
    queries: Triples, graph: Graph, candidates: Literal["answers", "entities"]
) -> dict[int, torch.Tensor]:
    """Return, for each relation of the queries, a mask (N,) of the candidates; all where training has no answer."""
    train, masks = graph.splits[TRAIN], {}
    for relation in np.unique(queries[:, RELATION]).tolist():
        answers = train[train[:, RELATION] == relation, TAIL]
        mask = torch.zeros(graph.num_entities, dtype=torch.bool)
        mask[torch.from_numpy(answers) if candidates == "answers" and len(answers) else slice(None)] = True
        masks[relation] = mask
    return masks


def _known_splits(queries: Triples, graph: Graph) -> dict[tuple[int, ...], str]:
    """Return the split of each known triple that answers one of the queries."""
    keys = queries[:, HEAD] * graph.num_relations + queries[:, RELATION]
    return {
        tuple(triple): name
        for name, triples in graph.splits.items()
        for triple in triples[np.isin(triples[:, HEAD] * graph.num_relations + triples[:, RELATION], keys)].tolist()
    }
