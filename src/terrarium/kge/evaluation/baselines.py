"""What answers are worth beside guesses that need no training: the majority, and the nearest relatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from terrarium.common.arrays import Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TRAIN, Graph, Triples
from terrarium.kge.data.queries import KnownAnswers, group_by_query
from terrarium.kge.evaluation.metrics import Float64Array, of_ranks
from terrarium.kge.evaluation.ranking import score_batches
from terrarium.kge.evaluation.realistic_rank import realistic_ranks
from terrarium.kge.models.scorer import Scorer
from terrarium.kge.options import BaselineOptions, EvaluationOptions

BATCH = 256

Guess = Callable[[Triples], Iterator[tuple[Int64Array, Float64Array]]]
"""Rows of triples and (B, N) scores of every entity as their tail."""


class UnknownRelationError(ValueError):
    """A relation of the parameters that the graph lacks."""


@dataclass(frozen=True, eq=False)
class Guesser:
    """Scores of tails of one relation from counts of the training triples.

    Attributes:
        majority: (N,) how often an entity is the answer.
        clades: counts (answers,) of each node of the hierarchy over all heads below it; empty without a hierarchy.
        answers: the entities that are an answer at all.
        parent: of each node.
    """

    majority: Float64Array
    clades: dict[int, Float64Array]
    answers: Int64Array
    parent: dict[int, int]

    @staticmethod
    def of(train: Triples, entities: int, relation: int, hierarchy: int | None) -> Guesser:
        """Count the answers of a relation; a node of several parents counts for the first."""
        of_relation = train[train[:, RELATION] == relation]
        majority = np.bincount(of_relation[:, TAIL], minlength=entities).astype(np.float64)
        answers = np.flatnonzero(majority)
        links = train[train[:, RELATION] == hierarchy] if hierarchy is not None else train[:0]
        parent = {int(h): int(t) for h, t in links[::-1, [HEAD, TAIL]]}
        clades: dict[int, Float64Array] = {}
        place = {int(entity): i for i, entity in enumerate(answers)}
        for head, tail in of_relation[:, [HEAD, TAIL]].tolist():
            for clade in lineage(head, parent):
                clades.setdefault(clade, np.zeros(len(answers)))[place[tail]] += 1
        return Guesser(majority, clades, answers, parent)

    def by_majority(self, triples: Triples) -> Iterator[tuple[Int64Array, Float64Array]]:
        """The answer that most have."""
        for rows in pieces(len(triples)):
            yield rows, np.tile(self.majority, (len(rows), 1))

    def by_relatives(self, triples: Triples) -> Iterator[tuple[Int64Array, Float64Array]]:
        """Places of the answers: by counts in the smallest clade with an answered head, then in the next one up."""
        for rows in pieces(len(triples)):
            found = np.zeros((len(rows), len(self.majority)))
            for row, head in enumerate(triples[rows, HEAD].tolist()):
                found[row, self.answers] = self._places(head)
            yield rows, found

    def _places(self, head: int) -> Float64Array:
        """(answers,) from 1, the best highest: a clade decides where all nearer ones are equal, last the majority."""
        if not len(self.answers):
            return np.zeros(0)
        nearest = [self.clades[clade] for clade in lineage(head, self.parent) if clade in self.clades]
        levels = np.stack([*nearest, self.majority[self.answers]], axis=1)
        _, place = np.unique(levels, axis=0, return_inverse=True)
        return (place.reshape(-1) + 1).astype(np.float64)


def lineage(node: int, parent: dict[int, int]) -> Iterator[int]:
    """The nodes above one, upwards; a cycle ends where it closes."""
    seen = {node}
    while node in parent and parent[node] not in seen:
        node = parent[node]
        seen.add(node)
        yield node


def compare(
    graph: Graph,
    relations: pd.DataFrame,
    scorer: Scorer,
    known: KnownAnswers,
    splits: list[str],
    evaluation: EvaluationOptions,
) -> pd.DataFrame:
    """A row a split and method: split, method, questions, top_answer_accuracy, mrr, mean_rank, hits_at_k of tails.

    Without a relation to compare, which is when the source asks about several and none is named, there is no row.

    Raises:
        UnknownRelationError: a relation that does not exist.
    """
    columns = ["split", "method", "questions", "top_answer_accuracy", "mrr", "mean_rank", "hits_at_1", "hits_at_3"]
    relation, hierarchy = compared(relations, evaluation.baseline)
    if relation is None:
        return pd.DataFrame(columns=[*columns, "hits_at_10"])
    guesser = Guesser.of(graph.splits[TRAIN], graph.num_entities, relation, hierarchy)
    methods: dict[str, Guess] = {
        "trained": lambda triples: _by_scorer(scorer, triples, evaluation),
        "majority": guesser.by_majority,
    }
    if hierarchy is not None:
        methods["nearest relatives"] = guesser.by_relatives
    rows = []
    for split in splits:
        asked = graph.splits[split][graph.splits[split][:, RELATION] == relation]
        for name, guess in methods.items():
            if len(asked):
                rows.append({"split": split, "method": name, **_measure(asked, guess, known, guesser.answers)})
    return pd.DataFrame(rows, columns=[*columns, "hits_at_10"])


def compared(relations: pd.DataFrame, baseline: BaselineOptions) -> tuple[int | None, int | None]:
    """The relation whose answers are guessed, and the one that leads to a parent; None where there is none.

    Raises:
        UnknownRelationError: a relation that does not exist, or a hierarchy for no relation.
    """
    relation = _chosen(relations, baseline.relation, "asked")
    hierarchy = _chosen(relations, baseline.hierarchy, "hierarchy")
    if relation is None and baseline.hierarchy is not None:
        raise UnknownRelationError(
            "evaluation.baseline.hierarchy is set and no relation is compared, as the source asks about several: "
            "set evaluation.baseline.relation, too"
        )
    return relation, hierarchy


def relation_index(relations: pd.DataFrame, name: str) -> int:
    """The number of a relation; UnknownRelationError where there is none of the name."""
    found = np.flatnonzero((relations["relation"] == name).to_numpy())
    if not len(found):
        some = ", ".join(relations["relation"].head(10))
        raise UnknownRelationError(f"the graph has no relation {name!r} (there are {some}): set it to null, or to one")
    return int(found[0])


def _chosen(relations: pd.DataFrame, name: str | None, mark: str) -> int | None:
    """The relation of a name, or without one the only relation that the source marks so."""
    if name is not None:
        return relation_index(relations, name)
    marked = np.flatnonzero(relations[mark].to_numpy())
    return int(marked[0]) if len(marked) == 1 else None


def pieces(count: int) -> list[Int64Array]:
    """The rows 0 to count - 1 in batches."""
    return np.split(np.arange(count), range(BATCH, count, BATCH))


def _measure(triples: Triples, guess: Guess, known: KnownAnswers, answers: Int64Array) -> dict[str, float]:
    ranks = np.empty(len(triples))
    for rows, scores in guess(triples):
        row, entity = known.lookup(triples[rows, HEAD], triples[rows, RELATION])
        parts = (torch.from_numpy(part) for part in (triples[rows, TAIL], row, entity))
        ranks[rows] = realistic_ranks(torch.from_numpy(np.array(scores)), *parts).numpy()
    questions = group_by_query(triples, int(triples[:, RELATION].max()) + 1)
    accuracy = _top_answers(triples, guess, known, answers)
    return {"questions": len(questions), "top_answer_accuracy": accuracy, **of_ranks(ranks)}


def _top_answers(triples: Triples, guess: Guess, known: KnownAnswers, answers: Int64Array) -> float:
    """Share of questions whose best candidate is right; of equally good ones the share of right ones.

    Candidates are the answers that training knows, less those that a question has in other splits: a right answer
    that training lacks is none, so a question that has no other is not answered.
    """
    questions = group_by_query(triples, int(triples[:, RELATION].max()) + 1)
    asked = np.stack([questions.entity, questions.relation, np.zeros_like(questions.entity)], axis=1)
    right = []
    for rows, scores in guess(asked):
        row, own, _ = questions.select_answers(rows)
        answered: NDArray[np.bool_] = np.zeros(scores.shape, bool)
        answered[:, answers] = True
        wanted = np.zeros(scores.shape, bool)
        wanted[row, own] = True
        candidate = answered.copy()
        candidate[known.lookup(asked[rows, HEAD], asked[rows, RELATION])] = False
        candidate |= wanted & answered
        held = np.where(candidate, scores, -np.inf)
        best = candidate & (held == held.max(axis=1, keepdims=True))
        right.append((best & wanted).sum(axis=1) / np.maximum(best.sum(axis=1), 1))
    return float(np.concatenate(right).mean())


def _by_scorer(
    scorer: Scorer, triples: Triples, evaluation: EvaluationOptions
) -> Iterator[tuple[Int64Array, Float64Array]]:
    with torch.inference_mode():
        for rows, values in score_batches(scorer, triples, TAIL, evaluation):
            yield rows, values.double().cpu().numpy()
