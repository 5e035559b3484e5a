"""Embed a list of edges in one call."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
import pandas as pd

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.hyperbolic.use.embedding import HyperbolicEmbedding

ROOT = "(root)"
"""Name of the node that is put above several roots."""


def embed(
    edges: pd.DataFrame | Iterable[tuple[Hashable, Hashable]], dim: int = 10, max_radius: float = 34.0
) -> HyperbolicEmbedding:
    """Embed a hierarchy by the layout of rays, which needs no training.

    Args:
        edges: pairs of a child and its parent, whatever names them; or a table whose first two columns are these.
            Several roots get a common one.
        dim: dimension of the ball, at least 2.
        max_radius: largest hyperbolic radius, at most 34.

    Raises:
        HierarchyError: a cycle, a node that is its own parent, or a pair given twice.
    """
    table = edges.iloc[:, :2] if isinstance(edges, pd.DataFrame) else pd.DataFrame(list(edges))
    codes, names = pd.factorize(table.to_numpy().astype(str).ravel(), sort=True)
    child, parent = codes.reshape(-1, 2).T
    tree = Hierarchy.from_edges(
        child, parent, virtual_root=len(names), several_parents=len(np.unique(child)) < len(child)
    )
    nodes = pd.DataFrame({"id": tree.ids, "name": np.append(names, ROOT)[tree.ids]})
    return HyperbolicEmbedding(nodes, tree, ray_layout(tree, dim, max_radius))
