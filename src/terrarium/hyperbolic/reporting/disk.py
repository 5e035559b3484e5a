"""The Poincaré disk: a picture of d dimensions in two, with inner nodes, edges and the names of the groups.

Every taxon is drawn at its hyperbolic radius, or, in layouts that reach farther out than a picture can show, at a fixed
fraction of it. Its angle comes from `disk_angles`, so groups that are mixed in the ball are mixed in the picture. The
caption says how much of the neighbourhoods and distances the picture keeps.
"""

from __future__ import annotations

from html import escape
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from terrarium.common.arrays import BoolArray, Float64Array, Int32Array, Int64Array
from terrarium.common.vectors import coordinates
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import AUTO, choose_disk_rank, group_labels
from terrarium.hyperbolic.geometry.ball import norm_of_radius
from terrarium.hyperbolic.reporting.disk_angles import NEIGHBOURS, Faithfulness, circular_order, faithfulness
from terrarium.hyperbolic.reporting.disk_sample import sample_rows, shown_parents
from terrarium.reporting.theme import WIDE_PALETTE, new_figure

VISIBLE_RADIUS = 4.0
"""Larger radii cannot be told from the rim (norm 0.964), so a layout that exceeds this one is drawn smaller."""
_ARCS = 1500
_ARC_STEPS = 8
_UNCOLOURED = "#C4C4C4"
_LEAF_SIZE, _LARGE_LEAF_SIZE, _FEW = 3.0, 6.0, 500
"""Size of a leaf's marker, and of one in a picture of fewer than 500 taxa."""
_NAME_RADIUS, _NAME_GAP = 1.04, 0.1
"""Radius of the names around the disk, and the smallest angle between two of them."""


