"""Second parents: caps or cones refitted so that they contain all descendants of their node, not only those of a tree.

A nested layout follows a spanning tree. A descendant by further links is outside the cap of its ancestor. In `caps` a
node v is below a exactly if d(v, a) <= r_v, in `cones` if its detour is small, so the best direction and radius of a
separate its descendants from all other nodes: they minimise a soft margin (see `soft_margin`), started at the cap of
the tree and at the mean direction of all descendants. All other nodes stay where they are. The refitted cap is kept if
its soft margin is smaller than that of the old one. Ancestors are refitted from the deepest to the shallowest, so that
each sees where those below it went.

The soft margin is estimated from a sample: at most MAX_BELOW descendants, the nodes nearest to the two starts, and some
of all others, each weighted by the number of nodes that it stands for.
"""

from __future__ import annotations

import logging

import numpy as np

from terrarium.common.arrays import BoolArray, Float64Array, Int32Array, Int64Array
from terrarium.common.vectors import normalize_rows
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.layouts.cones import cone_offset, mean_log_step
from terrarium.hyperbolic.layouts.graphs.soft_margin import (
    MIN_RADIUS,
    Score,
    Sides,
    minimize_soft_margin,
    soft_margin,
)

logger = logging.getLogger(__name__)

CAP = Score(own_radius=0.0, threshold=0.0)
MAX_BELOW, MAX_NEAR, MAX_FAR = 8000, 16000, 1000
"""Most descendants, most of the nodes nearest to the starts, and most of all other nodes in a sample."""
_MIN_NEAR, _NEAR_PER_DESCENDANT = 600, 4
_SMALLEST_FOR_PRODUCTS = 1e-5
_SPREAD_QUANTILE = 0.98
"""The cap around the mean direction starts with this fraction of the descendants."""


def cone_score(tree: Hierarchy, layout: Layout) -> Score:
    """Return the score of cones: a node is below another if its detour is at most halfway from parents to siblings.

    A child is at the angle o, in half angles of the cone of its parent, so its parent has the detour ln(1 + o^2). Seen
    from a sibling the child is at an angle of about sqrt(2) o, in half angles of its own cone sqrt(2) o / ratio.

    Args:
        tree: the tree that the layout follows.
        layout: as from `cone_layout`, in rows of the tree.
    """
    half_angle = 2.0 * np.arctan(np.exp(-layout.radius))
    offset = cone_offset(tree, half_angle)
    ratio = np.exp(-mean_log_step(tree, half_angle))
    return Score(1.0, 0.5 * float(np.log1p(offset**2) + np.log1p(2.0 * (offset / ratio) ** 2)))


def refit_separators(
    graph: Hierarchy,
    layout: Layout,
    inside: Int64Array,
    score: Score,
    missed_weight: float = 1.0,
    seed: int = 0,
) -> Layout:
    """Return a layout in which the caps or cones of ancestors with descendants by further links are refitted.

    Args:
        graph: N nodes with several parents.
        layout: as from `cap_layout` or `cone_layout`.
        inside: (N,) number of descendants in the tree that the layout follows. Those with more are refitted.
        score: `CAP`, or from `cone_score`.
        missed_weight: weight of a descendant outside, over that of another node inside. A large one lowers the mean
            rank of ancestors, since one missed descendant may have thousands of nodes before its ancestor.
        seed: of the samples.
    """
    descendants, start = _descendants(graph)
    num_ancestors = np.diff(graph.ancestor_rows.start)
    rows = np.flatnonzero((np.diff(start) > inside) & (layout.radius > 0.0))
    logger.info("hyperbolic: ancestors that are refitted for descendants by further links: %d", len(rows))
    refit = _Refit(layout, score, missed_weight, seed)
    for row in rows[np.argsort(-num_ancestors[rows], kind="stable")]:
        refit.move(int(row), descendants[start[row] : start[row + 1]])
    return Layout(np.where(layout.radius > 0.0, refit.radius, 0.0), refit.direction)


