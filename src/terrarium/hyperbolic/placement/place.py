"""Place a new item in a layout, given a few relatives: with weights, or with measured distances to them.

The new item becomes a child of the node v that explains what is known about it at the lowest cost

    cost(v) = sum_i w_i | d(v, x_i) + e_v - s t_i |,

where x_i are the relatives, w_i their weights and d is the distance in the layout. With measured distances t_i, s is
the length in the layout of one unit of these (`distance_scale`) and e_v the mean length of the edges from v to its
children. Without distances t_i = e_v = 0, and v is the weighted median of the relatives among the inner nodes. Absolute
values are summed instead of squares, since one wrong relative should not outweigh the others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout, pairwise
from terrarium.hyperbolic.geometry.centroids import lorentz_centroids

_SCALE_PAIRS = 20_000


class Relatives(NamedTuple):
    """What is known about Q new items.

    Attributes:
        rows: (Q, m) rows of their relatives; -1 fills up items with fewer.
        weights: (Q, m) positive weights.
        distances: (Q, m) measured distances, or None.
    """

    rows: Int64Array
    weights: Float64Array
    distances: Float64Array | None


class Placement(NamedTuple):
    """Where a new item belongs.

    Attributes:
        parents: (k,) rows of the most likely parents, the best first.
        costs: (k,) their costs.
        radius: hyperbolic radius of the new item below the best parent.
        direction: (d,) unit direction of the new item.
    """

    parents: Int64Array
    costs: Float64Array
    radius: float
    direction: Float64Array


def place(
    tree: Hierarchy,
    layout: Layout,
    relatives: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    distances: ArrayLike | None = None,
    scale: float | None = None,
    num_parents: int = 5,
) -> Placement:
    """Place one new item.

    Args:
        tree: N nodes.
        layout: their points.
        relatives: (m,) rows of the tree that the item is related to.
        weights: (m,) how strongly, larger is closer; by default 1 / distance^2, or equal ones.
        distances: (m,) measured distances to the relatives, such as differences between sequences or texts, in units of
            the tree's hops or, with `scale`, in any unit. Without them only the weights count.
        scale: length in the layout of one unit of the distances; None if the unit is one hop.
        num_parents: number of likely parents to return.

    Raises:
        ValueError: no relatives, rows outside the tree, or weights or distances that are not positive or of another
            length.
    """
    rows = np.asarray(relatives, np.int64).reshape(1, -1)
    known = _relatives(rows, weights, distances)
    _check(tree, known)
    candidates, costs = parent_costs(tree, layout, known, scale)
    best = np.argsort(costs[0], kind="stable")[:num_parents]
    radius, direction = _point(tree, layout, known, candidates[best[:1]])
    return Placement(candidates[best], costs[0, best], float(radius[0]), direction[0])


def predict_parents(tree: Hierarchy, layout: Layout, relatives: Relatives, scale: float | None = None) -> Int64Array:
    """Return the (Q,) parents with the lowest cost.

    Args:
        tree: N nodes.
        layout: their points.
        relatives: of Q items.
        scale: as for `place`.
    """
    candidates, costs = parent_costs(tree, layout, relatives, scale)
    best: Int64Array = candidates[costs.argmin(axis=1)]
    return best


def parent_costs(
    tree: Hierarchy, layout: Layout, relatives: Relatives, scale: float | None = None
) -> tuple[Int64Array, Float64Array]:
    """Return the inner nodes, and the cost of each as the parent of each item.

    Args:
        tree: N nodes.
        layout: their points.
        relatives: of Q items.
        scale: as for `place`.

    Returns:
        (C,) rows of the inner nodes, and (Q, C) costs.
    """
    candidates = np.unique(tree.parent[1:]).astype(np.int64)
    costs = np.zeros((len(relatives.rows), len(candidates)))
    if relatives.distances is None:
        edge, target = np.zeros(len(candidates)), np.zeros(relatives.rows.shape)
    else:
        edge = _child_edges(tree, layout)[candidates]
        target = relatives.distances * (distance_scale(tree, layout) if scale is None else scale)
    points = layout.radius, np.ascontiguousarray(layout.direction)
    _sum_costs(*points, candidates, edge, relatives.rows, relatives.weights, target, costs)
    return candidates, costs


def distance_scale(tree: Hierarchy, layout: Layout, root_distance: Float64Array | None = None, seed: int = 0) -> float:
    """Return the length in the layout of one unit of distance in the tree: the median over random pairs.

    Args:
        tree: N nodes.
        layout: their points.
        root_distance: (N,) lengths of the paths from the root, if the unit is that of the lengths; None for hops.
        seed: seed of the pairs.
    """
    depth = tree.depth.astype(np.float64) if root_distance is None else root_distance
    a, b = np.random.default_rng(seed).integers(0, len(tree), (2, _SCALE_PAIRS))
    length = depth[a] + depth[b] - 2.0 * depth[tree.lca(a, b)]
    is_apart = length > 0.0
    return float(np.median(pairwise(layout, a[is_apart], b[is_apart]) / length[is_apart]))


def weights_from_distances(distances: ArrayLike) -> Float64Array:
    """Return 1 / distance^2, as for errors in proportion to the distance (Fitch and Margoliash 1967).

    Zeros count as a tenth of the smallest positive distance.

    Args:
        distances: (m,) or (Q, m), 0 or more.
    """
    given = np.asarray(distances, np.float64)
    positive = given[given > 0.0]
    smallest = 0.1 * positive.min() if len(positive) else 1.0
    return 1.0 / np.square(np.maximum(given, smallest))


def _relatives(rows: Int64Array, weights: ArrayLike | None, distances: ArrayLike | None) -> Relatives:
    given = None if distances is None else np.asarray(distances, np.float64).reshape(1, -1)
    if weights is not None:
        return Relatives(rows, np.asarray(weights, np.float64).reshape(1, -1), given)
    return Relatives(rows, np.ones(rows.shape) if given is None else weights_from_distances(given), given)


def _check(tree: Hierarchy, relatives: Relatives) -> None:
    rows, weights, distances = relatives
    if not rows.size:
        raise ValueError("no relatives: name at least one row of the tree")
    if rows.min() < 0 or rows.max() >= len(tree):
        raise ValueError(f"rows {rows.min()} to {rows.max()} of relatives: the tree has rows 0 to {len(tree) - 1}")
    for name, values in (("weights", weights), ("distances", distances)):
        if values is not None and values.shape != rows.shape:
            raise ValueError(f"{values.size} {name} for {rows.size} relatives: give one for each")
    if not (np.isfinite(weights).all() and (weights > 0.0).all()):
        raise ValueError("weights must be positive and finite: leave out relatives of weight 0")
    if distances is not None and not (np.isfinite(distances).all() and (distances >= 0.0).all()):
        raise ValueError("distances must be finite and 0 or more")


def _child_edges(tree: Hierarchy, layout: Layout) -> Float64Array:
    """Return (N,) mean distance of each row to its children, 0 for leaves."""
    child = np.arange(1, len(tree))
    length = pairwise(layout, child, tree.parent[1:])
    count = np.bincount(tree.parent[1:], minlength=len(tree))
    edges: Float64Array = np.bincount(tree.parent[1:], length, minlength=len(tree)) / np.maximum(count, 1)
    return edges


def _point(
    tree: Hierarchy, layout: Layout, relatives: Relatives, parents: NDArray[np.integer]
) -> tuple[Float64Array, Float64Array]:
    """Return radii and directions of new children: the mean radius of the other children, towards the relatives below.

    Without a relative below the parent the direction is the parent's own.
    """
    radius, direction = np.empty(len(parents)), layout.direction[parents].copy()
    for item, parent in enumerate(parents):
        radius[item] = layout.radius[tree.children(parent)].mean()
        rows = relatives.rows[item]
        below = (rows > parent) & (rows < tree.end[parent])
        if below.any():
            part = Layout(layout.radius[rows[below]], layout.direction[rows[below]])
            centre = lorentz_centroids(part, np.zeros(len(part), np.int64), 1, relatives.weights[item, below])
            direction[item] = centre.direction[0]
    return radius, direction


@njit(cache=True, error_model="numpy")
def _sum_costs(
    radius: Float64Array,
    direction: Float64Array,
    candidates: Int64Array,
    edge: Float64Array,
    rows: Int64Array,
    weights: Float64Array,
    target: Float64Array,
    costs: Float64Array,
) -> None:  # pragma: no cover - compiled
    """Add the cost of each candidate for each item; d = 2 asinh(sqrt(h / 2)), h = cosh d - 1 as in `excess`."""
    exp = np.exp(radius)
    for q in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            x = rows[q, k]
            if x < 0:
                continue
            sinh = 0.5 * (exp[x] - 1.0 / exp[x])
            for c in range(len(candidates)):
                v = candidates[c]
                chord = 0.0
                for i in range(direction.shape[1]):
                    difference = direction[v, i] - direction[x, i]
                    chord += difference * difference
                ratio = exp[x] / exp[v]
                h = (ratio - 1.0) * (ratio - 1.0) / (2.0 * ratio) + 0.25 * sinh * (exp[v] - 1.0 / exp[v]) * chord
                apart = np.log(1.0 + h + np.sqrt(h * (h + 2.0)))
                costs[q, c] += weights[q, k] * abs(apart + edge[c] - target[q, k])
