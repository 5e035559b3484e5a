"""Indexes for approximate search in hnswlib and FAISS, and their search with exact re-ranking.

Hyperbolic distance is a dot product: with a = exp(r) and s = sinh(r),

    cosh d(p, q) = (a_p / a_q + a_q / a_p) / 2 + s_p s_q (1 - u_p . u_q),

so the nearest points maximise the product of the d + 2 numbers (1 / a, a, s u) of a point with
(-(a - s) / 2, -(1 / a + s) / 2, s u) of the query. FAISS searches these exactly but for float32; hnswlib, which needs a
metric, gets (0.001 r, u). Candidates are then sorted by their true distance in float64. Senses are searched by cosine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float32Array, Float64Array, Int64Array
from terrarium.common.names import NameIndex
from terrarium.common.vectors import normalize_rows
from terrarium.hyperbolic.geometry.ball import Layout, distance

CANDIDATES = 400
"""Candidates that are re-ranked for each query."""
_RADIUS_WEIGHT = 0.001
_LINKS, _BUILD_WIDTH = 16, 200
"""Links per point of the graph, and points looked at while it is built (M and efConstruction)."""
_POINTS, _NAMES = "points.safetensors", "names.json"
_FILES = {"faiss": "index.faiss", "hnswlib": "index.hnsw"}


class Features(NamedTuple):
    """What an index stores and is asked: (N, m) and (N, m) float32, and whether a dot product is maximised."""

    stored: Float32Array
    asked: Float32Array
    is_product: bool


def write_index(folder: Path, form: str, names: Sequence[str], points: Layout | Float32Array) -> list[Path]:
    """Write an index, the points for re-ranking, and the names.

    Args:
        folder: an existing folder.
        form: faiss or hnswlib.
        names: N names that differ.
        points: N points of the ball, or (N, d) vectors that are compared by cosine.

    Returns:
        index.faiss or index.hnsw, points.safetensors and names.json.

    Raises:
        ValueError: the library is not installed.
    """
    from safetensors.numpy import save_file

    path, table, listed = folder / _FILES[form], folder / _POINTS, folder / _NAMES
    features = _features(points, form)
    if form == "faiss":
        faiss = _library("faiss", "faiss-cpu")
        index = faiss.IndexFlatIP(features.stored.shape[1])
        index.add(features.stored)
        faiss.write_index(index, str(path))
    else:
        index = _library("hnswlib", "hnswlib").Index("ip" if features.is_product else "l2", features.stored.shape[1])
        index.init_index(len(features.stored), M=_LINKS, ef_construction=_BUILD_WIDTH, random_seed=0)
        index.set_num_threads(1)
        index.add_items(features.stored)
        index.save_index(str(path))
    kept = (
        {"radius": points.radius, "direction": points.direction} if isinstance(points, Layout) else {"vectors": points}
    )
    save_file({name: np.ascontiguousarray(values) for name, values in kept.items()}, table)
    listed.write_text(json.dumps(list(names), ensure_ascii=False), encoding="utf-8")
    return [path, table, listed]


class OpenIndex:
    """An index that `write_index` wrote, with its names and points.

    Args:
        folder: where it was written.

    Raises:
        ValueError: there is no index, or its library is not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        from safetensors.numpy import load_file

        folder = Path(folder)
        form = next((form for form, name in _FILES.items() if (folder / name).is_file()), None)
        if form is None:
            raise ValueError(f"{folder} has no index: write one with `kedro terrarium export faiss {folder}`")
        kept = load_file(folder / _POINTS)
        self._points = Layout(kept["radius"], kept["direction"]) if "radius" in kept else kept["vectors"]
        self.names = pd.Series(json.loads((folder / _NAMES).read_text(encoding="utf-8")), dtype=object)
        self._rows = NameIndex({"name": self.names}, None, "point")
        self._features = _features(self._points, form)
        self._form = form
        if form == "faiss":
            self._index = _library("faiss", "faiss-cpu").read_index(str(folder / _FILES[form]))
        else:
            kind, size = "ip" if self._features.is_product else "l2", self._features.stored.shape[1]
            self._index = _library("hnswlib", "hnswlib").Index(kind, size)
            self._index.load_index(str(folder / _FILES[form]))

    def __len__(self) -> int:
        return len(self.names)

    def nearest(self, name: str, k: int = 10, candidates: int = CANDIDATES) -> pd.DataFrame:
        """Find the nearest points of one of them, by true distance among the candidates.

        Args:
            name: one of `names`.
            k: number of neighbours.
            candidates: points that the index proposes; more find more of the true neighbours.

        Returns:
            Columns name and distance (hyperbolic, or 1 - cosine), the nearest first.
        """
        row = self._rows.row(name)
        rows = self._propose(self._features.asked[row : row + 1], max(min(candidates, len(self)), 1))
        rows = rows[(rows >= 0) & (rows != row)]
        away = _distances(self._points, row, rows)
        best = np.lexsort((rows, away))[:k]
        return pd.DataFrame({"name": self.names.to_numpy()[rows[best]], "distance": away[best]})

    def _propose(self, query: Float32Array, count: int) -> Int64Array:
        if self._form == "faiss":
            return self._index.search(query, count)[1][0]
        self._index.set_ef(max(count, 100))
        return self._index.knn_query(query, count)[0][0].astype(np.int64)


def _features(points: Layout | Float32Array, form: str) -> Features:
    if not isinstance(points, Layout):
        unit = normalize_rows(np.asarray(points, np.float32))
        return Features(unit, unit, True)
    radius, direction = points.radius[:, None], points.direction
    if form == "hnswlib":
        stored = np.hstack([_RADIUS_WEIGHT * radius, direction]).astype(np.float32)
        return Features(stored, stored, False)
    a, s = np.exp(radius), np.sinh(radius)
    asked = np.hstack([-(a - s) / 2.0, -(1.0 / a + s) / 2.0, s * direction])
    asked /= np.abs(asked).max(axis=1, keepdims=True)
    return Features(np.hstack([1.0 / a, a, s * direction]).astype(np.float32), asked.astype(np.float32), True)


def _distances(points: Layout | Float32Array, row: int, others: Int64Array) -> Float64Array:
    if isinstance(points, Layout):
        own = points.radius[row], points.direction[row]
        return distance(*own, points.radius[others], points.direction[others])
    unit = normalize_rows(points[np.append(row, others)].astype(np.float64))
    return 1.0 - unit[1:] @ unit[0]


def _library(name: str, package: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise ValueError(f"{name} is not installed: pip install {package}") from error
