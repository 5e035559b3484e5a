"""A knowledge graph as numbers: the triples of each split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
import pandas as pd

from terrarium.common.arrays import BoolArray, Int64Array

HEAD, RELATION, TAIL = 0, 1, 2
"""Columns of an array of triples."""
TRAIN, VALIDATION, TEST, TEST_GROUPS = "train", "validation", "test", "test_groups"
LEFT_OUT = "left_out"
"""True triples that a split leaves out of training and tests. They are known, so no rank counts them as wrong."""
Triples = Int64Array
"""Shape (n, 3): head, relation, tail."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Numbers of entities and relations, and the triples of each split.

    Attributes:
        num_entities, num_relations: entities are numbered 0 to num_entities - 1, relations likewise.
        splits: (n, 3) triples by the name of the split, those left out of all splits under `LEFT_OUT`.
        hierarchy: the relation from an entity to its parent, or None.
        names: (num_entities,) names of the entities, or None if they have none but their ids.
    """

    num_entities: int
    num_relations: int
    splits: Mapping[str, Triples]
    hierarchy: int | None = None
    names: pd.Series | None = None

    @staticmethod
    def from_tables(triples: pd.DataFrame, entities: pd.DataFrame, relations: pd.DataFrame) -> Graph:
        """Return the graph of three tables, the catalog entries of these names.

        Args:
            triples: columns head, relation, tail (names) and split.
            entities: column entity (name); row i is entity number i.
            relations: columns relation (name) and, optionally, is_hierarchy; row i is relation number i.

        Raises:
            ValueError: an entity or relation of the triples is missing from its table.
        """
        columns = [
            encode_names(triples["head"], entities["entity"]),
            encode_names(triples["relation"], relations["relation"]),
            encode_names(triples["tail"], entities["entity"]),
        ]
        encoded, split = np.stack(columns, axis=1), triples["split"].astype("str").to_numpy()
        splits = {name: encoded[split == name] for name in (TRAIN, VALIDATION, TEST, TEST_GROUPS, LEFT_OUT)}
        marked = np.flatnonzero(relations.get("is_hierarchy", pd.Series(dtype=bool)))
        hierarchy = int(marked[0]) if len(marked) == 1 else None
        has_names = "name" in entities and not entities["name"].equals(entities["entity"])
        return Graph(len(entities), len(relations), splits, hierarchy, entities["name"] if has_names else None)

    @cached_property
    def known_triples(self) -> Triples:
        """All triples of all splits, and those left out."""
        return np.concatenate(list(self.splits.values()))

    @cached_property
    def entities_in_training(self) -> BoolArray:
        """Shape (num_entities,): whether an entity occurs in a training triple."""
        occurs = np.zeros(self.num_entities, bool)
        occurs[self.splits[TRAIN][:, [HEAD, TAIL]].ravel()] = True
        return occurs

    def has_unseen_entity(self, triples: Triples) -> BoolArray:
        """Return (n,) whether head or tail of a triple is in no training triple.

        Args:
            triples: shape (n, 3).
        """
        return np.any(~self.entities_in_training[triples[:, [HEAD, TAIL]]], axis=1)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all triples by split. Weights carry it; an empty `LEFT_OUT` does not count."""
        digest = sha256(f"{self.num_entities} {self.num_relations}".encode())
        for name, triples in self.splits.items():
            if name == LEFT_OUT and not len(triples):
                continue
            digest.update(f"{name} {len(triples)}".encode())
            digest.update(np.ascontiguousarray(triples).tobytes())
        return digest.hexdigest()


def encode_names(names: pd.Series, order: pd.Series) -> Int64Array:
    """Return the position of each name in `order`.

    Raises:
        ValueError: a name is missing from `order`.
    """
    category = names.astype("category")
    position = pd.Index(order).get_indexer(pd.Index(category.cat.categories))
    codes = position[category.cat.codes.to_numpy()]
    if (codes < 0).any():
        missing = names.iloc[int(np.argmax(codes < 0))]
        raise ValueError(f"{missing!r} is in the triples and in no table: read the source again")
    return codes.astype(np.int64)


def invert_triples(triples: Triples, num_relations: int) -> Triples:
    """Return (tail, inverse relation, head); the inverse of relation r is r + num_relations (Lacroix et al. 2018)."""
    return np.stack([triples[:, TAIL], triples[:, RELATION] + num_relations, triples[:, HEAD]], axis=1)
