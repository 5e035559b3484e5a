"""What the explorer shows of each family."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.vectors import normalize_rows
from terrarium.reporting.explorer.points import Neighbours, PointMap, principal_plane
from terrarium.use import Artifacts, load


def open_map(
    family: str,
    version: str | None = None,
    data_root: str | Path | None = None,
    env: str | None = None,
    project: Path | None = None,
) -> PointMap:
    """Return the points of a family's newest vectors, or those of a version. Raises as `terrarium.load`."""
    embedding = load(family, version, data_root=data_root, env=env, project=project)  # type: ignore[call-overload]
    if family == "scenes":
        names = [f"scenes.{name}" for name in ("graphs", "graph_index", "lanes")]
        tables = Artifacts(data_root, env, project).load("scenes.embeddings", version, names)
        return _scenes(embedding, *(tables[name] for name in names))
    return {"hyperbolic": _hyperbolic, "senses": _senses, "knowledge_graph": _knowledge_graph}[family](embedding)


def _hyperbolic(embedding: Any) -> PointMap:
    from terrarium.hyperbolic.reporting.disk_map import disk_map

    title = f"{embedding.name_of(0)}: {len(embedding):,} nodes"
    return disk_map(embedding.nodes, embedding.tree, embedding.layout, title)


def _senses(embedding: Any) -> PointMap:
    table = embedding.senses
    repeats = table["lemma"].map(table["lemma"].value_counts()).to_numpy(np.float32)
    return _plane(f"{len(table):,} word senses", embedding.vectors, table["sense_key"], table, repeats)


def _knowledge_graph(embedding: Any) -> PointMap:
    train = embedding.trained.graph.splits["train"]
    degree = np.bincount(train[:, [0, 2]].ravel(), minlength=len(embedding)).astype(np.float32)
    entities = embedding.entities
    title = f"{len(embedding):,} entities"
    return _plane(title, embedding.vectors, entities["name"], entities.assign(triples=degree), 1.0 + degree)


def _scenes(embedding: Any, graphs: Any, index: pd.DataFrame, lanes: pd.DataFrame) -> PointMap:
    from terrarium.scenes.graphs.columns import from_state
    from terrarium.scenes.reporting.thumbnail import thumbnail

    tags = {str(tag): embedding.tags[tag].map({True: "yes", False: None}) for tag in embedding.tags}
    details = embedding.graphs.drop(columns="graph_id").assign(**tags)
    points = _plane(
        f"{len(details):,} scene graphs",
        embedding.vectors,
        embedding.graphs["graph_id"],
        details,
        np.ones(len(details), np.float32),
    )
    columns = from_state(graphs)
    place = pd.Series(np.arange(len(index)), index["graph_id"])

    def picture(row: int) -> str:
        number = int(place[embedding.graphs["graph_id"].iloc[row]])
        return thumbnail(columns.graph(number), lanes[lanes["map"] == index["map"].iloc[number]])

    return replace(points, picture=picture)


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
