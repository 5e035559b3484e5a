"""A hierarchy with its layout, and the questions that people ask of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from terrarium.common.arrays import BoolArray, Float64Array, Int64Array
from terrarium.common.names import NameIndex
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry import ball
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.use.calibration import Calibration, calibrate
from terrarium.hyperbolic.use.neighbors import SearchTable, excess_of, nearest_rows, search_table

Item = str | int
"""A name, a key, or an id."""
Point = Layout | Float64Array
"""A point of the ball: a layout of one row, or (d,) ball coordinates."""

_SHOWN = ("id", "key", "name", "rank")


class NewItem(NamedTuple):
    """Where a new item belongs.

    Attributes:
        parents: the most likely parents, the best first: id, key, name, rank, cost (0 is a perfect fit).
        point: its point below the best parent; `nearest` takes it.
    """

    parents: pd.DataFrame
    point: Layout


class HyperbolicEmbedding:
    """Nodes with names and their points in the Poincaré ball.

    Args:
        nodes: N rows in the order of `tree`, with the columns id and name, and key and rank where there are any.
        tree: the hierarchy.
        layout: N points.
    """

    def __init__(self, nodes: pd.DataFrame, tree: Hierarchy, layout: Layout) -> None:
        self.nodes, self.tree, self.layout = nodes.reset_index(drop=True), tree, layout
        texts = {name: self.nodes[name] for name in ("name", "key") if name in self.nodes}
        self._names = NameIndex(texts, tree.ids, "node")

    def __len__(self) -> int:
        return len(self.tree)

    def __repr__(self) -> str:
        return f"HyperbolicEmbedding({len(self):,} nodes below {self.name_of(0)!r}, {self.layout.dim} dimensions)"

    def row(self, item: Item) -> int:
        """Return the row of a name, key or id. Raises UnknownNameError, with near matches."""
        return self._names.row(item)

    def name_of(self, row: int) -> str:
        """Return the name of a row, or its id where it has none."""
        name = self.nodes["name"].iloc[row]
        return str(self.tree.ids[row]) if pd.isna(name) else str(name)

    def vector(self, item: Item) -> Float64Array:
        """Return the (d,) float64 ball coordinates of a node."""
        return ball.to_ball(self._points(np.array([self.row(item)])))[0]

    def nearest(
        self, item: Item | Point | Sequence[Item], k: int = 10, among: Sequence[Item] | BoolArray | None = None
    ) -> pd.DataFrame:
        """Find the nearest nodes by hyperbolic distance; exact.

        Args:
            item: a node, a list of nodes, or a point.
            k: number of neighbours.
            among: the nodes that may be neighbours, or an (N,) mask; all by default.

        Returns:
            At most k rows per query, nearest first: id, key, name, rank (where the nodes have them), distance; for a
            list also query, its name, as the first column.
        """
        queries, own, names = self._queries(item)
        rows, distance = nearest_rows(self._search, search_table(queries), own, k, self._mask(among))
        if isinstance(item, list | tuple):
            return self._table(rows.ravel(), distance=distance.ravel(), query=np.repeat(names, k))
        return self._table(rows[0], distance=distance[0])

    def distance(self, a: Item | Sequence[Item], b: Item | Sequence[Item]) -> float | Float64Array:
        """Return the hyperbolic distance of two nodes, or the (Q,) distances of two lists of Q nodes."""
        found = ball.pairwise(self.layout, self._names.rows(_listed(a)), self._names.rows(_listed(b)))
        return found if isinstance(a, list | tuple) or isinstance(b, list | tuple) else float(found[0])

    @cached_property
    def calibration(self) -> Calibration:
        """The rule by which `ancestors`, `descendants` and `is_a` decide, with its measured precision and recall."""
        scores = {"detour": self._detours, "distance beyond the radius": self._beyond_radius}
        return calibrate(self.tree, scores)

    def ancestors(self, item: Item) -> pd.DataFrame:
        """Predict the ancestors of a node from its point alone.

        Returns:
            The nodes whose score is at most `calibration.threshold`, nearest first: id, key, name, rank, distance,
            score, probability, known (whether the hierarchy says so too).
        """
        row = self.row(item)
        scores = self._scores(row)
        found = np.flatnonzero(scores <= self.calibration.threshold)
        found = found[found != row]
        known = self.tree.is_ancestor(found, row)
        return self._predicted(found, row, scores[found], known)

    def descendants(self, item: Item) -> pd.DataFrame:
        """Predict the descendants of a node: those nodes of which it is an ancestor, as in `ancestors`."""
        row = self.row(item)
        distance = self._distances(row)
        own, radius = self.layout.radius[row], self.layout.radius
        scores = own + distance - radius if self.calibration.score == "detour" else distance - radius
        found = np.flatnonzero(scores <= self.calibration.threshold)
        found = found[found != row]
        known = self.tree.is_ancestor(row, found)
        return self._predicted(found, row, scores[found], known)

    def is_a(self, a: Item, b: Item) -> float:
        """Return the probability that b is an ancestor of a, given their points."""
        below, above = self.row(a), self.row(b)
        return float(self.calibration.probability(self._scores(below)[above : above + 1])[0])

    def place(
        self,
        siblings: Sequence[Item] | None = None,
        *,
        parent: Item | None = None,
        neighbours: Mapping[Item, float] | None = None,
        distances: Mapping[Item, float] | None = None,
        k: int = 5,
    ) -> NewItem:
        """Find the parent and the point of an item that the hierarchy lacks, from what it is related to.

        Give one of the four. `hyperbolic_placement` measures how often this finds the parents of held-out nodes.

        Args:
            siblings: related nodes, all equally.
            parent: its parent; only the point is open.
            neighbours: related nodes with positive weights, larger is closer.
            distances: related nodes with measured distances to them, in hops of the hierarchy.
            k: number of likely parents.

        Raises:
            ValueError: not one of the four is given, or a weight or distance is not positive.
            UnknownNameError: no such node; near matches are named.
        """
        from terrarium.hyperbolic.placement.place import place

        given = [value for value in (siblings, parent, neighbours, distances) if value is not None]
        if len(given) != 1:
            raise ValueError("give one of siblings, parent, neighbours and distances")
        if parent is not None:
            return self._below(self.row(parent))
        rows = self._names.rows(list(given[0]))  # type: ignore[arg-type]
        weights, lengths = (None if known is None else list(known.values()) for known in (neighbours, distances))
        found = place(self.tree, self.layout, rows, weights=weights, distances=lengths, num_parents=k)
        return NewItem(
            self._table(found.parents, cost=found.costs), Layout(np.array([found.radius]), found.direction[None])
        )

    def lowest_common_ancestor(self, *items: Item) -> str:
        """Return the name of the lowest node of the hierarchy that is above, or equal to, each of the nodes."""
        rows = self._names.rows(items)
        lowest = rows[0]
        for other in rows[1:]:
            lowest = int(self.tree.lca(lowest, other))
        return self.name_of(int(lowest))

    def path_to_root(self, item: Item) -> pd.DataFrame:
        """Return the ancestors that the hierarchy knows, nearest first: id, key, name, rank, distance."""
        row = self.row(item)
        above = self.tree.ancestors(row).astype(np.int64)
        return self._table(above, distance=ball.pairwise(self.layout, above, np.full(len(above), row)))

    @cached_property
    def _search(self) -> SearchTable:
        return search_table(self.layout)

    def _below(self, row: int) -> NewItem:
        """Return a new child of a row: in its direction, at the mean radius of its children or one mean step out."""
        radius, children = self.layout.radius, self.tree.children(row)
        step = float(np.mean(radius[1:] - radius[self.tree.parent[1:]]))
        own = float(radius[children].mean()) if len(children) else float(radius[row]) + step
        parents = self._table(np.array([row]), cost=np.zeros(1))
        return NewItem(parents, Layout(np.array([own]), self.layout.direction[row : row + 1]))

    def _points(self, rows: Int64Array) -> Layout:
        return Layout(self.layout.radius[rows], self.layout.direction[rows])

    def _queries(self, item: Item | Point | Sequence[Item]) -> tuple[Layout, Int64Array, list[str]]:
        """Return the query points, their rows (-1 for points that are no nodes) and names."""
        if isinstance(item, Layout):
            return item, np.full(len(item), -1, np.int64), [""] * len(item)
        if isinstance(item, np.ndarray):
            return ball.from_ball(np.atleast_2d(item)), np.array([-1]), [""]
        rows = self._names.rows(_listed(item))
        return self._points(rows), rows, [self.name_of(int(row)) for row in rows]

    def _mask(self, among: Sequence[Item] | BoolArray | None) -> BoolArray | None:
        if among is None or (isinstance(among, np.ndarray) and among.dtype == np.bool_):
            return among
        mask = np.zeros(len(self), np.bool_)
        mask[self._names.rows(list(among))] = True
        return mask

    def _distances(self, row: int) -> Float64Array:
        h = excess_of(self._search, row)
        return 2.0 * np.arcsinh(np.sqrt(h / 2.0))

    def _detours(self, row: int) -> Float64Array:
        return self.layout.radius + self._distances(row) - self.layout.radius[row]

    def _beyond_radius(self, row: int) -> Float64Array:
        return self._distances(row) - self.layout.radius[row]

    def _scores(self, row: int) -> Float64Array:
        return self._detours(row) if self.calibration.score == "detour" else self._beyond_radius(row)

    def _predicted(self, found: Int64Array, row: int, scores: Float64Array, known: BoolArray) -> pd.DataFrame:
        distance = ball.pairwise(self.layout, found, np.full(len(found), row))
        order = np.lexsort((found, distance))
        table = self._table(found[order], distance=distance[order], score=scores[order])
        return table.assign(probability=self.calibration.probability(scores[order]), known=known[order])

    def _table(self, rows: Int64Array, query: Any = None, **columns: Any) -> pd.DataFrame:
        there = rows >= 0
        shown = [name for name in _SHOWN if name in self.nodes]
        table = self.nodes.loc[rows[there], shown].reset_index(drop=True)
        table = table.assign(**{name: np.asarray(values)[there] for name, values in columns.items()})
        if query is not None:
            table.insert(0, "query", np.asarray(query)[there])
        return table


def _listed(items: Item | Sequence[Item]) -> Sequence[Item]:
    return items if isinstance(items, list | tuple) else [items]  # type: ignore[list-item]
