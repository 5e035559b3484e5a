"""A small hierarchy with hosts that the tests share."""

from typing import Any

import numpy as np
import pandas as pd

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.associations.table import split_associations
from terrarium.hyperbolic.associations.targets import Targets, targets_of
from terrarium.hyperbolic.options import AssociationOptions
from tests.hyperbolic.trees import tree_of

GENERA, SPECIES = 12, 10


def options(**changes: Any) -> AssociationOptions:
    """Few points and epochs."""
    chosen = {
        "split_rank": None,
        "val_fraction": 0.2,
        "test_fraction": 0.2,
        "points_per_target": 4,
        "hierarchy_weight": 0.0,
        "learning_rate": 0.05,
        "batch_size": 32,
        "max_epochs": 10,
        "seed": 0,
    }
    return AssociationOptions.model_validate(chosen | changes)


def genera() -> tuple[Hierarchy, pd.Series, pd.DataFrame]:
    """Twelve genera of ten species; a genus infects one of three hosts, a species lives in one of two seas."""
    parents: list[int] = []
    for _ in range(GENERA):
        parents.append(0)
        top = len(parents)
        parents += [top] * SPECIES
    tree = tree_of(parents)
    ranks = pd.Series(np.where(tree.depth == 2, "species", np.where(tree.depth == 1, "genus", "family")))
    rows = [
        (int(tree.ids[row]), relation, other)
        for row in np.flatnonzero(tree.depth == 2)
        for relation, other in (
            ("infects", f"host {tree.ids[tree.parent[row]] % 3}"),
            ("lives_in", f"sea {tree.ids[row] % 2}"),
        )
    ]
    return tree, ranks, pd.DataFrame(rows, columns=["node", "relation", "other"])


def targets(**changes: Any) -> tuple[Hierarchy, Targets]:
    """The targets of `genera`, split."""
    tree, ranks, links = genera()
    return tree, targets_of(split_associations(links, tree, ranks, options(**changes)), tree)
