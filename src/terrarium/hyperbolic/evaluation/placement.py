"""Where a layout would hang taxa that it has never seen, given their siblings.

A withheld taxon is put among the siblings that stayed: in the direction of their midpoint, the Lorentz centroid
sum_i (cosh r_i, sinh r_i u_i) (Law et al. 2019), at their mean radius. Its parent is then looked for by distance, as
the nearest taxon with a smaller radius that is none of the siblings, and by slack, as the one of least slack on the
level above the siblings (on all levels the root would win, whose slack is 0). Neither is told the siblings' parent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout

SCORES = ("distance", "slack")
_SMALL = 1e-9
ROOT_RULE, LEVEL_RULE = "always the root", "any taxon of that level"


def midpoints(tree: Hierarchy, layout: Layout, parents: NDArray[np.integer]) -> Layout:
    """The middle of the children of each of some rows.

    Args:
        tree: N nodes.
        layout: their points.
        parents: (Q,) rows with a child each.
    """
    above = tree.parent[1:]
    radius, direction = layout.radius[1:], layout.direction[1:]
    sums = np.stack(
        [np.bincount(above, np.sinh(radius) * direction[:, i], minlength=len(tree)) for i in range(layout.dim)], axis=1
    )[parents]
    count = np.bincount(above, minlength=len(tree))
    mean = np.bincount(above, radius, minlength=len(tree))[parents] / count[parents]
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    whole = np.bincount(above, np.sinh(radius), minlength=len(tree))[parents, None]
    first = np.searchsorted(np.sort(above), parents)
    fallback = direction[np.argsort(above, kind="stable")[first]]
    return Layout(mean, np.divide(sums, length, out=fallback, where=length > _SMALL * whole))


def predict_parents(
    tree: Hierarchy, layout: Layout, placed: Layout, siblings_of: NDArray[np.integer]
) -> dict[str, NDArray[np.int64]]:
    """Rows of the parents of placed points, by distance and by slack; 0, the root, where there is no candidate.

    Args:
        tree: N nodes.
        layout: their points.
        placed: Q points.
        siblings_of: (Q,) rows whose children the points were placed from; what is taken from them is which taxa are
            siblings, and on which level those lie.
    """
    found = {score: np.zeros(len(placed), np.int64) for score in SCORES}
    nodes = layout.radius, np.exp(layout.radius), np.ascontiguousarray(layout.direction), tree.depth, tree.parent
    group = np.asarray(siblings_of, np.int64)
    points = placed.radius, np.exp(placed.radius), np.ascontiguousarray(placed.direction), group, tree.depth[group]
    _search(nodes, points, found["distance"], found["slack"])
    return found


def score_placement(
    tree: Hierarchy, true: NDArray[np.integer], predicted: NDArray[np.integer]
) -> dict[str, NDArray[np.floating]]:
    """(Q,) exact: whether the parent is right; hops between the two; wu_palmer: 2 depth(lca) / (sum of depths), the
    root's depth counted as 1 (Wu and Palmer 1994)."""
    depth = tree.depth.astype(np.float64) + 1.0
    return {
        "exact": (true == predicted).astype(np.float64),
        "hops": tree.hops(true, predicted).astype(np.float64),
        "wu_palmer": 2.0 * depth[tree.lca(true, predicted)] / (depth[true] + depth[predicted]),
    }


def placement_table(
    tree: Hierarchy, layouts: dict[str, Layout], parents: NDArray[np.integer], kind: NDArray[np.str_], seed: int
) -> tuple[pd.DataFrame, dict[str, NDArray[np.int64]]]:
    """How far from their parents the withheld taxa are hung, by each layout and by two rules that need none.

    Args:
        tree: the taxa that stayed.
        layouts: by name.
        parents: (W,) rows of the true parents.
        kind: (W,) leaf or clade.
        seed: of the rule that draws a taxon of the level.

    Returns:
        layout, score, kind, taxa, exact, hops, wu_palmer: a row a layout, score and kind; and the predictions of the
        first layout by score, (W,) rows each.
    """
    unique, which = np.unique(parents, return_inverse=True)
    predictions: dict[tuple[str, str], NDArray[np.int64]] = {}
    for name, layout in layouts.items():
        found = predict_parents(tree, layout, midpoints(tree, layout, unique), unique)
        predictions |= {(name, score): rows[which] for score, rows in found.items()}
    rules = {
        (ROOT_RULE, ""): np.zeros(len(parents), np.int64),
        (LEVEL_RULE, ""): _any_of_level(tree, tree.depth[parents], seed),
    }
    tables = [
        pd.DataFrame({**score_placement(tree, parents, rows), "kind": kind}).assign(layout=name, score=score)
        for (name, score), rows in (predictions | rules).items()
    ]
    by = ["layout", "score", "kind"]
    grouped = pd.concat(tables).groupby(by, sort=False)
    table = grouped.mean().assign(taxa=grouped.size()).reset_index()
    first = next(iter(layouts))
    return table[[*by, "taxa", "exact", "hops", "wu_palmer"]], {score: predictions[first, score] for score in SCORES}


def placement_metrics(table: pd.DataFrame, layout: str) -> dict[str, float]:
    """placement_<measure>_<kind>_<score> of one layout."""
    return {
        f"placement_{measure}_{row.kind}_{row.score}": float(getattr(row, measure))
        for row in table[table["layout"] == layout].itertuples()
        for measure in ("exact", "hops", "wu_palmer")
    }


def _any_of_level(tree: Hierarchy, level: NDArray[np.integer], seed: int) -> NDArray[np.int64]:
    order, start = tree.levels()
    draw = np.random.default_rng(seed).random(len(level))
    place = start[level] + (draw * (start[level + 1] - start[level])).astype(np.int64)
    return order[place].astype(np.int64)


@njit(cache=True, error_model="numpy")
def _search(nodes: Any, points: Any, by_distance: Any, by_slack: Any) -> None:  # pragma: no cover - compiled
    """Least cosh d - 1 among smaller radii of others than the group, least exp(r + d) on the level."""
    radius, exponential, direction, depth, parent = nodes
    own_radius, own_exponential, own_direction, group, level = points
    dim = direction.shape[1]
    for q in range(len(own_radius)):
        nearest, least = np.inf, np.inf
        e = own_exponential[q]
        sinh = 0.5 * (e - 1.0 / e)
        for v in range(len(radius)):
            # equal radii are not smaller ones, whatever the rounding of their mean
            inner = radius[v] < own_radius[q] * (1.0 - _SMALL) and parent[v] != group[q]
            upper = depth[v] == level[q]
            if not (inner or upper):
                continue
            chord = 0.0
            for i in range(dim):
                difference = direction[v, i] - own_direction[q, i]
                chord += difference * difference
            f = exponential[v]
            ratio = e / f
            h = (ratio - 1.0) * (ratio - 1.0) / (2.0 * ratio) + 0.25 * sinh * (f - 1.0 / f) * chord
            if inner and h < nearest:
                nearest, by_distance[q] = h, v
            if upper:
                cost = f * (1.0 + h + np.sqrt(h * (h + 2.0)))
                if cost < least:
                    least, by_slack[q] = cost, v
