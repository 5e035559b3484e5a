"""The noise filter: leaves that name no described taxon, and the containers that they leave empty.

A leaf goes when its name matches a rule; then its parent may be a leaf, so it repeats until nothing changes. The
first rule that matches is the one counted. The root always stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.hierarchy import Hierarchy

STALE = "no name"
CONTAINER = "empty container"
RULES: tuple[tuple[str, str], ...] = (
    ("sp.", r"\bsp\."),
    ("nr., cf. or aff.", r"\b(?:nr|cf|aff)\.\s"),
    ("environmental", r"\benvironmental\b"),
    ("uncultured", r"\buncultured\b"),
    ("unidentified", r"\bunidentified\b"),
    ("hybrid", r"\bhybrid\b"),
)
_CONTAINERS = r"^unclassified |incertae sedis|^environmental samples$"


def clean(tree: Hierarchy, names: pd.Series, extra: Sequence[str] = ()) -> tuple[NDArray[np.bool_], pd.DataFrame]:
    """Which rows of a hierarchy stay, and the number removed by each rule.

    Args:
        tree: N nodes.
        names: (N,) scientific names in row order, missing where the source has none.
        extra: further regular expressions for names of leaves, searched without regard to case.

    Returns:
        (N,) mask of rows that stay; table of rule and removed, one row a rule.
    """
    rules = [*RULES, *((pattern, pattern) for pattern in extra)]
    rule = _first_rule(names, rules)
    child, parent = tree.links()
    stays = np.ones(len(tree), bool)
    while True:
        inhabited = np.zeros(len(tree), bool)
        inhabited[parent[stays[child]]] = True
        goes = stays & ~inhabited & (rule >= 0)
        goes[0] = False
        if not goes.any():
            break
        stays &= ~goes
    labels = [name for name, _ in rules] + [STALE, CONTAINER]
    removed = np.bincount(rule[~stays], minlength=len(labels))
    return stays, pd.DataFrame({"rule": pd.array(labels, dtype="str"), "removed": removed.astype(np.int64)})


def _first_rule(names: pd.Series, rules: Sequence[tuple[str, str]]) -> NDArray[np.int64]:
    """Index of the first rule that would remove each name as a leaf, -1 for none."""
    rule = np.full(len(names), -1, np.int64)
    missing = names.isna().to_numpy()
    text = names.fillna("")
    rule[text.str.contains(_CONTAINERS, case=False, regex=True).to_numpy(dtype=bool)] = len(rules) + 1
    rule[missing] = len(rules)
    for index, (_, pattern) in reversed(list(enumerate(rules))):
        hits = text.str.contains(re.compile(pattern, re.IGNORECASE), regex=True).to_numpy(dtype=bool)
        rule[hits] = index
    return rule
