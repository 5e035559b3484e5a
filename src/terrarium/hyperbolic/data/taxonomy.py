"""From the source's table to taxa, edges and closure."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.hierarchy import Hierarchy, HierarchyError
from terrarium.hyperbolic.data.cleaning import clean
from terrarium.hyperbolic.geometry.ball import Floats
from terrarium.hyperbolic.options import SourceOptions
from terrarium.sources.errors import SourceError
from terrarium.sources.taxonomies.ncbi_package import RANKS, NcbiPackage
from terrarium.sources.taxonomies.obo import read_obo
from terrarium.sources.taxonomies.table import read_table
from terrarium.sources.taxonomies.taxdump import ARCHIVES, is_address, read_taxdump
from terrarium.sources.wordnet import find_wordnet, read_hypernyms


def read(options: SourceOptions) -> pd.DataFrame:
    """The chosen part of the source: id, parent (-1 at the topmost), name, rank, a row a node or link."""
    table = _whole_table(options)
    if table is not None:
        match options.select:
            case "clade":
                return _clade(table, options.clade)
            case "lowest_taxids":
                return _lowest(table, options.count)
        return table
    package = NcbiPackage()
    match options.select:
        case "clade":
            return package.clade(options.clade, options.max_depth)
        case "lowest_taxids":
            return package.lowest_taxids(options.count)
    return package.all()


def _whole_table(options: SourceOptions) -> pd.DataFrame | None:
    """Everything that the source holds; None for the package, which reads parts by itself."""
    path, kind = options.path, source_kind(options)
    if kind.startswith("wordnet"):
        return read_hypernyms(find_wordnet(path), "v" if kind == "wordnet_verbs" else "n")
    if path is None:
        if kind != "package":
            raise SourceError(f"source.kind {kind} needs source.path: set it to the file")
        return None
    match kind:
        case "taxdump":
            return read_taxdump(path, download_folder())
        case "obo":
            return read_obo(path)
        case "table":
            return read_table(path)
    raise SourceError("source.kind package reads no file: set source.path to null, or source.kind to auto")


def source_kind(options: SourceOptions) -> str:
    """What kind of source it is; of `auto` what the path says."""
    if options.kind != "auto":
        return options.kind
    if options.path is None:
        return "package"
    name = options.path.lower()
    if name.endswith((".obo", ".obo.gz")):
        return "obo"
    if is_address(options.path) or name.endswith(ARCHIVES) or Path(options.path).is_dir():
        return "taxdump"
    return "table"


def download_folder() -> Path:
    """Where downloads are kept: terrarium in the user's folder of caches."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "terrarium"


