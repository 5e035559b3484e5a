"""Targets: what nodes are associated with, one per relation and other; and how well scores rank them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from terrarium.common.arrays import BoolArray, Float64Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.associations.table import SPLITS


@dataclass(frozen=True, eq=False)
class Targets:
    """Associations as a matrix.

    Attributes:
        names: T targets: relation and other, sorted.
        relation: (T,) number of each target's relation.
        is_true: (N, T) whether a node is associated with a target, in any split.
        nodes: rows that have associations, by split.
    """

    names: pd.DataFrame
    relation: Int64Array
    is_true: BoolArray
    nodes: dict[str, Int64Array]

    @property
    def train_counts(self) -> Float64Array:
        """(N, T) 1 where a training node has the target, else 0."""
        counts = np.zeros(self.is_true.shape)
        counts[self.nodes["train"]] = self.is_true[self.nodes["train"]]
        return counts


def targets_of(associations: pd.DataFrame, tree: Hierarchy) -> Targets:
    """Return associations as a matrix.

    Args:
        associations: node, relation, other and split.
        tree: N nodes.
    """
    pairs = associations[["relation", "other"]].astype(str)
    names = pairs.drop_duplicates().sort_values(["relation", "other"], ignore_index=True)
    column = pd.MultiIndex.from_frame(names).get_indexer(pd.MultiIndex.from_frame(pairs))
    rows = tree.rows(associations["node"]).astype(np.int64)
    is_true = np.zeros((len(tree), len(names)), bool)
    is_true[rows, column] = True
    split = associations["split"].to_numpy()
    nodes = {name: np.unique(rows[split == name]) for name in SPLITS}
    return Targets(names, pd.factorize(names["relation"])[0].astype(np.int64), is_true, nodes)


def rank_targets(targets: Targets, rows: Int64Array, scores: Float64Array) -> dict[str, float]:
    """Rank the true targets of some nodes among the false ones of the same relation; ties count half.

    Args:
        targets: T targets.
        rows: (Q,) rows of the nodes.
        scores: (Q, T) scores, larger is likelier.

    Returns:
        links (number of true targets), mrr (mean of 1 / rank) and hits_at_1 (fraction with rank 1).
    """
    ranks = []
    for relation in np.unique(targets.relation):
        own = targets.relation == relation
        score, is_true = scores[:, own], targets.is_true[rows][:, own]
        query, target = np.nonzero(is_true)
        value = score[query, target][:, None]
        false = ~is_true[query]
        better = ((score[query] > value) & false).sum(axis=1)
        tied = ((score[query] == value) & false).sum(axis=1)
        ranks.append(1.0 + better + 0.5 * tied)
    rank = np.concatenate(ranks)
    return {"links": float(len(rank)), "mrr": float((1.0 / rank).mean()), "hits_at_1": float((rank == 1.0).mean())}
