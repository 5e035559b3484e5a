"""The noise filter: it removes leaves without a proper species name, and the containers that this leaves empty.

A leaf is removed when its name matches a rule. Its parent may then be a leaf itself, so the filter repeats until
nothing changes. The first rule that matches is the one counted. The root always stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from terrarium.common.arrays import BoolArray, Int64Array
from terrarium.hierarchy import Hierarchy

NO_NAME = "no name"
CONTAINER = "empty container"
RULES: tuple[tuple[str, str], ...] = (
    ("sp.", r"\bsp\."),
    ("nr., cf. or aff.", r"\b(?:nr|cf|aff)\.\s"),
    ("environmental", r"\benvironmental\b"),
    ("uncultured", r"\buncultured\b"),
    ("unidentified", r"\bunidentified\b"),
    ("hybrid", r"\bhybrid\b"),
)
"""Name of each rule and its regular expression, searched in the names of leaves without regard to case."""
_CONTAINERS = r"^unclassified |incertae sedis|^environmental samples$"


class Noise(NamedTuple):
    """What the filter would keep, and why it removes the rest.

    Attributes:
        keep: (N,) mask of the rows that stay.
        removed: one row per rule: rule, removed.
    """

    keep: BoolArray
    removed: pd.DataFrame


def find_noise(tree: Hierarchy, names: pd.Series, extra: Sequence[str] = ()) -> Noise:
    """Find the leaves that the noise filter removes.

    Args:
        tree: N nodes.
        names: (N,) scientific names in the order of the rows, missing where the source has none.
        extra: further regular expressions for names of leaves.
    """
    rules = [*RULES, *((pattern, pattern) for pattern in extra)]
    rule = _first_rule(names, rules)
    child, parent = tree.links()
    keep = np.ones(len(tree), bool)
    while True:
        has_child = np.zeros(len(tree), bool)
        has_child[parent[keep[child]]] = True
        noise = keep & ~has_child & (rule >= 0)
        noise[0] = False
        if not noise.any():
            break
        keep &= ~noise
    labels = [name for name, _ in rules] + [NO_NAME, CONTAINER]
    removed = np.bincount(rule[~keep], minlength=len(labels))
    return Noise(keep, pd.DataFrame({"rule": pd.array(labels, dtype="str"), "removed": removed.astype(np.int64)}))


def _first_rule(names: pd.Series, rules: Sequence[tuple[str, str]]) -> Int64Array:
    """Return the index of the first rule that would remove each name as a leaf, -1 if none would."""
    rule = np.full(len(names), -1, np.int64)
    missing = names.isna().to_numpy()
    text = names.fillna("")
    rule[text.str.contains(_CONTAINERS, case=False, regex=True).to_numpy(dtype=bool)] = len(rules) + 1
    rule[missing] = len(rules)
    for index, (_, pattern) in reversed(list(enumerate(rules))):
        hits = text.str.contains(re.compile(pattern, re.IGNORECASE), regex=True).to_numpy(dtype=bool)
        rule[hits] = index
    return rule
