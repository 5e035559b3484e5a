"""The triples as numbers, split by split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
import pandas as pd
from numpy.typing import NDArray

HEAD, RELATION, TAIL = 0, 1, 2
TRAIN, VALID, TEST, TEST_GROUPS = "train", "valid", "test", "test_groups"
LEFT_OUT = "left_out"
"""True triples that a split made here keeps out of training and tests: known, so that no rank counts them as wrong."""
Triples = NDArray[np.int64]
"""(n, 3): head, relation, tail."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Numbers of entities and relations, and the triples of each split.

    Attributes:
        entities, relations: how many.
        parts: (n, 3) triples by split, and those that were left out of all.
    """

    entities: int
    relations: int
    parts: Mapping[str, Triples]

    @staticmethod
    def of(triples: pd.DataFrame, entities: pd.DataFrame, relations: pd.DataFrame) -> Graph:
        """Number the names of a table of triples; each must stand in its table."""
        columns = [
            codes(triples["head"], entities["entity"]),
            codes(triples["relation"], relations["relation"]),
            codes(triples["tail"], entities["entity"]),
        ]
        numbers, split = np.stack(columns, axis=1), triples["split"].astype("str").to_numpy()
        parts = {name: numbers[split == name] for name in (TRAIN, VALID, TEST, TEST_GROUPS, LEFT_OUT)}
        return Graph(len(entities), len(relations), parts)

    @cached_property
    def known(self) -> Triples:
        """All triples of all splits, and those left out."""
        return np.concatenate(list(self.parts.values()))

    @cached_property
    def trained_entities(self) -> NDArray[np.bool_]:
        """(entities,) whether an entity stands in a training triple."""
        seen = np.zeros(self.entities, bool)
        seen[self.parts[TRAIN][:, [HEAD, TAIL]].ravel()] = True
        return seen

    @cached_property
    def fingerprint(self) -> str:
        """What weights belong to: the numbers of all triples, split by split; none left out says nothing."""
        digest = sha256(f"{self.entities} {self.relations}".encode())
        for name, part in self.parts.items():
            if name == LEFT_OUT and not len(part):
                continue
            digest.update(f"{name} {len(part)}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


def codes(names: pd.Series, order: pd.Series) -> NDArray[np.int64]:
    """The place of each name in `order`; ValueError for a name that is not there."""
    category = names.astype("category")
    place = pd.Index(order).get_indexer(pd.Index(category.cat.categories))
    found = place[category.cat.codes.to_numpy()]
    if (found < 0).any():
        missing = names.iloc[int(np.argmax(found < 0))]
        raise ValueError(f"{missing!r} stands in the triples and in no table: read the source again")
    return found.astype(np.int64)


def reciprocal(triples: Triples, relations: int) -> Triples:
    """The triples turned round, with the relation's second number (Lacroix 2018; Kazemi and Poole 2018)."""
    return np.stack([triples[:, TAIL], triples[:, RELATION] + relations, triples[:, HEAD]], axis=1)
