"""Held-out associations by every method: popularity, relatives, neighbours, and points with and without geometry."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.associations.baselines import neighbour_scores, popularity_scores, relatives_scores
from terrarium.hyperbolic.associations.model import FittedTargets, fit_targets
from terrarium.hyperbolic.associations.targets import Targets, rank_targets
from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.options import AssociationOptions

JOINT, FIXED = "points, hierarchy trained jointly", "points, hierarchy fixed"
EUCLIDEAN = "Euclidean points"
_QUERIES = 1000


class AssociationResult(NamedTuple):
    """What was learned, and how well held-out associations are ranked.

    Attributes:
        table: one row per method: method, links, mrr, hits_at_1, and ancestor_map_detour of the layout after training,
            where the method has one.
        fitted: the hyperbolic points that were learned with the options.
        method: their name in the table.
    """

    table: pd.DataFrame
    fitted: FittedTargets
    method: str


def evaluate_associations(
    tree: Hierarchy, layout: Layout, targets: Targets, options: AssociationOptions
) -> AssociationResult:
    """Rank the held-out targets of the test nodes by every method.

    Args:
        tree: N nodes.
        layout: their points.
        targets: T targets.
        options: with a hierarchy_weight of 0 no joint training is tried.
    """
    test = targets.nodes["test"]
    fixed = options.model_copy(update={"hierarchy_weight": 0.0})
    fitted = {FIXED: fit_targets(tree, layout, targets, fixed)}
    if options.hierarchy_weight > 0.0:
        fitted[JOINT] = fit_targets(tree, layout, targets, options)
    euclidean = fit_targets(tree, layout, targets, options, is_hyperbolic=False)
    scores: dict[str, Float64Array] = {
        "popularity": popularity_scores(targets, test),
        "nearest relatives in the tree": relatives_scores(tree, targets, test),
        "nearest neighbours in the layout": neighbour_scores(layout, targets),
        **{name: result.scores[test] for name, result in fitted.items()},
        EUCLIDEAN: euclidean.scores[test],
    }
    faithful = {"nearest neighbours in the layout": layout, **{name: r.nodes for name, r in fitted.items()}}
    rows = [
        {
            "method": name,
            **rank_targets(targets, test, values),
            "ancestor_map_detour": _ancestor_map(tree, faithful[name], options.seed) if name in faithful else np.nan,
        }
        for name, values in scores.items()
    ]
    method = JOINT if JOINT in fitted else FIXED
    return AssociationResult(pd.DataFrame(rows), fitted[method], method)


def point_table(targets: Targets, fitted: FittedTargets) -> pd.DataFrame:
    """Return one row per learned point: relation, other, radius and the coordinates u0, u1, ... of its direction."""
    count, points, dim = fitted.points.shape
    flat = fitted.points.reshape(count * points, dim)
    radius = np.linalg.norm(flat, axis=1)
    direction = flat / np.maximum(radius, np.finfo(np.float64).tiny)[:, None]
    names = targets.names.loc[targets.names.index.repeat(points)].reset_index(drop=True)
    return pd.concat([names.assign(radius=radius), pd.DataFrame(direction).add_prefix("u")], axis=1)


def predict_links(targets: Targets, fitted: FittedTargets) -> tuple[Int64Array, Int64Array]:
    """Return the rows without any link, once per relation, and the target of that relation with the best score."""
    rows = np.flatnonzero(~targets.is_true.any(axis=1))
    found = [np.flatnonzero(targets.relation == relation) for relation in np.unique(targets.relation)]
    best = [own[fitted.scores[rows][:, own].argmax(axis=1)] for own in found]
    return np.tile(rows, len(found)), np.concatenate(best)


def _ancestor_map(tree: Hierarchy, layout: Layout, seed: int) -> float:
    sample = choose_queries(tree, 0, _QUERIES, seed)
    return float(reconstruct(tree, layout, sample).metrics()["ancestor_map_detour"])
