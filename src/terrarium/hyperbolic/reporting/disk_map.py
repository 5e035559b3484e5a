"""A hyperbolic layout as an interactive disk."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.vectors import coordinates
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import AUTO, choose_disk_rank, group_labels
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.reporting.disk_sample import sample_rows, shown_parents
from terrarium.hyperbolic.use.neighbors import nearest_rows, search_table
from terrarium.reporting.explorer.page import embed_page
from terrarium.reporting.explorer.points import PointMap

_EMBEDDED_NEIGHBOURS = 8
_CROWDED, _LEAST_ROOM = 2.5, 3.0
"""At radius log n, n leaves are pi apart on their circle; drawn at 2.5 less, but not below 3, a node that is in the
middle of the view sees its siblings."""


def disk_map(nodes: pd.DataFrame, tree: Hierarchy, layout: Layout, title: str) -> PointMap:
    """Return the points of a layout in the disk.

    In two dimensions, the picture is the layout. In more, angles follow the hierarchy: a node is in the middle of a
    sector that its leaves share equally. Radii are those of the layout, smaller by one factor where the layout has more
    room than the disk. Neighbours and their distances are always those of the layout.

    Args:
        nodes: N rows in the order of `tree`: id, name, and rank and more, if there are any.
        tree: N nodes.
        layout: N points.
        title: heading.
    """
    position, note = _positions(tree, layout)
    table = search_table(layout)

    def neighbours(row: int, k: int) -> tuple[Int64Array, Float64Array]:
        rows, distances = nearest_rows(table, search_table(_at(layout, np.array([row]))), np.array([row]), k)
        return rows[0], distances[0]

    return PointMap(
        kind="disk",
        title=title,
        note=note,
        distance="hyperbolic distance",
        names=nodes["name"].astype(object).where(nodes["name"].notna(), tree.ids.astype(str)).astype(str),
        position=position,
        parent=tree.parent.astype(np.int32),
        weight=(tree.end - np.arange(len(tree))).astype(np.float32),
        details=_details(nodes, tree, layout),
        neighbours=neighbours,
    )


def embedded_disk(vectors: pd.DataFrame, rank: str, points: int, title: str) -> Markup:
    """Return an interactive disk for a report: the largest inner nodes and some of every group.

    Args:
        vectors: id, name, rank, depth, parent, radius and ball coordinates.
        rank: rank whose groups all have a share in the points; "auto" chooses one.
        points: most points.
        title: heading.
    """
    tree = Hierarchy.from_parents(vectors["id"], vectors["parent"])
    nodes = vectors.set_index("id").loc[tree.ids].reset_index()
    layout = _layout_of(nodes)
    whole = disk_map(nodes[["id", "name", "rank"]], tree, layout, title)
    rank = choose_disk_rank(tree, nodes["rank"]) if rank == AUTO else rank
    rows = sample_rows(tree, group_labels(tree, nodes["rank"], rank), points)
    note = whole.note if len(rows) == len(tree) else f"{len(rows):,} of {len(tree):,} points. {whole.note}"
    part = PointMap(
        kind="disk",
        title=title,
        note=note,
        distance=f"{whole.distance}, among these",
        names=whole.names.iloc[rows].reset_index(drop=True),
        position=whole.position[rows],
        parent=shown_parents(tree, rows).astype(np.int32),
        weight=whole.weight[rows],
        details=whole.details.iloc[rows].reset_index(drop=True),
        neighbours=whole.neighbours,
    )
    table = search_table(_at(layout, rows))
    return embed_page(part, nearest_rows(table, table, np.arange(len(rows)), _EMBEDDED_NEIGHBOURS))


def _positions(tree: Hierarchy, layout: Layout) -> tuple[Float64Array, str]:
    """Return (N, 2) radii and angles, and a sentence on what they keep."""
    if layout.dim == 2:
        angle = np.arctan2(layout.direction[:, 1], layout.direction[:, 0])
        return np.stack([layout.radius, angle], axis=1), "The picture is the layout itself, in its two dimensions."
    rows = np.arange(len(tree))
    leaves = np.concatenate([[0], np.cumsum(tree.end == rows + 1)])
    middle = 0.5 * (leaves[rows] + leaves[tree.end])
    room = max(np.log(leaves[-1]) - _CROWDED, _LEAST_ROOM)
    scale = min(1.0, room / max(float(layout.radius.max()), 1e-9))
    note = (
        f"Angles follow the hierarchy, radii are drawn at {scale:.0%}. The list of nearest points is by the vectors, "
        f"in {layout.dim} dimensions."
    )
    return np.stack([scale * layout.radius, 2.0 * np.pi * middle / leaves[-1]], axis=1), note


def _details(nodes: pd.DataFrame, tree: Hierarchy, layout: Layout) -> pd.DataFrame:
    others = nodes.drop(columns=["id", "name"]).assign(id=tree.ids.astype(str))
    table = others.assign(depth=tree.depth, radius=layout.radius.astype(np.float32))
    if "rank" in nodes:
        rank = choose_disk_rank(tree, nodes["rank"])
        group = group_labels(tree, nodes["rank"], rank)
        names = nodes["name"].astype(object).to_numpy()
        table.insert(0, f"{rank} above", pd.Series(names[group]).where(group >= 0, None))
    return table


def _layout_of(vectors: pd.DataFrame) -> Layout:
    points = coordinates(vectors).astype(np.float64)
    norm = np.linalg.norm(points, axis=1, keepdims=True)
    direction = np.zeros_like(points)
    direction[:, 0] = 1.0
    return Layout(vectors["radius"].to_numpy(np.float64), np.divide(points, norm, out=direction, where=norm > 0.0))


def _at(layout: Layout, rows: Int64Array) -> Layout:
    return Layout(layout.radius[rows], layout.direction[rows])
