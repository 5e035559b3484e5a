"""Read the chosen part of a source: the NCBI package, a taxdump, an OBO ontology, WordNet or a user's table."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pandas as pd

from terrarium.hyperbolic.options import SourceOptions
from terrarium.sources.errors import SourceError
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage
from terrarium.sources.taxonomies.obo import read_obo
from terrarium.sources.taxonomies.table import read_table
from terrarium.sources.taxonomies.taxdump import ARCHIVES, is_address, read_taxdump
from terrarium.sources.wordnet import find_wordnet, read_hypernyms


def read_source(options: SourceOptions) -> pd.DataFrame:
    """Read the part of the source that `options.select` names.

    Args:
        options: what to read and which part of it.

    Returns:
        One row per node, or per link where nodes have several parents: id, parent (-1 for a root), name, rank; also
        key and length if the source has them.

    Raises:
        SourceError: the source cannot be read, or it has no such part.
    """
    table = _read_whole(options)
    if table is not None:
        match options.select:
            case "clade":
                return select_clade(table, options.clade)
            case "lowest_taxids":
                return select_lowest_ids(table, options.count)
        return table
    package = NcbiPackage()
    match options.select:
        case "clade":
            return package.clade(options.clade, options.max_depth)
        case "lowest_taxids":
            return package.lowest_taxids(options.count)
    return package.all()


def source_kind(options: SourceOptions) -> str:
    """Return `options.kind`, or, for `auto`, the kind that the path suggests."""
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
    """Return the folder for downloads: `terrarium` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "terrarium"


def select_clade(table: pd.DataFrame, root: int | str) -> pd.DataFrame:
    """Return a node with all its descendants; links to parents outside the clade are dropped.

    Args:
        table: as from `read_source`.
        root: name or id of the node.

    Raises:
        SourceError: no node, or more than one, has this name.
    """
    text = str(root).strip()
    hits = table[table["id"].astype("str") == text] if text.isdigit() else table[table["name"] == text]
    hits = hits.drop_duplicates("id")
    if hits.empty:
        close = difflib.get_close_matches(text, table["name"].dropna().unique(), n=3)
        raise SourceError(f"source.clade {text!r} is not in the table" + (f": did you mean {close}?" if close else ""))
    if len(hits) > 1:
        raise SourceError(f"{text!r} names {len(hits)} nodes: give one of the ids {sorted(hits['id'])}")
    top = int(hits["id"].iloc[0])
    members, frontier = {top}, {top}
    while frontier:
        frontier = set(table.loc[table["parent"].isin(frontier), "id"]) - members
        members |= frontier
    clade = table[table["id"].isin(members) & (table["parent"].isin(members) | (table["id"] == top))]
    clade = clade[(clade["id"] != top) | ~clade["id"].duplicated()]
    return clade.assign(parent=clade["parent"].where(clade["id"] != top, -1))


def select_lowest_ids(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the `count` smallest ids that have a parent, with all their ancestors.

    Args:
        table: as from `read_source`.
        count: how many ids.
    """
    links = table[table["parent"] >= 0]
    frontier = set(links["id"].drop_duplicates().sort_values().iloc[:count])
    members: set[int] = set()
    while frontier:
        members |= frontier
        frontier = set(links.loc[links["id"].isin(frontier), "parent"]) - members
    return table[table["id"].isin(members)]


def _read_whole(options: SourceOptions) -> pd.DataFrame | None:
    """Return everything in the source; None for the package, which reads parts by itself."""
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
