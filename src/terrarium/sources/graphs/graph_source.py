"""The tables that readers of triples return, and the encoding of names while a file is streamed."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

UNDIVIDED = "undivided"
SPLITS = ("train", "validation", "test", "test_groups", UNDIVIDED, "left_out")
SplitBy = Literal["pair", "head"]


@dataclass(frozen=True)
class GraphSource:
    """A knowledge graph as tables.

    Attributes:
        triples: head, relation, tail (categories, named) and split, one of SPLITS.
        entities: entity, name, category, group (empty if unknown); row i is entity number i.
        relations: relation, name, is_target (whether its triples are held out by default), is_hierarchy (whether it
            leads from an entity to its parent), split_by (what a split keeps in one part by default: triples of the
            same unordered `pair` of entities, or of the same `head`).
        counts: numbers of lines or edges that were read, skipped or dropped.
    """

    triples: pd.DataFrame
    entities: pd.DataFrame
    relations: pd.DataFrame
    counts: dict[str, int]


@dataclass
class Names:
    """An encoder of names: numbers in the order of first appearance."""

    index: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Return the number of `name`; a new name gets the next number."""
        return self.index.setdefault(name, len(self.index))

    def __iter__(self) -> Iterator[str]:
        return iter(self.index)

    def __len__(self) -> int:
        return len(self.index)


@dataclass
class TripleColumns:
    """Triples as three growing columns of 32-bit numbers, 12 bytes per triple."""

    heads: array[int] = field(default_factory=lambda: array("i"))
    relations: array[int] = field(default_factory=lambda: array("i"))
    tails: array[int] = field(default_factory=lambda: array("i"))

    def add(self, head: int, relation: int, tail: int) -> None:
        """Append one triple."""
        self.heads.append(head)
        self.relations.append(relation)
        self.tails.append(tail)

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return heads, relations and tails as int32, (T,) each.

        They are copies: a column cannot grow while anybody holds a view of it, be it a profiler that holds a frame.
        """
        head, relation, tail = (np.array(column, np.int32) for column in self._columns)
        return head, relation, tail

    @property
    def _columns(self) -> tuple[array[int], array[int], array[int]]:
        return self.heads, self.relations, self.tails

    def __len__(self) -> int:
        return len(self.heads)


def triple_table(
    columns: tuple[np.ndarray, np.ndarray, np.ndarray], entities: Names, relations: Names, split: str | np.ndarray
) -> pd.DataFrame:
    """Return head, relation, tail and split as categorical columns, whose codes are the numbers.

    Args:
        columns: (T,) numbers of heads, relations and tails.
        entities, relations: their names.
        split: one of SPLITS, or (T,) positions in it.
    """
    head, relation, tail = columns
    entity_names, relation_names = pd.Index(list(entities), dtype="str"), pd.Index(list(relations), dtype="str")
    codes = np.full(len(head), SPLITS.index(split)) if isinstance(split, str) else split
    return pd.DataFrame(
        {
            "head": pd.Categorical.from_codes(head, categories=entity_names),
            "relation": pd.Categorical.from_codes(relation, categories=relation_names),
            "tail": pd.Categorical.from_codes(tail, categories=entity_names),
            "split": pd.Categorical.from_codes(codes, categories=pd.Index(SPLITS)),
        }
    )


def relation_table(
    relations: Names, targets: set[str] | None = None, hierarchy: str | None = None, split_by: SplitBy = "pair"
) -> pd.DataFrame:
    """Return relation, name, is_target, is_hierarchy and split_by, one row per relation.

    Args:
        relations: names of the relations, in the order of their numbers.
        targets: relations whose triples are held out by default; None for all.
        hierarchy: the relation from an entity to its parent; None if there is none.
        split_by: what a split keeps in one part by default: triples of the same unordered `pair` of entities, or of
            the same `head`.
    """
    names = pd.array(list(relations), dtype="str")
    return pd.DataFrame(
        {
            "relation": names,
            "name": pd.array([display_name(name) for name in relations], dtype="str"),
            "is_target": [targets is None or name in targets for name in relations],
            "is_hierarchy": [name == hierarchy for name in relations],
            "split_by": pd.array([split_by] * len(names), dtype="str"),
        }
    )


def display_name(relation: str) -> str:
    """Return a relation as shown to people, without the vocabulary's prefix and underscores."""
    return relation.removeprefix("biolink:").strip("_").replace("_", " ")
