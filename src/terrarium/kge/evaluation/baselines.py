"""Baselines that need no training: the majority answer, and the answers of the nearest relatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TRAIN, Graph, Triples
from terrarium.kge.data.queries import KnownAnswers, QueryIndex, group_by_query
from terrarium.kge.evaluation.metrics import RANK_METRICS, rank_metrics
from terrarium.kge.evaluation.ranking import realistic_ranks, score_batches
from terrarium.kge.models.scorer import Scorer
from terrarium.kge.options import BaselineOptions, EvaluationOptions

BATCH = 256
COLUMNS = ["split", "method", "queries", "top_answer_accuracy", *RANK_METRICS]

ScoreTails = Callable[[Triples], Iterator[tuple[Int64Array, Float64Array]]]
"""From triples (n, 3), yields rows (B,) and the scores (B, N) of every entity as their tail."""


class UnknownRelationError(ValueError):
    """A relation in the parameters that the graph lacks."""


@dataclass(frozen=True, eq=False)
class CountBaselines:
    """Scores of the tails of one relation, from counts of the training triples.

    Attributes:
        majority: (N,) how often an entity is the answer.
        answers: (A,) the entities that are an answer at all.
        clades: for each node of the hierarchy, counts (A,) of the answers of all heads below it.
        parent: node -> its parent; empty without a hierarchy.
    """

    majority: Float64Array
    answers: Int64Array
    clades: dict[int, Float64Array]
    parent: dict[int, int]

    @staticmethod
    def count(train: Triples, num_entities: int, relation: int, hierarchy: int | None) -> CountBaselines:
        """Count the answers of a relation.

        Args:
            train: the training triples.
            num_entities: number of entities of the graph.
            relation: whose tails are the answers.
            hierarchy: relation from a node to its parent, or None. Of several parents the first counts.
        """
        answered = train[train[:, RELATION] == relation]
        majority = np.bincount(answered[:, TAIL], minlength=num_entities).astype(np.float64)
        answers = np.flatnonzero(majority)
        links = train[train[:, RELATION] == hierarchy] if hierarchy is not None else train[:0]
        parent = {int(child): int(node) for child, node in links[::-1, [HEAD, TAIL]]}
        clades: dict[int, Float64Array] = {}
        position = {int(entity): i for i, entity in enumerate(answers)}
        for head, tail in answered[:, [HEAD, TAIL]].tolist():
            for clade in ancestors(head, parent):
                clades.setdefault(clade, np.zeros(len(answers)))[position[tail]] += 1
        return CountBaselines(majority, answers, clades, parent)

    def score_by_majority(self, triples: Triples) -> Iterator[tuple[Int64Array, Float64Array]]:
        """Score every tail by how often it is an answer (see `ScoreTails`)."""
        for rows in _batches(len(triples)):
            yield rows, np.tile(self.majority, (len(rows), 1))

    def score_by_relatives(self, triples: Triples) -> Iterator[tuple[Int64Array, Float64Array]]:
        """Score answers by their counts in the smallest clade with an answered head; larger clades break ties."""
        for rows in _batches(len(triples)):
            scores = np.zeros((len(rows), len(self.majority)))
            for row, head in enumerate(triples[rows, HEAD].tolist()):
                scores[row, self.answers] = self._order_answers(head)
            yield rows, scores

    def _order_answers(self, head: int) -> Float64Array:
        """Return positions (A,) from 1, the best answer highest; the majority breaks the last ties."""
        if not len(self.answers):
            return np.zeros(0)
        nearest = [self.clades[clade] for clade in ancestors(head, self.parent) if clade in self.clades]
        levels = np.stack([*nearest, self.majority[self.answers]], axis=1)
        _, position = np.unique(levels, axis=0, return_inverse=True)
        return (position.reshape(-1) + 1).astype(np.float64)


def ancestors(node: int, parent: dict[int, int]) -> Iterator[int]:
    """Yield the ancestors of a node, nearest first; a cycle ends where it closes."""
    seen = {node}
    while node in parent and parent[node] not in seen:
        node = parent[node]
        seen.add(node)
        yield node


def compare_methods(
    graph: Graph,
    relations: pd.DataFrame,
    scorer: Scorer,
    known: KnownAnswers,
    splits: Sequence[str],
    evaluation: EvaluationOptions,
) -> pd.DataFrame:
    """Compare tails predicted by the scorer, the majority and the nearest relatives.

    Args:
        graph: the graph.
        relations: the table of relations.
        scorer: the trained model.
        known: answers of all splits, for filtered ranks.
        splits: names of the splits to compare on.
        evaluation: relation and hierarchy, and how to score.

    Returns:
        One row per split and method (trained, majority, nearest relatives): split, method, queries,
        top_answer_accuracy (fraction of queries whose best candidate is right) and `RANK_METRICS` of tails. No rows
        if no relation is chosen.

    Raises:
        UnknownRelationError: a relation that does not exist.
    """
    relation, hierarchy = choose_relations(relations, evaluation.baseline)
    if relation is None:
        return pd.DataFrame(columns=COLUMNS)
    baselines = CountBaselines.count(graph.splits[TRAIN], graph.num_entities, relation, hierarchy)
    methods: dict[str, ScoreTails] = {
        "trained": lambda triples: _score_by_model(scorer, triples, evaluation),
        "majority": baselines.score_by_majority,
    }
    if hierarchy is not None:
        methods["nearest relatives"] = baselines.score_by_relatives
    rows = []
    for split in splits:
        triples = graph.splits[split][graph.splits[split][:, RELATION] == relation]
        for name, score_tails in methods.items():
            if len(triples):
                measured = _measure(triples, score_tails, known, baselines.answers)
                rows.append({"split": split, "method": name, **measured})
    return pd.DataFrame(rows, columns=COLUMNS)


def choose_relations(relations: pd.DataFrame, baseline: BaselineOptions) -> tuple[int | None, int | None]:
    """Return the relation whose tails are predicted, and the one to a parent; None where there is none.

    Without a name in the options, it is the only relation that the source marks so.

    Args:
        relations: columns relation (id), is_target and is_hierarchy; row i is relation number i.
        baseline: names of both relations; null takes the only one that is_target or is_hierarchy marks.

    Returns:
        Number of the relation and of the hierarchy, or None.

    Raises:
        UnknownRelationError: a relation that does not exist, or a hierarchy without a relation.
    """
    relation = _choose_relation(relations, baseline.relation, "is_target")
    hierarchy = _choose_relation(relations, baseline.hierarchy, "is_hierarchy")
    if relation is None and baseline.hierarchy is not None:
        raise UnknownRelationError(
            "evaluation.baseline.hierarchy is set but no relation is compared, since the source holds out several: "
            "set evaluation.baseline.relation, too"
        )
    return relation, hierarchy


def relation_index(relations: pd.DataFrame, name: str) -> int:
    """Return the number of a relation in the table of relations.

    Args:
        relations: column relation (id); row i is relation number i.
        name: id of the relation.

    Raises:
        UnknownRelationError: no relation has the name.
    """
    matches = np.flatnonzero((relations["relation"] == name).to_numpy())
    if not len(matches):
        some = ", ".join(relations["relation"].head(10))
        raise UnknownRelationError(f"the graph has no relation {name!r} (there are {some}): set it to null, or to one")
    return int(matches[0])


def _choose_relation(relations: pd.DataFrame, name: str | None, mark: str) -> int | None:
    if name is not None:
        return relation_index(relations, name)
    marked = np.flatnonzero(relations[mark].to_numpy())
    return int(marked[0]) if len(marked) == 1 else None


def _batches(count: int) -> list[Int64Array]:
    return np.split(np.arange(count), range(BATCH, count, BATCH))


def _measure(triples: Triples, score_tails: ScoreTails, known: KnownAnswers, answers: Int64Array) -> dict[str, float]:
    ranks = np.empty(len(triples))
    for rows, scores in score_tails(triples):
        known_row, known_entity = known.lookup(triples[rows, HEAD], triples[rows, RELATION])
        indices = (torch.from_numpy(array) for array in (triples[rows, TAIL], known_row, known_entity))
        ranks[rows] = realistic_ranks(torch.from_numpy(np.array(scores)), *indices).numpy()
    queries = group_by_query(triples, int(triples[:, RELATION].max()) + 1)
    accuracy = _top_answer_accuracy(queries, score_tails, known, answers)
    return {"queries": len(queries), "top_answer_accuracy": accuracy, **rank_metrics(ranks)}


def _top_answer_accuracy(
    queries: QueryIndex, score_tails: ScoreTails, known: KnownAnswers, answers: Int64Array
) -> float:
    """Return the fraction of queries whose best candidate is right; of equally good ones, the fraction of right ones.

    Candidates are the answers of the relation in training, without those of the query in other splits. A right answer
    that training lacks is no candidate, so a query that has no other counts as wrong.
    """
    triples = np.stack([queries.entity, queries.relation, np.zeros_like(queries.entity)], axis=1)
    correct = []
    for rows, scores in score_tails(triples):
        own = queries.select_answers(rows)
        is_answer, is_right = np.zeros(scores.shape, bool), np.zeros(scores.shape, bool)
        is_answer[:, answers] = True
        is_right[own.row, own.entity] = True
        is_candidate = is_answer.copy()
        is_candidate[known.lookup(triples[rows, HEAD], triples[rows, RELATION])] = False
        is_candidate |= is_right & is_answer
        candidate_scores = np.where(is_candidate, scores, -np.inf)
        is_best = is_candidate & (candidate_scores == candidate_scores.max(axis=1, keepdims=True))
        correct.append((is_best & is_right).sum(axis=1) / np.maximum(is_best.sum(axis=1), 1))
    return float(np.concatenate(correct).mean())


def _score_by_model(
    scorer: Scorer, triples: Triples, evaluation: EvaluationOptions
) -> Iterator[tuple[Int64Array, Float64Array]]:
    with torch.inference_mode():
        for rows, scores in score_batches(scorer, triples, TAIL, evaluation):
            yield rows, scores.double().cpu().numpy()
