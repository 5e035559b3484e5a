"""One taxon worked out for the report: its nearest neighbours, and its ancestors with their distances."""

from __future__ import annotations

import difflib
from typing import NamedTuple

import numpy as np
import pandas as pd

from terrarium.common.arrays import BoolArray
from terrarium.common.vectors import coordinates
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import AUTO, NO_RANKS
from terrarium.hyperbolic.geometry.ball import detour, distance

NEIGHBOURS = 10
_MIN_SIBLINGS = 2


class Example(NamedTuple):
    """A taxon and its surroundings.

    Attributes:
        name: its name.
        rank: its rank.
        neighbours: name, rank, distance, hops and common_ancestor of the nearest taxa, nearest first.
        ancestors: name, rank, hops, distance, detour and position of the ancestors, the parent first; position is
            that of the ancestor when all other taxa are sorted by detour.
    """

    name: str
    rank: str
    neighbours: pd.DataFrame
    ancestors: pd.DataFrame


def work_out_example(vectors: pd.DataFrame, chosen: str | int) -> Example:
    """Work out one taxon.

    Args:
        vectors: id, name, rank, parent, radius and ball coordinates, in any order.
        chosen: name or id of the taxon; "auto" chooses a species.

    Raises:
        ValueError: no taxon has this name or id.
    """
    tree = Hierarchy.from_parents(vectors["id"], vectors["parent"])
    table = vectors.set_index("id").loc[tree.ids].reset_index()
    row = choose_example(tree, table) if chosen == AUTO else find_taxon(table, chosen)
    x = coordinates(table)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    direction = np.divide(x, norm, out=np.zeros_like(x), where=norm > 0.0)
    radius = table["radius"].to_numpy(np.float64)
    apart = distance(radius[row], direction[row], radius, direction)
    apart[row] = np.inf
    nearest = np.argsort(apart, kind="stable")[: min(NEIGHBOURS, len(tree) - 1)]
    line = tree.ancestors(row).astype(np.int64)
    detours = detour(radius[row], direction[row], radius, direction)
    detours[row] = np.inf
    name, rank = table["name"].astype(str).to_numpy(), table["rank"].astype(str).to_numpy()
    return Example(
        name=name[row],
        rank=rank[row],
        neighbours=pd.DataFrame(
            {
                "name": name[nearest],
                "rank": rank[nearest],
                "distance": apart[nearest],
                "hops": tree.hops(np.full(len(nearest), row), nearest),
                "common_ancestor": name[tree.lca(np.full(len(nearest), row), nearest)],
            }
        ),
        ancestors=pd.DataFrame(
            {
                "name": name[line],
                "rank": rank[line],
                "hops": tree.depth[row] - tree.depth[line],
                "distance": apart[line],
                "detour": np.maximum(detours[line], 0.0),
                "position": [1 + int((detours < detours[v]).sum()) for v in line],
            }
        ),
    )


def choose_example(tree: Hierarchy, table: pd.DataFrame) -> int:
    """Return the row of a well-known species with relatives: that with the lowest id.

    NCBI gave low ids to the organisms that were studied first. Species with a proper name of two words below a parent
    with a rank and two siblings come into question first, so none that is unclassified; then other species and leaves.

    Args:
        tree: N nodes.
        table: name and rank of each row.
    """
    children = np.bincount(tree.parent[1:], minlength=len(tree))
    siblings = np.where(tree.parent >= 0, children[tree.parent], 0) - 1
    is_named = table["name"].astype(str).str.fullmatch(r"[A-Z][a-z]+ [a-z-]+").to_numpy(bool)
    is_species = (table["rank"] == "species").to_numpy(bool) & is_named
    has_rank = ~table["rank"].astype(str).isin(NO_RANKS).to_numpy(bool)
    is_classified = has_rank[np.maximum(tree.parent, 0)]
    is_leaf = children == 0
    candidates: tuple[BoolArray, ...] = (
        is_species & is_classified & (siblings >= _MIN_SIBLINGS),
        is_species & is_classified,
        is_species,
        is_leaf & (siblings >= _MIN_SIBLINGS),
        is_leaf & (tree.depth == tree.max_depth),
    )
    rows = next(np.flatnonzero(chosen) for chosen in candidates if chosen.any())
    return int(rows[np.argmin(tree.ids[rows])])


def find_taxon(table: pd.DataFrame, chosen: str | int) -> int:
    """Return the row of a taxon by name or id.

    Args:
        table: id and name of each row.
        chosen: name or id.

    Raises:
        ValueError: no taxon has this name or id.
    """
    text = str(chosen)
    hits = table["name"].astype(str) == text
    if text.isdigit() and not hits.any():
        hits = table["id"] == int(text)
    if not hits.any():
        close = difflib.get_close_matches(text, table["name"].astype(str).unique(), n=3)
        hint = f": did you mean {', '.join(close)}?" if close else ""
        raise ValueError(f"reporting.example: no taxon {text!r} in the vectors{hint}")
    return int(np.argmax(hits.to_numpy()))
