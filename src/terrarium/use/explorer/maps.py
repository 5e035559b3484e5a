"""What the explorer shows of each family."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.vectors import normalize_rows
from terrarium.reporting.explorer.points import Neighbours, PointMap, principal_plane
from terrarium.use import load

FAMILIES = ("hyperbolic", "senses", "scenes")


def open_map(family: str, version: str | None = None, data_root: str | Path | None = None, **where: Any) -> PointMap:
    """Return the points of a family's newest vectors, or those of a version. Raises as `terrarium.load`."""
    builders = {"hyperbolic": _hyperbolic, "senses": _senses, "scenes": _scenes}
    return builders[family](load(family, version, data_root=data_root, **where))  # type: ignore[call-overload]


def _hyperbolic(embedding: Any) -> PointMap:
    from terrarium.hyperbolic.reporting.disk_map import disk_map

    title = f"{embedding.name_of(0)}: {len(embedding):,} nodes"
    return disk_map(embedding.nodes, embedding.tree, embedding.layout, title)


def _senses(embedding: Any) -> PointMap:
    table = embedding.senses
    repeats = table["lemma"].map(table["lemma"].value_counts()).to_numpy(np.float32)
    return _plane(f"{len(table):,} word senses", embedding.vectors, table["sense_key"], table, repeats)


def _scenes(embedding: Any) -> PointMap:
    details = embedding.graphs.drop(columns="graph_id").assign(
        **{str(tag): np.where(embedding.tags[tag], "yes", "no") for tag in embedding.tags}
    )
    ones = np.ones(len(details), np.float32)
    return _plane(f"{len(details):,} scene graphs", embedding.vectors, embedding.graphs["graph_id"], details, ones)


def _plane(title: str, vectors: Any, names: pd.Series, details: pd.DataFrame, weight: Any) -> PointMap:
    """Return vectors on their first two principal components, with neighbours by cosine in all dimensions."""
    unit = normalize_rows(vectors)
    flat = principal_plane(unit)
    share = float(flat.var(axis=0).sum() / _scale(unit, flat))
    return PointMap(
        kind="plane",
        title=title,
        note=f"The first two principal components of {unit.shape[1]} dimensions, {share:.0%} of the variance. The list "
        "of nearest points is by cosine, in all dimensions.",
        distance="1 - cosine",
        names=names.astype(str).reset_index(drop=True),
        position=flat,
        parent=np.full(len(flat), -1, np.int32),
        weight=weight,
        details=details.reset_index(drop=True),
        neighbours=_by_cosine(unit),
    )


def _scale(unit: Any, flat: Float64Array) -> float:
    """Return the variance of all dimensions in the unit of the picture."""
    size = float(flat.var(axis=0)[0])
    first = np.asarray(unit, np.float64) - unit.mean(axis=0, dtype=np.float64)
    values = np.linalg.eigvalsh(first.T @ first) / len(first)
    return size * float(values.sum() / max(values[-1], 1e-300)) or 1.0


def _by_cosine(unit: Any) -> Neighbours:
    def neighbours(row: int, k: int) -> tuple[Int64Array, Float64Array]:
        cosine = unit @ unit[row]
        cosine[row] = -np.inf
        count = min(k, len(unit) - 1)
        rows = np.argpartition(-cosine, count - 1)[:count] if count > 0 else np.zeros(0, np.int64)
        rows = rows[np.lexsort((rows, -cosine[rows]))]
        return rows, 1.0 - cosine[rows].astype(np.float64)

    return neighbours
