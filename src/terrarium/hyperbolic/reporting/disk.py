"""The Poincaré disk: a picture of d dimensions in two.

Every taxon keeps its hyperbolic radius exactly. Its angle comes from a circular order of the directions in which
neighbours are similar: Ward clustering of a sample of directions (landmarks), with its leaves in the order of the
shortest tour (Bar-Joseph, Gifford and Jaakkola 2001); every other taxon is at its nearest landmark. The order depends
on the vectors alone, never on names or groups, so groups that are mixed in the ball are mixed in the picture. A
projection on two principal components keeps large distances somewhat better and small ones much worse; the caption says
how much of both is kept.
"""

from __future__ import annotations

from html import escape
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array, Int32Array, Int64Array
from terrarium.common.vectors import coordinates
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import group_labels
from terrarium.hyperbolic.geometry.ball import norm_of_radius
from terrarium.reporting.theme import LIGHT, WIDE_PALETTE, new_figure

_NEAR_ROOT = 2
_ARCS = 400
_ARC_STEPS = 12
_LANDMARKS = 800
_NEIGHBOURS = 10
_CHECKED = 500


def disk_figure(vectors: pd.DataFrame, rank: str, points: int, groups: int) -> Any:
    """Draw the taxa in the disk, coloured by their ancestor of a rank, with names on hover.

    Args:
        vectors: id, name, rank, depth, parent, radius and ball coordinates.
        rank: rank whose groups are coloured.
        points: most taxa to draw; those up to depth 2 come first, then some of every group.
        groups: number of the largest groups that get a colour of their own.
    """
    tree = Hierarchy.from_parents(vectors["id"], vectors["parent"])
    if not np.array_equal(vectors["id"], tree.ids):
        vectors = vectors.set_index("id").loc[tree.ids].reset_index()
    labels = group_labels(tree, vectors["rank"], rank)
    largest = _largest(labels, groups)
    shown = sample_rows(tree, labels, points)
    taxa, group = vectors.iloc[shown], np.where(np.isin(labels[shown], largest), labels[shown], -1)
    direction, radius = _directions(taxa), taxa["radius"].to_numpy(np.float64)
    angle = circular_order(direction)
    kept = faithfulness(direction, radius, angle)
    position = norm_of_radius(radius)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    figure = new_figure(_caption(len(tree), len(shown), rank, kept), 800)
    figure.add_shape(type="circle", x0=-1, y0=-1, x1=1, y1=1, line={"color": "#888", "width": 1}, layer="below")
    _draw_arcs(figure, tree, shown, position)
    for colour, row in [(LIGHT, -1), *zip(WIDE_PALETTE * (1 + groups // len(WIDE_PALETTE)), largest, strict=False)]:
        is_member = group == row
        name = _uncoloured_name(rank, len(largest)) if row < 0 else str(vectors["name"].iloc[row])
        _draw_points(figure, taxa[is_member], position[is_member], name, colour)
    _draw_points(figure, taxa[:1], position[:1], f"{taxa['name'].iloc[0]} (root)", "#666666", size=11, symbol="x")
    axis = {"visible": False, "range": [-1.02, 1.02]}
    figure.update_xaxes(**axis, constrain="domain")
    figure.update_yaxes(**axis, scaleanchor="x", constrain="domain")
    figure.update_layout(
        legend={"orientation": "h", "y": -0.01, "yanchor": "top", "itemsizing": "constant"},
        margin={"l": 10, "r": 10, "t": 90, "b": 90},
        hovermode="closest",
    )
    return figure


def circular_order(direction: Float64Array, landmarks: int = _LANDMARKS) -> Float64Array:
    """Return angles such that taxa with similar directions are neighbours on the circle.

    Args:
        direction: (N, d) unit rows.
        landmarks: number of directions that are ordered; the others go to the nearest of these.

    Returns:
        (N,) angles in [0, 2 pi).
    """
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial import cKDTree
    from scipy.spatial.distance import pdist

    different = np.unique(direction, axis=0)
    if len(different) < 3:
        return np.pi * (direction @ different[0] < 0.0).astype(np.float64)
    chosen = different[np.random.default_rng(0).permutation(len(different))[:landmarks]]
    gap = pdist(chosen)
    chosen = chosen[leaves_list(optimal_leaf_ordering(linkage(chosen, "ward"), gap))]
    _, nearest = cKDTree(chosen).query(direction)
    before, after = (np.linalg.norm(direction - chosen[(nearest + k) % len(chosen)], axis=1) for k in (-1, 1))
    lean = 0.5 * (before - after) / np.maximum(before + after, 1e-300)
    angle: Float64Array = np.mod((nearest + lean) * (2.0 * np.pi / len(chosen)), 2.0 * np.pi)
    return angle


class Faithfulness(NamedTuple):
    """What the picture keeps of the ball.

    Attributes:
        neighbours: mean share of a taxon's 10 nearest in the ball that are among its 10 nearest in the disk.
        distances: Pearson's correlation of the distances in the ball and in the disk.
    """

    neighbours: float
    distances: float


def faithfulness(direction: Float64Array, radius: Float64Array, angle: Float64Array) -> Faithfulness:
    """Measure what the picture keeps, over at most 500 taxa; NaN where it is undefined.

    Args:
        direction: (N, d) unit rows.
        radius: (N,) hyperbolic radii.
        angle: (N,) angles in the picture.
    """
    count = len(radius)
    flat = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    queries = np.random.default_rng(0).permutation(count)[:_CHECKED]
    true, drawn = (_distances(rows, radius, queries) for rows in (direction, flat))
    others = np.arange(count)[None, :] != queries[:, None]
    pairs = np.stack([true[others], drawn[others]])
    if count < 3 or (pairs.std(axis=1) == 0.0).any():
        return Faithfulness(float("nan"), float("nan"))
    nearest = min(_NEIGHBOURS, count - 1)
    first, second = (
        np.argpartition(np.where(others, d, np.inf), nearest - 1, axis=1)[:, :nearest] for d in (true, drawn)
    )
    kept = (first[:, :, None] == second[:, None, :]).any(axis=2).mean()
    return Faithfulness(float(kept), float(np.corrcoef(pairs)[0, 1]))


def sample_rows(tree: Hierarchy, labels: Int32Array, points: int) -> Int64Array:
    """Return the rows to draw, ascending: those near the root, some of every group, then random ones.

    Args:
        tree: N nodes.
        labels: (N,) group of each row, -1 outside all groups.
        points: most rows to return.
    """
    shuffled = np.random.default_rng(0).permutation(len(tree))
    earlier = _within_group(labels[shuffled])
    groups = max(len(np.unique(labels)), 1)
    urgency = np.where(earlier < max(points // (4 * groups), 1), 1, 2)
    urgency[tree.depth[shuffled] <= _NEAR_ROOT] = 0
    urgency[shuffled == 0] = -1
    rows: Int64Array = np.sort(shuffled[np.argsort(urgency, kind="stable")[:points]])
    return rows


def geodesic(a: Float64Array, b: Float64Array, steps: int = _ARC_STEPS) -> Float64Array:
    """Return points on the hyperbolic segments from a to b.

    Moves a to the origin, where the segment is straight, and back: z -> (z + a) / (1 + conj(a) z).

    Args:
        a: (P, 2) points inside the unit disk.
        b: (P, 2) points inside the unit disk.
        steps: number of points on each segment.

    Returns:
        (P, steps, 2) points.
    """
    start, stop = (p[:, 0] + 1j * p[:, 1] for p in (a, b))
    end = (stop - start) / (1.0 - np.conj(start) * stop)
    length = np.arctanh(np.minimum(np.abs(end), 1.0 - 1e-12))
    unit = np.divide(end, np.abs(end), out=np.zeros_like(end), where=np.abs(end) > 0.0)
    z = np.tanh(length[:, None] * np.linspace(0.0, 1.0, steps)) * unit[:, None]
    z = (z + start[:, None]) / (1.0 + np.conj(start)[:, None] * z)
    return np.stack([z.real, z.imag], axis=-1)


def _distances(direction: Float64Array, radius: Float64Array, queries: Int64Array) -> Float64Array:
    """Return (Q, N) hyperbolic distances; 1 - cos(angle) by a matrix product, which is exact enough for a picture."""
    apart = np.maximum(1.0 - direction[queries] @ direction.T, 0.0)
    near = 2.0 * np.square(np.sinh((radius[queries][:, None] - radius) / 2.0))
    distances: Float64Array = 2.0 * np.arcsinh(
        np.sqrt((near + np.sinh(radius[queries])[:, None] * np.sinh(radius) * apart) / 2.0)
    )
    return distances


def _within_group(labels: Int32Array) -> Int64Array:
    """Return (N,) number of earlier rows with the same label."""
    order = np.argsort(labels, kind="stable")
    _, first, size = np.unique(labels[order], return_index=True, return_counts=True)
    earlier = np.empty(len(labels), np.int64)
    earlier[order] = np.arange(len(labels)) - np.repeat(first, size)
    return earlier


def _directions(vectors: pd.DataFrame) -> Float64Array:
    """Return (N, d) unit rows; a taxon at the origin gets the first axis."""
    x = coordinates(vectors).astype(np.float64)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    direction = np.zeros_like(x)
    direction[:, 0] = 1.0
    return np.divide(x, norm, out=direction, where=norm > 0.0)


def _largest(labels: Int32Array, groups: int) -> Int32Array:
    group, size = np.unique(labels[labels >= 0], return_counts=True)
    largest: Int32Array = group[np.argsort(-size, kind="stable")[:groups]]
    return largest


def _caption(taxa: int, shown: int, rank: str, kept: Faithfulness) -> str:
    what = f"{taxa:,} taxa" if shown == taxa else f"{shown:,} of {taxa:,} taxa"
    title = f"The disk: {what}, coloured by {escape(rank)}"
    if np.isnan(kept.neighbours):
        return title
    neighbours = f"{kept.neighbours:.0%} of each taxon's {_NEIGHBOURS} nearest taxa"
    return f"{title}<br><sub>kept: radii exactly; {neighbours}; distances with r = {kept.distances:.2f}</sub>"


def _uncoloured_name(rank: str, coloured: int) -> str:
    return f"other or no {rank}" if coloured else f"no {rank}"


def _draw_arcs(figure: Any, tree: Hierarchy, shown: Int64Array, position: Float64Array) -> None:
    """Draw the edges of the upper levels as geodesics, in one faint line trace."""
    row_of = np.full(len(tree), -1, np.int64)
    row_of[shown] = np.arange(len(shown))
    depth = _arc_depth(tree)
    lower = shown[(tree.depth[shown] >= 1) & (tree.depth[shown] <= depth)]
    lower = lower[row_of[tree.parent[lower]] >= 0]
    if not len(lower):
        return
    curves = geodesic(position[row_of[tree.parent[lower]]], position[row_of[lower]])
    broken = np.concatenate([np.round(curves, 4), np.full((len(lower), 1, 2), np.nan)], axis=1).reshape(-1, 2)
    figure.add_scatter(
        x=broken[:, 0],
        y=broken[:, 1],
        mode="lines",
        name=f"edges down to depth {depth}",
        line={"color": "#888", "width": 0.8},
        opacity=0.5,
        hoverinfo="skip",
    )


def _arc_depth(tree: Hierarchy) -> int:
    """Return the deepest level down to which there are at most 400 edges."""
    return int(np.searchsorted(np.cumsum(np.bincount(tree.depth)) - 1, _ARCS, side="right")) - 1


def _draw_points(
    figure: Any,
    part: pd.DataFrame,
    position: Float64Array,
    name: str,
    colour: str,
    size: int = 4,
    symbol: str = "circle",
) -> None:
    hover = [
        f"{escape(str(taxon))}<br>{escape(str(rank))}, depth {depth}"
        for taxon, rank, depth in zip(part["name"], part["rank"], part["depth"], strict=True)
    ]
    figure.add_scatter(
        x=np.round(position[:, 0], 4),
        y=np.round(position[:, 1], 4),
        mode="markers",
        name=escape(name),
        text=hover,
        hovertemplate="%{text}<extra></extra>",
        marker={"size": size, "color": colour, "symbol": symbol, "opacity": 0.85},
    )
