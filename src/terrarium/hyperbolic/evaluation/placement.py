"""Predict the parent of taxa that were held out of training, from a few noisy relatives.

A user who has a new species knows some taxa that it resembles, and about how much. So each held-out taxon gets
relatives from around its parent: climb one level up from the taxon, and another one with probability 1/2 each time,
then take a random leaf below. Some relatives are wrong ones, from anywhere in the tree. The distance to a relative is
measured with an error: hops times exp(noise * N(0, 1)); that of a wrong relative is a copy of another one's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.options import HoldoutOptions
from terrarium.hyperbolic.placement.place import Relatives, predict_parents, weights_from_distances
from terrarium.hyperbolic.placement.rules import RULES

SCORES = ("distances", "weights")
"""What the layouts are given: distances to the relatives, or only weights."""
METRICS = ("exact", "hops", "wu_palmer")
_CLIMB = 0.5


class PlacementResult(NamedTuple):
    """How well parents were predicted.

    Attributes:
        table: one row per layout, score and kind: layout, score, kind, taxa, exact, hops, wu_palmer.
        predicted: predictions of the first layout by score, (W,) rows each.
    """

    table: pd.DataFrame
    predicted: dict[str, Int64Array]


def draw_relatives(tree: Hierarchy, parents: NDArray[np.integer], options: HoldoutOptions) -> Relatives:
    """Draw the relatives of held-out taxa.

    Args:
        tree: the taxa that stayed.
        parents: (W,) rows of the true parents; each has a child.
        options: num_relatives, relative_noise, wrong_relatives and seed.

    Returns:
        (W, num_relatives) rows, weights (1 / distance^2) and distances in hops.
    """
    rng = np.random.default_rng(options.seed)
    shape = len(parents), options.num_relatives
    top = np.repeat(np.asarray(parents, np.int64)[:, None], options.num_relatives, axis=1)
    climbs = rng.geometric(1.0 - _CLIMB, shape) - 1
    for step in range(int(climbs.max(initial=0))):
        top = np.where((climbs > step) & (top > 0), tree.parent[top], top)
    is_leaf = np.bincount(tree.parent[1:], minlength=len(tree)) == 0
    leaves = np.flatnonzero(is_leaf)
    first, last = np.searchsorted(leaves, top), np.searchsorted(leaves, tree.end[top])
    rows = leaves[first + (rng.random(shape) * (last - first)).astype(np.int64)]
    from_parent = tree.hops(np.repeat(parents, options.num_relatives), rows.ravel()).reshape(shape)
    hops = from_parent.astype(np.float64) + 1.0
    distances: Float64Array = hops * np.exp(options.relative_noise * rng.normal(size=shape))
    is_wrong = rng.random(shape) < options.wrong_relatives
    rows = np.where(is_wrong, rng.choice(leaves, shape), rows)
    distances = np.where(is_wrong, np.roll(distances, 1, axis=1), distances)
    return Relatives(rows, weights_from_distances(distances), distances)


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
    tree: Hierarchy,
    layouts: dict[str, Layout],
    parents: NDArray[np.integer],
    kind: NDArray[np.str_],
    relatives: Relatives,
) -> PlacementResult:
    """Predict the parents of held-out taxa by each layout, and by the rules that need no layout.

    Args:
        tree: the taxa that stayed.
        layouts: layouts by name.
        parents: (W,) rows of the true parents.
        kind: (W,) "leaf" or "clade".
        relatives: of the held-out taxa, see `draw_relatives`.
    """
    given = {"distances": relatives, "weights": relatives._replace(distances=None)}
    predictions = {
        (name, score): predict_parents(tree, layout, given[score])
        for name, layout in layouts.items()
        for score in SCORES
    }
    rules = {(name, ""): rule(tree, relatives) for name, rule in RULES.items()}
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