def _descendants(graph: Hierarchy) -> tuple[Int32Array, Int64Array]:
    """Return the descendants of all rows one below the other, and the (N + 1,) offsets."""
    ancestor, descendant, _ = graph.closure()
    count = np.bincount(ancestor, minlength=len(graph))
    return descendant[np.argsort(ancestor, kind="stable")], np.concatenate([[0], np.cumsum(count)])


class _Refit:
    """The refit of one ancestor after the other; the arrays radius and direction hold the present layout."""

    def __init__(self, layout: Layout, score: Score, missed_weight: float, seed: int) -> None:
        self.radius = np.maximum(layout.radius, MIN_RADIUS)
        self.direction = layout.direction.copy()
        self._max_radius = float(layout.radius.max())
        self._score, self._missed_weight = score, missed_weight
        self._rng = np.random.default_rng(seed)

    def move(self, row: int, below: Int32Array) -> None:
        """Refit the cap of a row, given the rows of its descendants."""
        starts = [(float(self.radius[row]), self.direction[row].copy()), self._around(below)]
        sides = self._sample(row, below, starts)
        found = [
            minimize_soft_margin(sides, self._score, radius, direction, self._max_radius)
            for radius, direction in starts
        ]
        value = [soft_margin(sides, self._score, *cap) for cap in (starts[0], *found)]
        self.radius[row], self.direction[row] = (starts[0], *found)[int(np.argmin(value))]

    def _around(self, below: Int32Array) -> tuple[float, Float64Array]:
        """Return the cap around the mean direction of the descendants that contains most of them."""
        mean = normalize_rows(self.direction[below].mean(axis=0)[None])[0]
        chord = np.sqrt(np.quantile(np.square(self.direction[below] - mean).sum(axis=1), _SPREAD_QUANTILE))
        half_angle = np.clip(2.0 * np.arcsin(min(0.5 * chord, 0.7)), 1e-15, 0.5 * np.pi - 1e-3)
        return float(np.clip(self._score.radius(half_angle), MIN_RADIUS, self._max_radius)), mean

    def _sample(self, row: int, below: Int32Array, starts: list[tuple[float, Float64Array]]) -> Sides:
        """Return the descendants and the other nodes that are separated, or a weighted sample of them."""
        is_other = np.ones(len(self.radius), np.bool_)
        is_other[below] = False
        is_other[row] = False
        near = self._nearest(is_other, max(_MIN_NEAR, _NEAR_PER_DESCENDANT * len(below)), starts)
        is_other[near] = False
        far = np.flatnonzero(is_other)
        taken = [
            rows if len(rows) <= limit else self._rng.choice(rows, limit, replace=False, shuffle=False)
            for rows, limit in ((below, MAX_BELOW), (near, MAX_NEAR), (far, MAX_FAR))
        ]
        sizes = [len(rows) for rows in taken]
        stands_for = [len(below) * self._missed_weight, float(len(near)), float(len(far))]
        chosen = np.concatenate(taken)
        return Sides(
            self.radius[chosen],
            self.direction[chosen],
            np.repeat([1.0, -1.0, -1.0], sizes),
            np.repeat([total / max(size, 1) for total, size in zip(stands_for, sizes, strict=True)], sizes),
        )

    def _nearest(self, is_other: BoolArray, count: int, starts: list[tuple[float, Float64Array]]) -> Int64Array:
        """Return the `count` other rows nearest to one of the starts, in half angles of its cap."""
        others = np.flatnonzero(is_other)
        if len(others) <= count:
            return others
        by_start = [
            self._square_chords(direction, half_angle) / half_angle**2
            for direction, half_angle in ((u, self._score.half_angle(r)) for r, u in starts)
        ]
        distance = np.min(by_start, axis=0)[others]
        return others[np.argpartition(distance, count - 1)[:count]]

    def _square_chords(self, direction: Float64Array, half_angle: float) -> Float64Array:
        """Return the (N,) squared chords to all nodes; by products, which are faster, where rounding allows."""
        if half_angle > _SMALLEST_FOR_PRODUCTS:
            return 2.0 - 2.0 * (self.direction @ direction)
        return np.square(self.direction - direction).sum(axis=1)
