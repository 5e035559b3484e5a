"""A trained model with the graph and the names that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from terrarium.common.arrays import Int64Array
from terrarium.kge.data.graph import RELATION, TRAIN, Graph
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.evaluation.baselines import relation_index
from terrarium.kge.evaluation.calibration import Calibration
from terrarium.kge.models.scorer import Scorer, load_scorer
from terrarium.training.checkpointing.state import State


class UnknownCategoryError(ValueError):
    """A category that no entity of the graph has."""


@dataclass(frozen=True, eq=False)
class TrainedGraph:
    """A scorer, its graph, and the tables of names.

    Attributes:
        scorer: the model, complete and in evaluation mode.
        graph: N entities, and the triples of each split.
        entities: columns entity (id), name, category and group; row i is entity number i.
        relations: column relation (id); row i is relation number i.
        calibration: probabilities of scores, or None.
    """

    scorer: Scorer
    graph: Graph
    entities: pd.DataFrame
    relations: pd.DataFrame
    calibration: Calibration | None = None

    @staticmethod
    def from_tables(
        weights: State,
        triples: pd.DataFrame,
        entities: pd.DataFrame,
        relations: pd.DataFrame,
        calibration: Calibration | None = None,
    ) -> TrainedGraph:
        """Return the model of the catalog entries of these names.

        Raises:
            WrongWeightsError, MismatchedArtifactsError: weights of another family or another graph.
        """
        graph = Graph.from_tables(triples, entities, relations)
        return TrainedGraph(load_scorer(weights, graph.fingerprint), graph, entities, relations, calibration)

    @cached_property
    def known(self) -> KnownAnswers:
        """The known answers of all splits."""
        return KnownAnswers(self.graph.known_triples, self.graph.num_relations)

    def relation(self, name: str) -> int:
        """Return the number of a relation. Raises UnknownRelationError."""
        return relation_index(self.relations, name)

    def members(self, category: str) -> Int64Array:
        """Return the numbers of the entities of a category, by its name.

        Raises:
            UnknownCategoryError: no entity has it; the most frequent ones are named.
        """
        found = np.flatnonzero((self.entities["category"] == category).to_numpy(bool))
        if not len(found):
            some = self.entities["category"].value_counts().head(10).index.tolist()
            raise UnknownCategoryError(
                f"no entity has the category {category!r}: there are {', '.join(map(str, some))}"
            )
        return found

    def answers(self, relation: int, side: int) -> Int64Array:
        """Return the entities that occur in training as HEAD or TAIL of a relation; all where none does."""
        train = self.graph.splits[TRAIN]
        found = np.unique(train[train[:, RELATION] == relation, side])
        return found if len(found) else np.arange(self.graph.num_entities)
