"""The Poincaré disk: a picture of d dimensions in two.

Every taxon keeps its hyperbolic radius exactly. Its angle is that of its direction, seen from the middle of the
coloured groups, in the plane in which these groups lie farthest apart: the two leading principal components of their
mean directions. How much of the directions' spread the plane keeps is said in the title.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.hierarchy import Hierarchy
from terrarium.pipelines.hyperbolic.geometry import Floats, norm_of_radius
from terrarium.pipelines.hyperbolic.labels import group_labels
from terrarium.reporting.theme import LIGHT, WIDE_PALETTE, new_figure

_NEAR_ROOT = 2


def disk_figure(vectors: pd.DataFrame, rank: str, points: int, groups: int) -> Any:
    """The taxa in the disk, coloured by their ancestor of a rank, names on hover.

    Args:
        vectors: id, name, rank, depth, parent, radius and ball coordinates, in depth-first order.
        rank: whose groups are coloured.
        points: taxa drawn, at most; those within two steps of the root always are.
        groups: how many of the largest groups have a colour.
    """
    tree = Hierarchy.from_parents(vectors["id"], vectors["parent"])
    vectors = vectors.set_index("id").loc[tree.ids].reset_index()
    labels = group_labels(tree, vectors["rank"], rank)
    largest = _largest(labels, groups)
    place, share = project(_directions(vectors), labels, largest)
    x = place * norm_of_radius(vectors["radius"])[:, None]
    figure = new_figure(f"The disk: {len(tree):,} taxa by {rank}; the plane keeps {share:.0%} of their spread", 760)
    figure.add_shape(type="circle", x0=-1, y0=-1, x1=1, y1=1, line={"color": "#555", "width": 1})
    shown = _sample(tree, points)
    colour = np.where(np.isin(labels, largest), labels, -1)
    for group, paint in [(-1, LIGHT), *zip(largest, WIDE_PALETTE * 10, strict=False)]:
        rows = shown[colour[shown] == group]
        name = "other" if group < 0 else str(vectors["name"].iloc[group])
        _points(figure, vectors.iloc[rows], x[rows], name, paint)
    _points(figure, vectors.iloc[:1], x[:1], f"{vectors['name'].iloc[0]} (root)", "#000000", size=11, symbol="x")
    axis = {"visible": False, "range": [-1.03, 1.03]}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis, scaleanchor="x")
    figure.update_layout(legend={"orientation": "v", "x": 1.0, "y": 1.0, "yanchor": "top", "itemsizing": "constant"})
    return figure


def project(directions: Floats, labels: NDArray[np.int32], largest: NDArray[np.int32]) -> tuple[Floats, float]:
    """Unit vectors in the plane that parts the groups most, and the share of the directions' variance it keeps.

    Args:
        directions: (N, d) unit rows.
        labels: (N,) group of each row.
        largest: the groups that count; all rows do where there are fewer than three.
    """
    means = np.array([directions[labels == group].mean(axis=0) for group in largest])
    sample = means if len(largest) > 2 else directions
    middle = sample.mean(axis=0)
    _, _, axes = np.linalg.svd(sample - middle, full_matrices=False)
    flat = (directions - middle) @ axes[:2].T
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    unit = np.divide(flat, length, out=np.tile([1.0, 0.0], (len(flat), 1)), where=length > 1e-12)
    spread = np.square(directions - middle).sum(axis=1).mean()
    return unit, float(np.square(length).mean() / max(spread, 1e-300))


def _directions(vectors: pd.DataFrame) -> Floats:
    columns = [column for column in vectors.columns if column.startswith("x") and column[1:].isdigit()]
    x = vectors[columns].to_numpy(np.float64)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)


def _largest(labels: NDArray[np.int32], groups: int) -> NDArray[np.int32]:
    found, size = np.unique(labels[labels >= 0], return_counts=True)
    largest: NDArray[np.int32] = found[np.argsort(-size, kind="stable")[:groups]]
    return largest


def _sample(tree: Hierarchy, points: int) -> NDArray[np.int64]:
    """Rows near the root, and a seeded sample of the others."""
    near = np.flatnonzero(tree.depth <= _NEAR_ROOT)[:points]
    rest = np.setdiff1d(np.arange(len(tree)), near)
    drawn = np.random.default_rng(0).permutation(rest)[: max(points - len(near), 0)]
    return np.sort(np.concatenate([near, drawn]))


def _points(
    figure: Any, part: pd.DataFrame, x: Floats, name: str, colour: str, size: int = 4, symbol: str = "circle"
) -> None:
    text = part["name"] + "<br>" + part["rank"] + ", depth " + part["depth"].astype("str")
    figure.add_scatter(
        x=np.round(x[:, 0], 4),
        y=np.round(x[:, 1], 4),
        mode="markers",
        name=name,
        text=text,
        hovertemplate="%{text}<extra></extra>",
        marker={"size": size, "color": colour, "symbol": symbol, "opacity": 0.8},
    )
