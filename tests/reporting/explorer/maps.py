"""Small pictures for tests."""

import numpy as np
import pandas as pd

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.hyperbolic.reporting.disk_map import disk_map
from terrarium.reporting.explorer.points import PointMap

BRANCHING, NODES = 3, 121
"""A tree of 81 leaves, four levels below the root: node i has the children 3 i + 1 to 3 i + 3."""


def tree() -> Hierarchy:
    ids = np.arange(NODES)
    return Hierarchy.from_parents(ids, np.where(ids > 0, (ids - 1) // BRANCHING, -1))


def disk(dim: int = 4, max_radius: float = 12.0) -> PointMap:
    """The tree, node i with the name `node i`, and its depth as rank."""
    nodes = tree()
    table = pd.DataFrame({"id": nodes.ids, "name": [f"node {i}" for i in nodes.ids]})
    table["rank"] = [f"rank {depth}" for depth in nodes.depth]
    return disk_map(table, nodes, ray_layout(nodes, dim, max_radius), "a tree")


def plane(count: int = 200) -> PointMap:
    """Random points with names and two columns."""
    rng = np.random.default_rng(0)
    position = rng.uniform(-1.0, 1.0, (count, 2))
    details = pd.DataFrame({"side": np.where(position[:, 0] < 0, "left", "right"), "height": position[:, 1]})

    def neighbours(row: int, k: int):
        away = np.linalg.norm(position - position[row], axis=1)
        rows = np.argsort(away, kind="stable")[1 : k + 1]
        return rows, away[rows]

    return PointMap(
        kind="plane",
        title="a map",
        note="positions are what they are",
        distance="distance",
        names=pd.Series([f"point {i}" for i in range(count)]),
        position=position,
        parent=np.full(count, -1, np.int32),
        weight=np.arange(1, count + 1, dtype=np.float32),
        details=details,
        neighbours=neighbours,
    )