def build(table: pd.DataFrame, options: SourceOptions) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Taxa, edges and what the noise filter removed.

    Returns:
        taxa: id, name, rank, depth, and key if the source has one; a row a taxon in depth-first order, the root first.
        edges: child, parent, and length if the source has it; a row a link, in the same order; of several parents the
            first parent first.
        cleaning: rule, removed.

    Raises:
        HierarchyError: when the table is not one tree, or a single node is left.
    """
    tree = Hierarchy.from_parents(
        table["id"],
        table["parent"],
        virtual_root=options.virtual_root,
        several_parents=options.allow_multiple_parents,
    )
    taxa = _describe(tree, table)
    if options.max_depth is not None:
        keep = tree.depth <= options.max_depth
        tree, taxa = tree.part(keep), taxa[keep]
    keep, cleaning = clean(tree, taxa["name"], options.extra_noise)
    if options.clean:
        tree, taxa = tree.part(keep), taxa[keep]
    else:
        cleaning["removed"] = 0
    if len(tree) < 2:
        raise HierarchyError(f"only {taxa['name'].iloc[0]!r} is left, a single node: choose a larger part")
    taxa = taxa.assign(name=taxa["name"].fillna(taxa["id"].astype("str")), depth=tree.depth).reset_index(drop=True)
    edges = edge_table(tree, _lengths(table, options.virtual_root))
    _check_lengths(tree, edges)
    return taxa, edges, cleaning


def edge_table(tree: Hierarchy, lengths: pd.DataFrame | None = None) -> pd.DataFrame:
    """child, parent, and length where there are lengths: a row a link, in depth-first order of the children.

    Args:
        tree: N nodes.
        lengths: child, parent, length of at least its links; a link that is missing there has length 1.
    """
    ids = tree.ids.astype(np.int32)
    child, parent = tree.links()
    edges = pd.DataFrame({"child": ids[child], "parent": ids[parent]})
    if lengths is None or "length" not in lengths:
        return edges
    known = lengths.set_index(["child", "parent"])["length"]
    return edges.assign(length=known.reindex(pd.MultiIndex.from_frame(edges)).fillna(1.0).to_numpy())


def _lengths(table: pd.DataFrame, virtual_root: int | None) -> pd.DataFrame:
    """The source's links; the topmost nodes' own lengths, where they have them, are those up to a virtual root."""
    links = table.rename(columns={"id": "child"})
    if virtual_root is None or "length" not in links:
        return links
    links = links[(links["parent"] >= 0) | links["length"].notna()]
    return links.assign(parent=links["parent"].where(links["parent"] >= 0, virtual_root))


def _check_lengths(tree: Hierarchy, edges: pd.DataFrame) -> None:
    """Refuse a length that would vanish in the rounding of the ways from the root."""
    way = way_of(tree, edges)
    if way is None or edges["length"].min() >= _LEAST_LENGTH * way.max():
        return
    link = edges.iloc[int(edges["length"].argmin())]
    raise SourceError(
        f"the link of {link['child']:.0f} to {link['parent']:.0f} has length {link['length']:g}, which vanishes beside "
        f"ways of {way.max():g}: raise it or join the two nodes"
    )


def way_of(tree: Hierarchy, edges: pd.DataFrame) -> Floats | None:
    """(N,) length of the way from the root to each node by first parents; None where links have no lengths."""
    if "length" not in edges:
        return None
    first = edges.drop_duplicates("child")
    way = np.zeros(len(tree))
    way[tree.rows(first["child"])] = first["length"]
    order, start = tree.levels()
    for depth in range(2, tree.max_depth + 1):
        rows = order[start[depth] : start[depth + 1]]
        way[rows] += way[tree.parent[rows]]
    return way


def tree_of(edges: pd.DataFrame) -> Hierarchy:
    """The hierarchy of a table of edges."""
    return Hierarchy.from_edges(edges["child"], edges["parent"], several_parents=not edges["child"].is_unique)


CUT = "max_tax_id"
_LEAST_LENGTH = 1e-9


def closure_table(tree: Hierarchy, cut: int | None = None) -> pd.DataFrame:
    """ancestor, descendant (ids), depth_diff: every pair, by descendant, nearest ancestor first.

    Args:
        tree: N nodes.
        cut: keep the pairs whose two ids are not above it; the table remembers it in `attrs`.

    Raises:
        SourceError: no pair is left.
    """
    ancestor, descendant, difference = tree.closure()
    ids = tree.ids.astype(np.int32)
    table = pd.DataFrame({"ancestor": ids[ancestor], "descendant": ids[descendant], "depth_diff": difference})
    if cut is None:
        return table
    table = table[(table["ancestor"] <= cut) & (table["descendant"] <= cut)].reset_index(drop=True)
    if table.empty:
        raise SourceError(f"source.legacy.max_tax_id {cut} leaves no pair of the tree: raise it or set it to null")
    table.attrs[CUT] = cut
    return table


def check_ranks(taxa: pd.DataFrame, ranks: Sequence[str]) -> None:
    """Refuse a rank that neither NCBI nor the table knows."""
    known = set(RANKS) | set(taxa["rank"].unique())
    for rank in ranks:
        if rank not in known:
            close = difflib.get_close_matches(rank, sorted(known), n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(close)}?" if close else f"known are {', '.join(sorted(known))}"
            raise SourceError(f"unknown rank {rank!r}: {hint}")


def _describe(tree: Hierarchy, table: pd.DataFrame) -> pd.DataFrame:
    """id, name, rank in row order; a virtual root is nameless."""
    described = table.drop_duplicates("id").set_index("id").reindex(tree.ids)
    taxa = pd.DataFrame(
        {
            "id": tree.ids.astype(np.int32),
            "name": described["name"].to_numpy(),
            "rank": described["rank"].astype("str").fillna("no rank").to_numpy(),
        }
    )
    return taxa.assign(key=described["key"].to_numpy()) if "key" in described else taxa


def _clade(table: pd.DataFrame, root: int | str) -> pd.DataFrame:
    """The rows below and with a node, given by name or id; links from outside are left out."""
    text = str(root).strip()
    hits = table[table["id"].astype("str") == text] if text.isdigit() else table[table["name"] == text]
    hits = hits.drop_duplicates("id")
    if hits.empty:
        close = difflib.get_close_matches(text, table["name"].dropna().unique(), n=3)
        raise SourceError(f"source.clade {text!r} is not in the table" + (f": did you mean {close}?" if close else ""))
    if len(hits) > 1:
        raise SourceError(f"{text!r} names {len(hits)} nodes: give one of the ids {sorted(hits['id'])}")
    top = int(hits["id"].iloc[0])
    inside, frontier = {top}, {top}
    while frontier:
        frontier = set(table.loc[table["parent"].isin(frontier), "id"]) - inside
        inside |= frontier
    part = table[table["id"].isin(inside) & (table["parent"].isin(inside) | (table["id"] == top))]
    part = part[(part["id"] != top) | ~part["id"].duplicated()]
    return part.assign(parent=part["parent"].where(part["id"] != top, -1))


def _lowest(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """The `count` smallest ids that have a parent, with their ancestors."""
    links = table[table["parent"] >= 0]
    frontier = set(links["id"].drop_duplicates().sort_values().iloc[:count])
    inside: set[int] = set()
    while frontier:
        inside |= frontier
        frontier = set(links.loc[links["id"].isin(frontier), "parent"]) - inside
    return table[table["id"].isin(inside)]
