"""A trained graph model with its names, and the questions that people ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from terrarium.common.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from terrarium.common.names import NameIndex
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, Triples
from terrarium.kge.evaluation.calibration import log_softmax_of_candidates
from terrarium.kge.models.scorer import score_entities
from terrarium.kge.use.new_entities import FitReport
from terrarium.kge.use.new_entities import add_entities as fit_entities
from terrarium.kge.use.score_matrix import ScoreMatrix, query_categories, write_score_matrix
from terrarium.kge.use.trained import TrainedGraph

Explainer = Callable[[Triples, int], pd.DataFrame]
"""From triples (T, 3) and a number k to the k training triples on each side that influence each prediction most."""
_CHUNK = 16_384
"""Triples scored at once."""


class GraphEmbedding:
    """Entities and relations with their embeddings, and a score for each triple.

    Args:
        trained: the model with its graph and names.
        explainer: what computes influence, or None.
    """

    def __init__(self, trained: TrainedGraph, explainer: Explainer | None = None) -> None:
        self.trained = trained
        self._explainer = explainer
        entities, relations = trained.entities, trained.relations
        self._entities = NameIndex({"entity": entities["entity"], "name": entities["name"]}, None, "entity")
        texts = {column: relations[column] for column in ("relation", "name") if column in relations}
        self._relations = NameIndex(texts, None, "relation")

    def __len__(self) -> int:
        return self.trained.graph.num_entities

    def __repr__(self) -> str:
        return f"GraphEmbedding({len(self):,} entities, {len(self.trained.relations)} relations)"

    @property
    def entities(self) -> pd.DataFrame:
        """The entities: entity (id), name, category, group."""
        return self.trained.entities

    @property
    def vectors(self) -> Float32Array:
        """(N, d) float32 embeddings of the entities."""
        return self.trained.scorer.entity.weight.detach().float().cpu().numpy()

    def score(
        self, head: str | Sequence[str], relation: str | Sequence[str], tail: str | Sequence[str]
    ) -> float | Float64Array:
        """Return the score of a triple, or the (Q,) scores of lists; one name stands for Q equal ones.

        Scores order the answers of a query. They compare two queries badly; `predict` gives probabilities as well.

        Args:
            head, tail: ids or names of entities.
            relation: ids or names of relations.

        Raises:
            UnknownNameError: a name that the graph lacks; near matches are named.
        """
        scores = self._score(self.triples(head, relation, tail))
        is_list = any(not isinstance(part, str) for part in (head, relation, tail))
        return scores if is_list else float(scores[0])

    def triples(self, head: str | Sequence[str], relation: str | Sequence[str], tail: str | Sequence[str]) -> Triples:
        """Return names as numbers, (Q, 3). Raises UnknownNameError."""
        columns = [
            names.rows([part] if isinstance(part, str) else part)
            for names, part in ((self._entities, head), (self._relations, relation), (self._entities, tail))
        ]
        return np.stack(np.broadcast_arrays(*columns), axis=1)

    def predict(
        self,
        head: str | None = None,
        relation: str | None = None,
        tail: str | None = None,
        k: int = 10,
        *,
        among: str | Iterable[str] | None = None,
        known: bool = False,
    ) -> pd.DataFrame:
        """Predict the part of a triple that is left out: the tail, the head or the relation.

        Args:
            head, relation, tail: two of the three, by id or name.
            k: number of answers.
            among: the entities that count, by id or name, or a category; by default those that are answers of the
                relation in training.
            known: whether to show answers that the graph has already.

        Returns:
            The best first: rank (from 1), entity and name (of relations: relation), score, known (the split that has
            the triple, or an empty text), and for entities probability (calibrated if the model is, else the softmax
            over candidates that the graph does not have).

        Raises:
            ValueError: not two of the three are given.
            UnknownNameError, UnknownCategoryError: a name that the graph lacks; near matches are named.
        """
        if (head is None) + (relation is None) + (tail is None) != 1:
            raise ValueError("give two of head, relation and tail; the third is predicted")
        if relation is None:
            return self._predict_relations(str(head), str(tail), k, known)
        side = TAIL if tail is None else HEAD
        entity = self._entities.row(str(head if tail is None else tail))
        number = self._relations.row(relation)
        answers = self.trained.answers(number, side) if among is None else self._members(among)
        triples = np.empty((len(answers), 3), np.int64)
        triples[:, RELATION] = number
        triples[:, side], triples[:, HEAD + TAIL - side] = answers, entity
        every, split = self._query_scores(entity, number, side), self._splits(triples)
        scores = every[answers]
        best = self._best(scores, k, np.ones(len(scores), np.bool_) if known else split == "")
        chosen = answers[best]
        return pd.DataFrame(
            {
                "rank": np.arange(1, len(best) + 1),
                "entity": self.entities["entity"].to_numpy()[chosen],
                "name": self.entities["name"].to_numpy()[chosen],
                "score": scores[best],
                "probability": self._probabilities(every, number, side)[chosen],
                "known": split[best],
            }
        )

    def score_matrix(self, head_category: str, tail_category: str, relation: str, path: str | Path) -> ScoreMatrix:
        """Write the scores of all pairs of two categories to a Parquet file, in chunks.

        Args:
            head_category, tail_category: categories of entities, such as biolink:Drug.
            relation: id or name of the relation.
            path: the file; see `score_matrix.write_score_matrix` for its columns.

        Returns:
            Path, number of pairs, known pairs by split, and recall@n of the test pairs.
        """
        number = self.trained.relations["relation"].iloc[self._relations.row(relation)]
        query = query_categories(self.trained, str(number), head_category, tail_category)
        return write_score_matrix(self.trained, query, Path(path))

    def add_entities(
        self, triples: pd.DataFrame, names: pd.DataFrame | None = None
    ) -> tuple[GraphEmbedding, FitReport]:
        """Return the same model with new entities, fitted to their triples with everything else frozen.

        Args:
            triples: columns head, relation and tail, of ids; each triple has at least one entity that is new.
            names: columns entity and name, and, optionally, category of the new entities.

        Returns:
            A model that answers for old and new entities, and how the fit went. It cannot `explain`: its new entities
            are in no checkpoint.
        """
        trained, report = fit_entities(self.trained, triples, names)
        return GraphEmbedding(trained), report

    def explain(self, head: str, relation: str, tail: str, k: int = 10) -> pd.DataFrame:
        """Find the training triples that influenced a prediction most, by TracIn on the checkpoints of the run.

        Args:
            head, relation, tail: the triple, by ids or names.
            k: number of triples on each side.

        Returns:
            Columns side (proponent raises the score, opponent lowers it), rank, score (the influence), head, relation,
            tail (names).

        Raises:
            ValueError: the model has no checkpoints.
        """
        if self._explainer is None:
            raise ValueError("this model has no checkpoints: explain with the one that terrarium.load returns")
        return self._explainer(self.triples(head, relation, tail), k)

    def _members(self, among: str | Iterable[str]) -> Int64Array:
        if isinstance(among, str):
            return self.trained.members(among)
        return np.unique(self._entities.rows(list(among)))

    def _query_scores(self, entity: int, relation: int, side: int) -> Float64Array:
        """Return the (N,) scores of all entities as the answer of a query; heads by the inverse relation, if any."""
        scorer, count = self.trained.scorer, self.trained.graph.num_entities
        if side == TAIL or scorer.options.inverse_relations:
            number = relation if side == TAIL else relation + self.trained.graph.num_relations
            return self._forward(np.array([entity]), np.array([number]))[0]
        every = np.arange(count)
        return self._score(np.stack([every, np.full(count, relation), np.full(count, entity)], axis=1))

    def _forward(self, entity: Int64Array, relation: Int64Array) -> Float64Array:
        """Return (B, N) scores of all entities for queries (B,)."""
        scorer = self.trained.scorer
        device = scorer.entity.weight.device
        with torch.inference_mode():
            query = scorer(torch.from_numpy(entity).to(device), torch.from_numpy(relation).to(device))
            return score_entities(query, scorer.entity_table(), scorer.bias).double().cpu().numpy()

    def _score(self, triples: Triples) -> Float64Array:
        """Return the (Q,) scores of triples."""
        scorer = self.trained.scorer
        device, parts = scorer.entity.weight.device, [np.zeros(0)]
        with torch.inference_mode():
            for start in range(0, len(triples), _CHUNK):
                head, relation, tail = torch.from_numpy(triples[start : start + _CHUNK].copy()).to(device).T
                scores = (scorer(head, relation) * scorer.entity_table()[tail]).sum(1)
                scores = scores if scorer.bias is None else scores + scorer.bias[tail]
                parts.append(scores.double().cpu().numpy())
        return np.concatenate(parts)

    def _predict_relations(self, head: str, tail: str, k: int, known: bool) -> pd.DataFrame:
        relations = self.trained.relations
        every = np.arange(len(relations))
        ends = (np.full(len(every), self._entities.row(end)) for end in (head, tail))
        triples = np.stack([next(ends), every, next(ends)], axis=1)
        scores, split = self._score(triples), self._splits(triples)
        best = self._best(scores, k, np.ones(len(scores), np.bool_) if known else split == "")
        return pd.DataFrame(
            {
                "rank": np.arange(1, len(best) + 1),
                "relation": relations["relation"].to_numpy()[best],
                "score": scores[best],
                "known": split[best],
            }
        )

    def _splits(self, triples: Triples) -> np.ndarray:
        """Return the (Q,) names of the splits that have triples; an empty text where none has."""
        entities, relations = self.trained.graph.num_entities, self.trained.graph.num_relations
        split = np.full(len(triples), "", object)
        keys = _keys(triples, entities, relations)
        for name, part in reversed(list(self.trained.graph.splits.items())):
            split[np.isin(keys, _keys(part, entities, relations))] = name
        return split

    def _probabilities(self, scores: Float64Array, relation: int, side: int) -> Float64Array:
        """Return the (N,) probabilities of the answers of a query with (N,) scores."""
        trained = self.trained
        candidates = np.zeros(len(scores), np.bool_)
        candidates[trained.answers(relation, side)] = True
        log_p = log_softmax_of_candidates(torch.from_numpy(scores)[None], candidates)[0]
        if trained.calibration is None:
            return np.exp(log_p)
        return (trained.calibration.tail if side == TAIL else trained.calibration.head).probability(log_p)

    @staticmethod
    def _best(scores: Float64Array, k: int, allowed: BoolArray) -> Int64Array:
        order = np.lexsort((np.arange(len(scores)), -scores))
        return order[allowed[order]][:k]


def _keys(triples: Triples, entities: int, relations: int) -> Int64Array:
    return (triples[:, HEAD] * relations + triples[:, RELATION]) * entities + triples[:, TAIL]
