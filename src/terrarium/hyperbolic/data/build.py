"""Turn a source's table into taxa, edges and the closure (all pairs of ancestor and descendant)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy, HierarchyError
from terrarium.hyperbolic.data.cleaning import find_noise
from terrarium.hyperbolic.data.groups import AUTO, level_of
from terrarium.hyperbolic.options import SourceOptions
from terrarium.sources.errors import SourceError
from terrarium.sources.taxonomies.ncbi_package import RANKS

MAX_ID = "max_tax_id"
"""Attribute of a closure table that holds the largest id kept."""
_SMALLEST_LENGTH = 1e-9
"""Shortest link, relative to the longest distance from the root: shorter ones vanish in rounding."""


class Taxonomy(NamedTuple):
    """One rooted hierarchy as tables.

    Attributes:
        taxa: one row per taxon in depth-first order, the root first: id, name, rank, depth, and key if the source has
            one.
        edges: one row per link in the same order of children, the first parent first: child, parent, and length if
            the source has it.
        cleaning: one row per rule of the noise filter: rule, removed.
    """

    taxa: pd.DataFrame
    edges: pd.DataFrame
    cleaning: pd.DataFrame


def build_taxonomy(table: pd.DataFrame, options: SourceOptions) -> Taxonomy:
    """Check that a table is one hierarchy, apply the depth limit and the noise filter, and sort it depth first.

    Args:
        table: as from `read_source`.
        options: the source's options.

    Raises:
        HierarchyError: the table is not one rooted hierarchy, or a single node is left.
        SourceError: a link is too short to matter.
    """
    _check_roots(table, options.virtual_root)
    tree = Hierarchy.from_parents(
        table["id"],
        table["parent"],
        virtual_root=options.virtual_root,
        several_parents=options.allow_multiple_parents,
    )
    taxa = _describe_taxa(tree, table)
    if options.max_depth is not None:
        keep = tree.depth <= options.max_depth
        tree, taxa = tree.part(keep), taxa[keep]
    keep, cleaning = find_noise(tree, taxa["name"], options.extra_noise)
    if options.clean:
        tree, taxa = tree.part(keep), taxa[keep]
    else:
        cleaning["removed"] = 0
    if len(tree) < 2:
        raise HierarchyError(f"only {taxa['name'].iloc[0]!r} is left, a single node: choose a larger part")
    taxa = taxa.assign(name=taxa["name"].fillna(taxa["id"].astype("str")), depth=tree.depth).reset_index(drop=True)
    edges = edge_table(tree, _links_with_lengths(table, options.virtual_root))
    _check_lengths(tree, edges)
    return Taxonomy(taxa, edges, cleaning)


def check_ranks(taxa: pd.DataFrame, ranks: Sequence[str]) -> None:
    """Refuse ranks that neither NCBI nor the table of taxa knows.

    Args:
        taxa: column rank.
        ranks: ranks to check; "auto" and levels such as "level 2" are always accepted.

    Raises:
        SourceError: naming the first unknown rank and close matches.
    """
    known = set(RANKS) | set(taxa["rank"].unique())
    for rank in ranks:
        if rank not in known and rank != AUTO and level_of(rank) is None:
            close = difflib.get_close_matches(rank, sorted(known), n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(close)}?" if close else f"known are {', '.join(sorted(known))}"
            raise SourceError(f"unknown rank {rank!r}: {hint}")


def hierarchy_of(edges: pd.DataFrame) -> Hierarchy:
    """Return the hierarchy of a table of edges.

    Args:
        edges: columns child and parent (ids), one row per link; the root is no child.
    """
    return Hierarchy.from_edges(edges["child"], edges["parent"], several_parents=not edges["child"].is_unique)


def edge_table(tree: Hierarchy, lengths: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return one row per link, in depth-first order of the children: child, parent, and length if there are lengths.

    Args:
        tree: N nodes.
        lengths: child, parent and length of the links; a link that is missing there gets length 1.
    """
    ids = tree.ids.astype(np.int32)
    child, parent = tree.links()
    edges = pd.DataFrame({"child": ids[child], "parent": ids[parent]})
    if lengths is None or "length" not in lengths:
        return edges
    known = lengths.set_index(["child", "parent"])["length"]
    return edges.assign(length=known.reindex(pd.MultiIndex.from_frame(edges)).fillna(1.0).to_numpy())


