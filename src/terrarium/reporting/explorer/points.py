"""The points of an interactive picture, and what a page asks about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float32Array, Float64Array, Int32Array, Int64Array
from terrarium.common.names import close_names

Neighbours = Callable[[int, int], tuple[Int64Array, Float64Array]]
"""From a row and a number k to the rows and distances of its k nearest, the nearest first."""

_CHILDREN = 200
_FOUND = 20
_CLASSES = 12
"""The page has colours for twelve classes."""


@dataclass(frozen=True, eq=False)
class PointMap:
    """N points with names.

    Attributes:
        kind: disk, for positions (hyperbolic radius, angle in radians), or plane, for (x, y) within [-1, 1].
        title, note: heading, and what the picture keeps of the vectors.
        distance: what the distances of `neighbours` are.
        names: (N,) names.
        position: (N, 2).
        parent: (N,) row of the parent; -1 for none.
        weight: (N,) positive; heavy points are drawn larger, get their names first, and stay when there are too many.
        details: (N) table of what is told about a point. Numbers, and text with few different values, are colours, too.
        neighbours: the nearest points, by the vectors.
        picture: SVG of a row, or None.
    """

    kind: Literal["disk", "plane"]
    title: str
    note: str
    distance: str
    names: pd.Series
    position: Float64Array
    parent: Int32Array
    weight: Float32Array
    details: pd.DataFrame
    neighbours: Neighbours
    picture: Callable[[int], str] | None = None

    def __len__(self) -> int:
        return len(self.position)

    def describe(self) -> dict[str, Any]:
        """Return what the page has to know first: kind, title, note, distance, count and the columns for colours."""
        columns = [self._column(name) for name in self.coloured]
        told = {name: getattr(self, name) for name in ("kind", "title", "note", "distance")}
        return {**told, "count": len(self), "columns": columns}

    @cached_property
    def coloured(self) -> list[str]:
        """Names of the columns that can be colours: numbers that differ, and text with repeated values."""
        return [str(name) for name, column in self.details.items() if self._is_number(str(name)) or _repeats(column)]

    def values(self, name: str) -> Float32Array:
        """Return the (N,) values of a column: numbers, or classes by falling size, NaN without. Raises KeyError."""
        if self._is_number(name):
            return self.details[name].to_numpy(np.float32, na_value=np.nan)
        codes = pd.Categorical(self.details[name].astype(object), self._classes(name)).codes.astype(np.float32)
        return np.where(codes < 0, np.float32(np.nan), codes)

    def visible(self, first: float, second: float, scale: float, limit: int) -> Int64Array:
        """Return the rows that matter most in a view, ascending: those with the largest weight times size in the view.

        Args:
            first, second: position in the middle of the view.
            scale: of a map in the plane; 1 shows all of it.
            limit: most rows to return.
        """
        if len(self) <= limit:
            return np.arange(len(self))
        size = self._size(first, second, scale)
        rows = np.flatnonzero(size > _RIM)
        if len(rows) > limit:
            rows = rows[np.argpartition(-self.weight[rows] * size[rows], limit - 1)[:limit]]
        return np.sort(rows)

    def node(self, row: int, k: int = 10) -> dict[str, Any]:
        """Return what is told about a point: details, path to the root, children (heavy ones first), neighbours."""
        children = np.flatnonzero(self.parent == row)
        children = children[np.argsort(-self.weight[children], kind="stable")]
        rows, distances = self.neighbours(row, k)
        near = [{**self.entry(int(r)), "distance": float(d)} for r, d in zip(rows, distances, strict=True) if r >= 0]
        values = [
            (str(name), value.item() if isinstance(value, np.generic) else value)
            for name, value in self.details.iloc[row].items()
            if not pd.isna(value)
        ]
        return {
            **self.entry(row),
            "values": values,
            "path": [self.entry(above) for above in self.path(row)],
            "children": [self.entry(int(child)) for child in children[:_CHILDREN]],
            "child_count": len(children),
            "neighbours": near,
            "picture": None if self.picture is None else self.picture(row),
        }

    def entry(self, row: int) -> dict[str, Any]:
        """Return row, name and position of a point."""
        return {"row": row, "name": str(self.names.iloc[row]), "position": self.position[row].tolist()}

    def path(self, row: int) -> list[int]:
        """Return the rows above a row, the nearest first."""
        above = []
        while (row := int(self.parent[row])) >= 0:
            above.append(row)
        return above

    def search(self, text: str, limit: int = _FOUND) -> list[dict[str, Any]]:
        """Return the points whose name has a text in it, the shortest that begin with it first, or those nearly so."""
        lowered = text.lower()
        found = np.flatnonzero(self._lowered.str.contains(lowered, regex=False).to_numpy(bool))
        if not len(found):
            close = close_names(lowered, self._lowered, limit)
            found = np.flatnonzero(self._lowered.isin(close).to_numpy(bool))
        names = self._lowered.iloc[found]
        order = np.lexsort([found, names.str.len().to_numpy(), ~names.str.startswith(lowered).to_numpy(bool)])
        return [self.entry(int(row)) for row in found[order[:limit]]]

    @cached_property
    def _lowered(self) -> pd.Series:
        return self.names.astype(str).str.lower()

    @cached_property
    def _directions(self) -> Float64Array:
        """Return (3, N): 1 - tanh(radius / 2), cosine and sine of the angle."""
        radius, angle = self.position.T
        return np.stack([2.0 / (np.exp(radius) + 1.0), np.cos(angle), np.sin(angle)])

    def _size(self, first: float, second: float, scale: float) -> Float64Array:
        """Return how large each point's surroundings are drawn: 1 - |z|^2 in a disk, 1 in the frame of a map."""
        if self.kind == "disk":
            return view_gap(self._directions, first, second)
        away = np.abs(self.position - [first, second]).max(axis=1)
        return (away * scale < 1.0).astype(np.float64)

    def _is_number(self, name: str) -> bool:
        column = self.details[name]
        return bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))

    def _classes(self, name: str) -> list[Any]:
        return self.details[name].astype(object).value_counts().index.tolist()[:_CLASSES]

    def _column(self, name: str) -> dict[str, Any]:
        if not self._is_number(name):
            return {"name": name, "kind": "class", "classes": [str(value) for value in self._classes(name)]}
        values = self.values(name)
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        return {"name": name, "kind": "number", "low": low, "high": high}


