"""Filters of KGX edges by style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Len
from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from terrarium.common.arrays import BoolArray, Int32Array
from terrarium.sources.errors import SourceError

Texts = tuple[StrictStr, ...]
Pair = Annotated[Texts, Len(2, 2)]
_ALL: Texts = ("",)
"""Every text starts with it."""
_FAULTS = {"tuple_type": "it must be a list", "extra_forbidden": "there is no such key"}
"""Clearer words for pydantic's types of errors."""


class Rule(BaseModel):
    """Conditions on an edge; an edge that meets all of them is dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    predicates: Texts | None = None
    sources: Texts | None = None
    subject_prefixes: Texts = _ALL
    prefixes: Texts = _ALL
    either_prefixes: Texts = _ALL
    except_prefixes: Texts = ()
    affinity_below: float | None = None

    def meets(self, predicate: str, edge: Mapping[str, Any]) -> bool:
        """Return whether an edge meets every condition."""
        ends = edge["subject"], edge["object"]
        return (
            (self.predicates is None or predicate in self.predicates)
            and (self.sources is None or edge.get("primary_knowledge_source") in self.sources)
            and ends[0].startswith(self.subject_prefixes)
            and all(end.startswith(self.prefixes) for end in ends)
            and any(end.startswith(self.either_prefixes) and not end.startswith(self.except_prefixes) for end in ends)
            and (self.affinity_below is None or _is_below(edge.get("affinity"), self.affinity_below))
        )


class Style(BaseModel):
    """Which edges are kept; kgx_styles.yml explains the keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    always: Texts = ()
    pairs: tuple[Pair, ...] | None = None
    without_pairs: tuple[Pair, ...] = ()
    around: Texts = ()
    drop: tuple[Rule, ...] = ()
    min_degree: StrictInt = 0


def parse_style(style: Mapping[str, Any]) -> Style:
    """Return a style from YAML.

    Raises:
        SourceError: a key is unknown or its value has the wrong form.
    """
    try:
        return Style.model_validate(style)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        what = _FAULTS.get(fault["type"], fault["msg"])
        raise SourceError(f"a style's {key} is {fault['input']!r}: {what}, see kgx_styles.yml") from None


class EdgeFilter:
    """A style, applied edge by edge."""

    def __init__(self, style: Mapping[str, Any], categories: Sequence[tuple[str, ...]]) -> None:
        """Prepare a style.

        Args:
            style: mapping with the keys that kgx_styles.yml explains.
            categories: categories of each node, by its number.

        Raises:
            SourceError: a key is unknown or its value has the wrong form.
        """
        self._style = parse_style(style)
        self.around = frozenset(self._style.around)
        self._categories = categories
        self._around_nodes = np.zeros(len(categories), bool)
        self._judged: dict[tuple[tuple[str, ...], tuple[str, ...]], bool] = {}

    def note(self, predicate: str, head: int | None, tail: int | None) -> None:
        """Note the nodes of an edge whose predicate is in `around`; to be called before `keeps`, for all edges."""
        if predicate in self.around and head is not None and tail is not None:
            self._around_nodes[[head, tail]] = True

    def keeps(self, predicate: str, head: int, tail: int, edge: Mapping[str, Any]) -> bool:
        """Return whether the style keeps an edge; call `note` for all edges before.

        Args:
            predicate: of the edge.
            head, tail: numbers of its nodes.
            edge: the edge's line as a mapping, for rules on its qualifiers and sources.
        """
        if predicate in self._style.always or self._around_nodes[head] or self._around_nodes[tail]:
            return True
        if any(rule.meets(predicate, edge) for rule in self._style.drop):
            return False
        pair = self._categories[head], self._categories[tail]
        if pair not in self._judged:
            self._judged[pair] = self._fits(*pair)
        return self._judged[pair]

    def by_degree(self, head: Int32Array, tail: Int32Array) -> BoolArray:
        """Return a mask of the edges whose ends have at least degree `min_degree`; nodes of `around` may have less."""
        count = len(self._categories)
        degree = np.bincount(head, minlength=count) + np.bincount(tail, minlength=count)
        enough = (degree >= self._style.min_degree) | self._around_nodes
        return enough[head] & enough[tail]

    def _fits(self, one: Sequence[str], other: Sequence[str]) -> bool:
        """Return whether the style keeps edges between nodes of these categories."""
        if any(_are(pair, one, other) for pair in self._style.without_pairs):
            return False
        return self._style.pairs is None or any(_are(pair, one, other) for pair in self._style.pairs)


def _are(pair: Sequence[str], one: Sequence[str], other: Sequence[str]) -> bool:
    first, second = pair
    return (first in one and second in other) or (second in one and first in other)


def _is_below(affinity: Any, bound: float) -> bool:
    return isinstance(affinity, int | float) and affinity < bound