def edge_lengths(tree: Hierarchy, edges: pd.DataFrame) -> Float64Array | None:
    """Return the length of the link from each node to its first parent; None if links have no lengths.

    Args:
        tree: N nodes.
        edges: as from `edge_table`.

    Returns:
        (N,) lengths in the unit of the edges, 0 at the root.
    """
    if "length" not in edges:
        return None
    first = edges.drop_duplicates("child")
    lengths = np.zeros(len(tree))
    lengths[tree.rows(first["child"])] = first["length"]
    return lengths


def root_distance(tree: Hierarchy, edges: pd.DataFrame) -> Float64Array | None:
    """Return the length of the path from the root to each node along first parents; None if links have no lengths.

    Args:
        tree: N nodes.
        edges: as from `edge_table`.

    Returns:
        (N,) lengths in the unit of the edges.
    """
    lengths = edge_lengths(tree, edges)
    return None if lengths is None else tree.sum_over_lineage(lengths)


def patristic_distance(
    tree: Hierarchy, root_distance: Float64Array, a: NDArray[np.integer], b: NDArray[np.integer]
) -> Float64Array:
    """Return the length of the path between pairs of nodes: the sum of its branch lengths, along first parents.

    Args:
        tree: N nodes.
        root_distance: (N,) distances from the root; with depths in its place, the result is the number of hops.
        a: (P,) rows.
        b: (P,) rows.

    Returns:
        (P,) lengths.
    """
    lengths: Float64Array = root_distance[a] + root_distance[b] - 2.0 * root_distance[tree.lca(a, b)]
    return lengths


def closure_table(tree: Hierarchy, max_id: int | None = None) -> pd.DataFrame:
    """Return every pair of ancestor and descendant, by descendant, the nearest ancestor first.

    Args:
        tree: N nodes.
        max_id: keep only pairs of ids up to this one; the table's `attrs` remember it.

    Returns:
        Columns ancestor and descendant (ids) and depth_diff.

    Raises:
        SourceError: no pair is left.
    """
    ancestor, descendant, difference = tree.closure()
    ids = tree.ids.astype(np.int32)
    table = pd.DataFrame({"ancestor": ids[ancestor], "descendant": ids[descendant], "depth_diff": difference})
    if max_id is None:
        return table
    table = table[(table["ancestor"] <= max_id) & (table["descendant"] <= max_id)].reset_index(drop=True)
    if table.empty:
        raise SourceError(f"source.legacy.max_tax_id {max_id} leaves no pair of the tree: raise it or set it to null")
    table.attrs[MAX_ID] = max_id
    return table


def _check_roots(table: pd.DataFrame, virtual_root: int | None) -> None:
    """Refuse several roots of a source that identifies nodes by text; the message has their texts."""
    roots = table.loc[table["parent"] < 0].drop_duplicates("id")
    if virtual_root is not None or "key" not in table or len(roots) < 2:
        return
    named = ", ".join(roots["key"].head(5)) + (", …" if len(roots) > 5 else "")
    raise HierarchyError(
        f"{len(roots)} roots ({named}): there must be one; set source.clade to one of them, or source.virtual_root to "
        "an unused id to join them"
    )


def _describe_taxa(tree: Hierarchy, table: pd.DataFrame) -> pd.DataFrame:
    """Return id, name and rank in the order of the tree's rows; a virtual root has no name."""
    described = table.drop_duplicates("id").set_index("id").reindex(tree.ids)
    taxa = pd.DataFrame(
        {
            "id": tree.ids.astype(np.int32),
            "name": described["name"].to_numpy(),
            "rank": described["rank"].astype("str").fillna("no rank").to_numpy(),
        }
    )
    return taxa.assign(key=described["key"].to_numpy()) if "key" in described else taxa


def _links_with_lengths(table: pd.DataFrame, virtual_root: int | None) -> pd.DataFrame:
    """Return the source's links; a length that a root has is that of its link to the virtual root."""
    links = table.rename(columns={"id": "child"})
    if virtual_root is None or "length" not in links:
        return links
    links = links[(links["parent"] >= 0) | links["length"].notna()]
    return links.assign(parent=links["parent"].where(links["parent"] >= 0, virtual_root))


def _check_lengths(tree: Hierarchy, edges: pd.DataFrame) -> None:
    """Refuse a length that would vanish in the rounding of the distances from the root."""
    distance = root_distance(tree, edges)
    if distance is None or edges["length"].min() >= _SMALLEST_LENGTH * distance.max():
        return
    link = edges.iloc[int(edges["length"].argmin())]
    raise SourceError(
        f"the link of {link['child']:.0f} to {link['parent']:.0f} has length {link['length']:g}, which is lost in "
        f"rounding next to a distance of {distance.max():g} from the root: raise it or join the two nodes"
    )
