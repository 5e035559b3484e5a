"""Filters of KGX edges by style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrarium.sources.errors import SourceError

_KEYS = {"always", "pairs", "without_pairs", "around", "drop", "min_degree"}
_RULE_KEYS = {
    "predicates",
    "subject_prefixes",
    "prefixes",
    "either_prefixes",
    "except_prefixes",
    "sources",
    "affinity_below",
}


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
        _check(style)
        rules = style.get("drop", [])
        self.around: set[str] = set(style.get("around", ()))
        self._always: set[str] = set(style.get("always", ()))
        self._pairs: list[Sequence[str]] | None = style.get("pairs")
        self._without: list[Sequence[str]] = style.get("without_pairs", [])
        self._rules: list[Mapping[str, Any]] = rules
        self._min_degree: int = style.get("min_degree", 0)
        self._categories = categories
        self._around_nodes = np.zeros(len(categories), bool)
        self._judged: dict[tuple[tuple[str, ...], tuple[str, ...]], bool] = {}

    def note(self, predicate: str, head: int | None, tail: int | None) -> None:
        """Note the nodes of an edge whose predicate is in `around`; to be called before `keeps`, for all edges."""
        if predicate in self.around and head is not None and tail is not None:
            self._around_nodes[[head, tail]] = True

    def keeps(self, predicate: str, head: int, tail: int, edge: Mapping[str, Any]) -> bool:
        """Return whether the style keeps an edge between two nodes, given by number."""
        if predicate in self._always or self._around_nodes[head] or self._around_nodes[tail]:
            return True
        if any(_meets(rule, predicate, edge) for rule in self._rules):
            return False
        pair = self._categories[head], self._categories[tail]
        if pair not in self._judged:
            self._judged[pair] = self._fits(*pair)
        return self._judged[pair]

    def by_degree(self, head: NDArray[np.int32], tail: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return a mask of the edges whose ends have at least degree `min_degree`; nodes of `around` may have less."""
        count = len(self._categories)
        degree = np.bincount(head, minlength=count) + np.bincount(tail, minlength=count)
        enough = (degree >= self._min_degree) | self._around_nodes
        return enough[head] & enough[tail]

    def _fits(self, one: Sequence[str], other: Sequence[str]) -> bool:
        """Whether the style keeps edges between nodes of these categories."""
        if any(_are(pair, one, other) for pair in self._without):
            return False
        return self._pairs is None or any(_are(pair, one, other) for pair in self._pairs)


def _check(style: Mapping[str, Any]) -> None:
    """Raise SourceError where a style is not of the form that kgx_styles.yml explains."""
    rules = style.get("drop", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise SourceError(f"a style's drop is {rules!r}: it must be a list of rules, as in kgx_styles.yml")
    unknown = (set(style) - _KEYS) | {key for rule in rules for key in set(rule) - _RULE_KEYS}
    if unknown:
        raise SourceError(f"a style has the key {min(unknown, key=str)!r}: keys are explained in kgx_styles.yml")
    numbers = [*_of([style], {"min_degree"}), *_of(rules, {"affinity_below"})]
    lists = [*_of([style], {"always", "around"}), *_of(rules, _RULE_KEYS - {"affinity_below"})]
    pairs = _of([style], {"pairs", "without_pairs"})
    wrong = [
        *(f"{key} is {value!r}: it must be a number" for key, value in numbers if not isinstance(value, int | float)),
        *(f"{key} is {value!r}: it must be a list of texts" for key, value in lists if not _texts(value)),
        *(
            f"{key} is {value!r}: it must be a list of pairs of categories"
            for key, value in pairs
            if not isinstance(value, list) or not all(_texts(pair) and len(pair) == 2 for pair in value)
        ),
    ]
    if wrong:
        raise SourceError(f"a style's {wrong[0]}, as in kgx_styles.yml")


def _of(mappings: Sequence[Mapping[str, Any]], keys: set[str]) -> list[tuple[str, Any]]:
    """Return key and value of those keys that the mappings have."""
    return [(key, mapping[key]) for mapping in mappings for key in sorted(keys) if key in mapping]


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _are(pair: Sequence[str], one: Sequence[str], other: Sequence[str]) -> bool:
    first, second = pair
    return (first in one and second in other) or (second in one and first in other)


def _meets(rule: Mapping[str, Any], predicate: str, edge: Mapping[str, Any]) -> bool:
    """Return whether an edge meets every condition of a rule."""
    subject, obj = edge["subject"], edge["object"]
    either = tuple(rule.get("either_prefixes", ("",)))
    excepted = tuple(rule.get("except_prefixes", ()))
    both = tuple(rule.get("prefixes", ("",)))
    return (
        predicate in rule.get("predicates", (predicate,))
        and edge.get("primary_knowledge_source") in rule.get("sources", (edge.get("primary_knowledge_source"),))
        and subject.startswith(tuple(rule.get("subject_prefixes", ("",))))
        and subject.startswith(both)
        and obj.startswith(both)
        and any(end.startswith(either) and not end.startswith(excepted) for end in (subject, obj))
        and ("affinity_below" not in rule or _below(edge.get("affinity"), rule["affinity_below"]))
    )


def _below(affinity: Any, bound: float) -> bool:
    return isinstance(affinity, int | float) and affinity < bound
