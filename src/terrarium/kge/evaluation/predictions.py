"""The best answers of chosen questions, with names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TEST, TRAIN, Graph, Triples
from terrarium.kge.evaluation.baselines import relation_index
from terrarium.kge.evaluation.ranking import score_batches
from terrarium.kge.models.scorer import Scorer
from terrarium.kge.options import EvaluationOptions, PredictOptions

SHOWN = 5
"""Heads of test triples that are asked when none is named."""
COLUMNS = ["head", "head_name", "relation", "rank", "tail", "tail_name", "score", "known"]


class UnknownEntityError(ValueError):
    """An entity of the parameters that the graph lacks, or a name of several."""


class NothingToPredictError(ValueError):
    """A choice of questions that leaves none."""


def predict(
    graph: Graph, entities: pd.DataFrame, relations: pd.DataFrame, scorer: Scorer, evaluation: EvaluationOptions
) -> pd.DataFrame:
    """The `top` tails of each question, best first; `known` names the part that a triple stands in, if any.

    Tails are among the answers that training knows for the relation, or among all entities, as `predict.among` says.

    Raises:
        UnknownEntityError, UnknownRelationError: a name that does not exist.
        NothingToPredictError: no head is named and no test triple has the relation.
        ScoresNotFiniteError: a score is not a finite number.
    """
    asked = questions(graph, entities, relations, evaluation.predict)
    stands = _parts_of(asked, graph)
    among = _candidates(asked, graph, evaluation.predict.candidates)
    names, ids = entities["name"].to_numpy(), entities["entity"].to_numpy()
    top = min(evaluation.predict.top_k, graph.num_entities)
    rows = []
    with torch.inference_mode():
        for places, values in score_batches(scorer, asked, TAIL, evaluation):
            allowed = torch.stack([among[relation] for relation in asked[places, RELATION].tolist()])
            values.masked_fill_(~allowed.to(values.device), -torch.inf)
            best = torch.topk(values, top, dim=1)
            for place, scores, tails in zip(places, best.values.tolist(), best.indices.tolist(), strict=True):
                head, relation = asked[place, HEAD], asked[place, RELATION]
                answers = [pair for pair in zip(scores, tails, strict=True) if pair[0] > -np.inf]
                for rank, (score, tail) in enumerate(answers, start=1):
                    known = stands.get((int(head), int(relation), tail), "")
                    question = (ids[head], names[head], relations["relation"].iloc[int(relation)])
                    rows.append((*question, rank, ids[tail], names[tail], score, known))
    return pd.DataFrame(rows, columns=COLUMNS)


def entity_index(entities: pd.DataFrame, text: str) -> int:
    """The number of an entity by id, or by a name that only one has."""
    found = np.flatnonzero((entities["entity"] == text).to_numpy())
    if not len(found):
        found = np.flatnonzero((entities["name"] == text).to_numpy())
    if len(found) == 1:
        return int(found[0])
    if len(found):
        some = ", ".join(entities["entity"].iloc[found[:5]])
        raise UnknownEntityError(f"{text!r} names {len(found)} entities: give the id of one, such as {some}")
    raise UnknownEntityError(f"the graph has no entity {text!r}: give an id or a name of knowledge_graph.num_entities")


def questions(graph: Graph, entities: pd.DataFrame, relations: pd.DataFrame, wanted: PredictOptions) -> Triples:
    """(Q, 3) questions in triples whose tail does not matter.

    Raises:
        UnknownEntityError, UnknownRelationError: a name that does not exist.
        NothingToPredictError: no head is named and no test triple has the relation.
    """
    test = graph.splits[TEST]
    relation = None if wanted.relation is None else relation_index(relations, wanted.relation)
    if not wanted.heads:
        shown = test if relation is None else test[test[:, RELATION] == relation]
        if relation is not None and not len(shown):
            raise NothingToPredictError(
                f"no test triple has the relation {wanted.relation!r} of evaluation.predict.relation: name "
                "evaluation.predict.heads, or another relation"
            )
        _, first = np.unique(shown[:, [HEAD, RELATION]], axis=0, return_index=True)
        return shown[np.sort(first)[:SHOWN]]
    if relation is None:
        relation = int(np.bincount(test[:, RELATION]).argmax()) if len(test) else 0
    return np.array([[entity_index(entities, text), relation, 0] for text in wanted.heads], np.int64)


def _candidates(asked: Triples, graph: Graph, among: str) -> dict[int, torch.Tensor]:
    """Which entities (N) may answer each relation that is asked about; all where training knows no answer."""
    train, found = graph.splits[TRAIN], {}
    for relation in np.unique(asked[:, RELATION]).tolist():
        answers = train[train[:, RELATION] == relation, TAIL]
        found[relation] = torch.zeros(graph.num_entities, dtype=torch.bool)
        found[relation][torch.from_numpy(answers) if among == "answers" and len(answers) else slice(None)] = True
    return found


def _parts_of(asked: Triples, graph: Graph) -> dict[tuple[int, ...], str]:
    """The part of each known triple that answers one of the questions."""
    wanted = asked[:, HEAD] * graph.num_relations + asked[:, RELATION]
    return {
        tuple(triple): name
        for name, part in graph.splits.items()
        for triple in part[np.isin(part[:, HEAD] * graph.num_relations + part[:, RELATION], wanted)].tolist()
    }