_RIM = 2e-4
"""Points with a smaller 1 - |z|^2 cannot be told from the rim."""


def view_gap(directions: Float64Array, radius: float, angle: float) -> Float64Array:
    """Return 1 - |z|^2 of points of the disk after a translation that brings a point to the origin.

    With t = tanh(r / 2): 1 - |z|^2 = (1 - t_c^2) (1 - t^2) / |1 - conj(c) p|^2, which loses nothing near the rim.

    Args:
        directions: (3, N): 1 - t, cosine and sine of the angle of each point p.
        radius, angle: hyperbolic radius and angle of the point c.
    """
    gap, x, y = directions
    own = 2.0 / (np.exp(radius) + 1.0)
    cosine = x * np.cos(angle) + y * np.sin(angle)
    sine = y * np.cos(angle) - x * np.sin(angle)
    versine = np.where(cosine > 0.0, sine * sine / (1.0 + np.abs(cosine)), 1.0 - cosine)
    both = (1.0 - own) * (1.0 - gap)
    real = own + gap - own * gap + both * versine
    denominator = real * real + (both * sine) ** 2
    gaps: Float64Array = own * (2.0 - own) * gap * (2.0 - gap) / np.maximum(denominator, 1e-300)
    return gaps


def principal_plane(vectors: Any) -> Float64Array:
    """Return (N, 2) coordinates on the first two principal components, scaled to within [-1, 1].

    Args:
        vectors: (N, d).
    """
    centred = np.asarray(vectors, np.float64) - np.mean(vectors, axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    flat = centred @ axes[:, ::-1][:, :2]
    if flat.shape[1] < 2:
        flat = np.hstack([flat, np.zeros((len(flat), 2 - flat.shape[1]))])
    size = np.abs(flat).max() if flat.size else 0.0
    plane: Float64Array = flat / size if size > 0.0 else flat
    return plane


def _repeats(column: pd.Series) -> bool:
    """Return whether a column of text has repeated values and is no list of names."""
    different = column.nunique(dropna=False)
    return 1 < different <= max(_CLASSES, len(column) // 20)
