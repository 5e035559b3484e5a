"""Predict the parent of taxa that were held out of training, given their siblings.

A held-out taxon is placed at its remaining siblings: in the direction of their Lorentz centroid
sum_i (cosh r_i, sinh r_i u_i) (Law et al. 2019), at their mean radius. Its parent is then predicted by distance: the
nearest taxon with a smaller radius that is not a sibling; and by detour: the taxon with the smallest detour among those
on the level above the siblings (among all levels the root would win, whose detour is 0). Neither is given the siblings'
parent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout

SCORES = ("distance", "detour")
METRICS = ("exact", "hops", "wu_palmer")
ROOT_RULE, LEVEL_RULE = "always the root", "any taxon of that level"
_TOLERANCE = 1e-9


class Candidates(NamedTuple):
    """The points of the tree as the search reads them: radius, exp(radius), (N, d) directions, depth, first parent."""

    radius: Float64Array
    exp: Float64Array
    direction: Float64Array
    depth: NDArray[np.integer]
    parent: NDArray[np.integer]


class Placed(NamedTuple):
    """The placed points: radius, exp(radius), (Q, d) directions, parent of the siblings (to skip them), its depth."""

    radius: Float64Array
    exp: Float64Array
    direction: Float64Array
    sibling_parent: Int64Array
    level: NDArray[np.integer]


class PlacementResult(NamedTuple):
    """How well parents were predicted.

    Attributes:
        table: one row per layout, score and kind: layout, score, kind, taxa, exact, hops, wu_palmer.
        predicted: predictions of the first layout by score, (W,) rows each.
    """

    table: pd.DataFrame
    predicted: dict[str, Int64Array]


def centroids_of_children(tree: Hierarchy, layout: Layout, parents: NDArray[np.integer]) -> Layout:
    """Return the centroid of the children of each of some rows.

    Args:
        tree: N nodes.
        layout: their points.
        parents: (Q,) rows that have at least one child.

    Returns:
        Q points. Where the directions of the children cancel, the direction of the first child.
    """
    parent = tree.parent[1:]
    radius, direction = layout.radius[1:], layout.direction[1:]
    weighted = [np.bincount(parent, np.sinh(radius) * direction[:, i], minlength=len(tree)) for i in range(layout.dim)]
    sums = np.stack(weighted, axis=1)[parents]
    count = np.bincount(parent, minlength=len(tree))
    mean = np.bincount(parent, radius, minlength=len(tree))[parents] / count[parents]
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    total = np.bincount(parent, np.sinh(radius), minlength=len(tree))[parents, None]
    first = np.searchsorted(np.sort(parent), parents)
    first_child = direction[np.argsort(parent, kind="stable")[first]]
    return Layout(mean, np.divide(sums, length, out=first_child, where=length > _TOLERANCE * total))


def predict_parents(
    tree: Hierarchy, layout: Layout, placed: Layout, sibling_parents: NDArray[np.integer]
) -> dict[str, Int64Array]:
    """Predict the parents of placed points.

    Args:
        tree: N nodes.
        layout: their points.
        placed: Q points.
        sibling_parents: (Q,) rows whose children the points were placed from. The search uses them only to know which
            taxa are siblings and on which level these are.

    Returns:
        (Q,) rows by score: "distance" and "detour"; 0, the root, where there is no candidate.
    """
    rows = {score: np.zeros(len(placed), np.int64) for score in SCORES}
    candidates = Candidates(
        layout.radius, np.exp(layout.radius), np.ascontiguousarray(layout.direction), tree.depth, tree.parent
    )
    group = np.asarray(sibling_parents, np.int64)
    points = Placed(
        placed.radius, np.exp(placed.radius), np.ascontiguousarray(placed.direction), group, tree.depth[group]
    )
    _search_parents(candidates, points, rows["distance"], rows["detour"])
    return rows


def score_placement(
    tree: Hierarchy, true: NDArray[np.integer], predicted: NDArray[np.integer]
) -> dict[str, Float64Array]:
    """Compare predicted parents with the true ones.

    Args:
        tree: N nodes.
        true: (Q,) rows of the true parents.
        predicted: (Q,) rows of the predicted parents.

    Returns:
        (Q,) values by metric: exact (1 if the parent is right, else 0), hops between the two, and wu_palmer: their
        similarity 2 depth(lca) / (sum of depths), where the root has depth 1 (Wu and Palmer 1994).
    """
    depth = tree.depth.astype(np.float64) + 1.0
    return {
        "exact": (true == predicted).astype(np.float64),
        "hops": tree.hops(true, predicted).astype(np.float64),
        "wu_palmer": 2.0 * depth[tree.lca(true, predicted)] / (depth[true] + depth[predicted]),
    }


def evaluate_placement(
    tree: Hierarchy, layouts: dict[str, Layout], parents: NDArray[np.integer], kind: NDArray[np.str_], seed: int
) -> PlacementResult:
    """Predict the parents of held-out taxa by each layout, and by two rules that need no layout.

    Args:
        tree: the taxa that stayed.
        layouts: layouts by name.
        parents: (W,) rows of the true parents.
        kind: (W,) "leaf" or "clade".
        seed: seed of the rule that draws a taxon of the parent's level.
    """
    unique, which = np.unique(parents, return_inverse=True)
    predictions: dict[tuple[str, str], Int64Array] = {}
    for name, layout in layouts.items():
        by_score = predict_parents(tree, layout, centroids_of_children(tree, layout, unique), unique)
        predictions |= {(name, score): rows[which] for score, rows in by_score.items()}
    rules = {
        (ROOT_RULE, ""): np.zeros(len(parents), np.int64),
        (LEVEL_RULE, ""): _draw_from_level(tree, tree.depth[parents], seed),
    }
    tables = [
        pd.DataFrame({**score_placement(tree, parents, rows), "kind": kind}).assign(layout=name, score=score)
        for (name, score), rows in (predictions | rules).items()
    ]
    keys = ["layout", "score", "kind"]
    grouped = pd.concat(tables).groupby(keys, sort=False)
    table = grouped.mean().assign(taxa=grouped.size()).reset_index()[[*keys, "taxa", *METRICS]]
    first = next(iter(layouts))
    return PlacementResult(table, {score: predictions[first, score] for score in SCORES})


def placement_metrics(table: pd.DataFrame, layout: str) -> dict[str, float]:
    """Return the metrics of one layout as placement_<metric>_<kind>_<score>.

    Args:
        table: `PlacementResult.table`.
        layout: name of the layout.
    """
    return {
        f"placement_{metric}_{row.kind}_{row.score}": float(getattr(row, metric))
        for row in table[table["layout"] == layout].itertuples()
        for metric in METRICS
    }


def _draw_from_level(tree: Hierarchy, level: NDArray[np.integer], seed: int) -> Int64Array:
    order, start = tree.levels()
    draw = np.random.default_rng(seed).random(len(level))
    place = start[level] + (draw * (start[level + 1] - start[level])).astype(np.int64)
    return order[place].astype(np.int64)


@njit(cache=True, error_model="numpy")
def _search_parents(
    candidates: Candidates, placed: Placed, by_distance: Int64Array, by_detour: Int64Array
) -> None:  # pragma: no cover - compiled
    """Write the candidates with the smallest cosh d - 1 (smaller radius, no sibling) and exp(r + d) (on the level)."""
    dim = candidates.direction.shape[1]
    for q in range(len(placed.radius)):
        nearest, smallest = np.inf, np.inf
        e = placed.exp[q]
        sinh = 0.5 * (e - 1.0 / e)
        for v in range(len(candidates.radius)):
            # the tolerance: the mean of equal radii may be above them by rounding
            is_inner = candidates.radius[v] < placed.radius[q] * (1.0 - _TOLERANCE)
            is_inner = is_inner and candidates.parent[v] != placed.sibling_parent[q]
            is_on_level = candidates.depth[v] == placed.level[q]
            if not (is_inner or is_on_level):
                continue
            chord = 0.0
            for i in range(dim):
                difference = candidates.direction[v, i] - placed.direction[q, i]
                chord += difference * difference
            f = candidates.exp[v]
            ratio = e / f
            h = (ratio - 1.0) * (ratio - 1.0) / (2.0 * ratio) + 0.25 * sinh * (f - 1.0 / f) * chord
            if is_inner and h < nearest:
                nearest, by_distance[q] = h, v
            if is_on_level:
                cost = f * (1.0 + h + np.sqrt(h * (h + 2.0)))
                if cost < smallest:
                    smallest, by_detour[q] = cost, v
