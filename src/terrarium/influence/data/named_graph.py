"""A graph with the ids and names of its entities and relations: from tables to numbers and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from terrarium.kge.data.graph import Graph, Triples
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError

TRIPLE_COLUMNS = ["head", "head_name", "relation", "relation_name", "tail", "tail_name"]
LOAD_ONE_RUN = "load the versions of one run with --load-versions=NAME:VERSION,..."


@dataclass(frozen=True, eq=False)
class NamedGraph:
    """The triples as numbers, and the tables that their numbers index.

    Attributes:
        graph: triples of each split, as row numbers of the tables.
        entities: columns `entity` (id) and `name`.
        relations: columns `relation` (id) and `name`.
    """

    graph: Graph
    entities: pd.DataFrame
    relations: pd.DataFrame

    @staticmethod
    def of(triples: pd.DataFrame, entities: pd.DataFrame, relations: pd.DataFrame) -> NamedGraph:
        """Build the graph of the knowledge graph family's tables.

        Args:
            triples: columns head, relation, tail (ids) and split.
            entities: columns entity, name.
            relations: columns relation, name.

        Raises:
            MismatchedArtifactsError: a triple has an id that its table lacks.
        """
        try:
            graph = Graph.from_tables(triples, entities, relations)
        except ValueError as error:
            raise MismatchedArtifactsError(
                f"knowledge_graph.triples, entities and relations do not belong together ({error}): {LOAD_ONE_RUN}"
            ) from error
        return NamedGraph(graph, entities, relations)

    def name(self, triples: Triples) -> pd.DataFrame:
        """Return a table with `TRIPLE_COLUMNS`, ids and names, one row per triple (n, 3)."""
        head, relation, tail = triples.T
        ids, names = self.entities["entity"].to_numpy(), self.entities["name"].to_numpy()
        return pd.DataFrame(
            {
                "head": ids[head],
                "head_name": names[head],
                "relation": self.relations["relation"].to_numpy()[relation],
                "relation_name": self.relations["name"].to_numpy()[relation],
                "tail": ids[tail],
                "tail_name": names[tail],
            }
        )

    def encode(self, table: pd.DataFrame) -> Triples:
        """Return the triples (n, 3) of a table of ids with columns head, relation and tail.

        Raises:
            MismatchedArtifactsError: an id that the graph lacks.
        """
        ids = {"head": self.entities["entity"], "relation": self.relations["relation"], "tail": self.entities["entity"]}
        numbers = [pd.Index(known).get_indexer(pd.Index(table[column])) for column, known in ids.items()]
        triples = np.stack(numbers, axis=1).astype(np.int64)
        unknown = (triples < 0).any(axis=1)
        if unknown.any():
            row = table.iloc[int(np.argmax(unknown))]
            raise MismatchedArtifactsError(
                f"{row['head']} {row['relation']} {row['tail']} has an id that the graph lacks: {LOAD_ONE_RUN}"
            )
        return triples


def triple_text(row: Mapping[Any, Any] | pd.Series, prefix: str = "") -> str:
    """Return "head relation tail" by the names in a row whose columns have a prefix, such as `train_`."""
    return f"{row[f'{prefix}head_name']} {row[f'{prefix}relation_name']} {row[f'{prefix}tail_name']}"
