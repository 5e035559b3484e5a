"""Proponents and opponents of a query triple as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

NAMED = 3
"""Triples of a side that are named."""


def explanation(rows: pd.DataFrame) -> list[str]:
    """Return which training triples speak for a prediction and against it, one sentence each.

    Args:
        rows: the rows of `score_table` of one query triple, strongest first on each side.
    """
    sentences = []
    for side, start in (("proponent", "For it speaks that "), ("opponent", "Against it speaks that ")):
        own = rows[rows["side"] == side].to_dict("records")
        if own:
            sentences.append(f"{start}{_join(_statements(own), '; ')}.")
    return sentences


def _statements(rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Return one statement per relation and tail."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for row in rows[:NAMED]:
        key = (row["train_relation_name"], row["train_tail_name"], row["shared_ancestor"])
        groups.setdefault(key, []).append(row["train_head_name"])
    return [_statement(*key, heads) for key, heads in groups.items()]


def _statement(relation: str, tail: str, ancestor: str, heads: Sequence[str]) -> str:
    relatives = f", related through {ancestor}," if ancestor else ""
    if len(heads) == 1:
        return f"{heads[0]}{relatives} {relation} {tail}"
    return f"each of {_join(heads, ', ')}{relatives} {relation} {tail}"


def _join(parts: Sequence[str], comma: str) -> str:
    return parts[0] if len(parts) == 1 else f"{comma.join(parts[:-1])} and {parts[-1]}"