def disk_figure(vectors: pd.DataFrame, rank: str, points: int, groups: int) -> Any:
    """Draw the taxa in the disk, coloured by their ancestor of a rank, with names on hover.

    Args:
        vectors: id, name, rank, depth, parent, radius and ball coordinates.
        rank: rank whose groups are coloured, as for `group_labels`; "auto" chooses one.
        points: most taxa to draw; inner nodes with large subtrees come first, then some of every group.
        groups: number of the largest groups that get a colour and a name.
    """
    tree = Hierarchy.from_parents(vectors["id"], vectors["parent"])
    if not np.array_equal(vectors["id"], tree.ids):
        vectors = vectors.set_index("id").loc[tree.ids].reset_index()
    rank = choose_disk_rank(tree, vectors["rank"]) if rank == AUTO else rank
    labels = group_labels(tree, vectors["rank"], rank)
    largest = _largest(labels, groups)
    shown = sample_rows(tree, labels, points)
    taxa, group = vectors.iloc[shown], np.where(np.isin(labels[shown], largest), labels[shown], -1)
    direction, radius = _directions(taxa), taxa["radius"].to_numpy(np.float64)
    angle = circular_order(direction)
    zoom = min(1.0, VISIBLE_RADIUS / max(float(vectors["radius"].max()), 1e-9))
    points_ = _Points(
        taxa=taxa,
        position=norm_of_radius(zoom * radius)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1),
        size=(_LEAF_SIZE if len(shown) > _FEW else _LARGE_LEAF_SIZE)
        + 1.6 * np.log10(np.maximum(tree.end - np.arange(len(tree)), 1))[shown],
    )
    caption = _caption(len(tree), rank, zoom, faithfulness(direction, radius, angle), len(shown))
    figure = new_figure(caption, 860)
    figure.add_shape(type="circle", x0=-1, y0=-1, x1=1, y1=1, line={"color": "#888", "width": 1}, layer="below")
    _draw_arcs(figure, tree, shown, points_.position)
    for colour, row in [
        (_UNCOLOURED, -1),
        *zip(WIDE_PALETTE * (1 + groups // len(WIDE_PALETTE)), largest, strict=False),
    ]:
        is_member = group == row
        name = _uncoloured_name(rank, len(largest)) if row < 0 else str(vectors["name"].iloc[row])
        _draw_points(figure, points_.part(is_member), name, colour)
        if row >= 0 and is_member.any():
            figure.add_annotation(**_name_of_group(name, angle[is_member], colour))
    _spread_names(figure)
    root = points_.part(np.arange(len(shown)) == 0)
    _draw_points(figure, root._replace(size=np.array([11.0])), f"{taxa['name'].iloc[0]} (root)", "#666666", symbol="x")
    axis = {"visible": False, "constrain": "domain"}
    figure.update_xaxes(range=[-1.5, 1.5], **axis)
    figure.update_yaxes(range=[-1.08, 1.08], scaleanchor="x", **axis)
    figure.update_layout(
        legend={"orientation": "h", "y": -0.01, "yanchor": "top", "itemsizing": "constant"},
        margin={"l": 10, "r": 10, "t": 90, "b": 90},
        hovermode="closest",
    )
    return figure


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


class _Points(NamedTuple):
    """Drawn taxa: their rows of the table, (n, 2) positions in the disk, and (n,) sizes of the markers."""

    taxa: pd.DataFrame
    position: Float64Array
    size: Float64Array

    def part(self, chosen: BoolArray) -> _Points:
        """Return some of the taxa."""
        return _Points(self.taxa[chosen], self.position[chosen], self.size[chosen])


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


def _caption(taxa: int, rank: str, zoom: float, kept: Faithfulness, shown: int) -> str:
    what = f"{taxa:,} taxa" if shown == taxa else f"{shown:,} of {taxa:,} taxa"
    radii = "radii exactly" if zoom == 1.0 else f"radii, drawn at {zoom:.0%}"
    title = f"The disk: {what}, coloured by {escape(rank)}"
    if np.isnan(kept.neighbours):
        return title
    neighbours = f"{kept.neighbours:.0%} of each taxon's {NEIGHBOURS} nearest taxa"
    return f"{title}<br><sub>kept: {radii}; {neighbours}; distances with r = {kept.distances:.2f}</sub>"


def _uncoloured_name(rank: str, coloured: int) -> str:
    return f"other or no {rank}" if coloured else f"no {rank}"


def _draw_arcs(figure: Any, tree: Hierarchy, shown: Int64Array, position: Float64Array) -> None:
    """Draw each inner node's way to its nearest drawn ancestor as a geodesic, in one faint line; the largest first."""
    parent, size = shown_parents(tree, shown), (tree.end - np.arange(len(tree)))[shown]
    lower = np.flatnonzero((parent >= 0) & (size > 1))
    if len(lower) < _ARCS:
        lower = np.concatenate([lower, np.flatnonzero((parent >= 0) & (size == 1))])
    lower = lower[np.argsort(-size[lower], kind="stable")[:_ARCS]]
    if not len(lower):
        return
    curves = geodesic(position[parent[lower]], position[lower])
    broken = np.concatenate([np.round(curves, 4), np.full((len(lower), 1, 2), np.nan)], axis=1).reshape(-1, 2)
    figure.add_scatter(
        x=broken[:, 0],
        y=broken[:, 1],
        mode="lines",
        name="edges",
        line={"color": "#888", "width": 0.7},
        opacity=0.45,
        hoverinfo="skip",
    )


def _draw_points(figure: Any, part: _Points, name: str, colour: str, symbol: str = "circle") -> None:
    hover = [
        f"{escape(str(taxon))}<br>{escape(str(rank))}, depth {depth}"
        for taxon, rank, depth in zip(part.taxa["name"], part.taxa["rank"], part.taxa["depth"], strict=True)
    ]
    figure.add_scatter(
        x=np.round(part.position[:, 0], 4),
        y=np.round(part.position[:, 1], 4),
        mode="markers",
        name=escape(name),
        text=hover,
        hovertemplate="%{text}<extra></extra>",
        marker={
            "size": np.round(part.size, 1),
            "color": colour,
            "symbol": symbol,
            "opacity": 0.85,
            "line": {"width": 0},
        },
    )


def _name_of_group(name: str, angle: Float64Array, colour: str) -> dict[str, Any]:
    """Return an annotation outside the disk at the mean angle of a group; `_spread_names` moves it to its side."""
    mean = float(np.angle(np.exp(1j * angle).mean()))
    return {
        "text": escape(name),
        "showarrow": False,
        "x": np.cos(mean),
        "y": np.sin(mean),
        "font": {"color": colour, "size": 13},
    }


def _spread_names(figure: Any) -> None:
    """Put the names around the disk so that on each side none covers another."""
    for side, anchor in ((1.0, "left"), (-1.0, "right")):
        names = sorted((n for n in figure.layout.annotations if n.x * side >= 0.0), key=lambda n: n.y)
        height = np.array([np.arcsin(n.y / np.hypot(n.x, n.y)) for n in names])
        for i in range(1, len(height)):
            height[i] = max(height[i], height[i - 1] + _NAME_GAP)
        for i in range(len(height) - 2, -1, -1):
            height[-1] = min(height[-1], np.pi / 2)
            height[i] = min(height[i], height[i + 1] - _NAME_GAP)
        for annotation, turn in zip(names, height, strict=True):
            x, y = _NAME_RADIUS * np.cos(turn), _NAME_RADIUS * np.sin(turn)
            annotation.update(x=round(float(side * x), 4), y=round(float(y), 4), xanchor=anchor, yanchor="middle")
