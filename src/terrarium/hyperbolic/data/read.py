"""Read the chosen part of a source: the NCBI package, a taxdump, an ontology, a tree, WordNet or a user's table."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from terrarium.hyperbolic.data.select import select_clade, select_lowest_ids
from terrarium.hyperbolic.options import SourceOptions
from terrarium.sources.archives import is_archive, list_members, only_file
from terrarium.sources.downloads import is_address
from terrarium.sources.errors import SourceError
from terrarium.sources.files import is_file, suffix_of
from terrarium.sources.readers import read
from terrarium.sources.taxonomies import lineages, newick, table
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage
from terrarium.sources.taxonomies.taxdump import read_aliases, read_taxdump
from terrarium.sources.wordnet import find_wordnet

PACKAGE_CLADE = "Mammalia"
"""The clade of NCBI's package that is read if none is named."""


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
    kind = source_kind(options)
    if kind != "package":
        whole = _read_file(options, kind)
        match options.select:
            case "clade" if options.clade is not None:
                path = str(options.path)
                is_dump = kind == "taxdump"
                return select_clade(whole, options.clade, lambda: read_aliases(path, download_folder()) if is_dump else None)
            case "lowest_taxids":
                return select_lowest_ids(whole, options.count)
        return whole
    if options.path is not None:
        raise SourceError("source.kind package reads no file: set source.path to null, or source.kind to auto")
    package = NcbiPackage()
    match options.select:
        case "clade":
            return package.clade(PACKAGE_CLADE if options.clade is None else options.clade, options.max_depth)
        case "lowest_taxids":
            return package.lowest_taxids(options.count)
    return package.all()


def check_source(options: SourceOptions) -> None:
    """Check that the source exists and that NCBI's package has the clade, without reading a file.

    Raises:
        SourceError: as `read_source`, as far as it can be known without reading.
    """
    kind = source_kind(options)
    if kind.startswith("wordnet"):
        find_wordnet(options.path)
    elif kind == "package":
        if options.path is not None:
            read_source(options)
        if options.select == "clade":
            NcbiPackage().resolve(PACKAGE_CLADE if options.clade is None else options.clade)
    elif options.path is None:
        raise SourceError(f"source.kind {kind} needs source.path: set it to the file")
    elif not is_address(options.path) and not Path(options.path).exists() and not is_file(Path(options.path)):
        raise SourceError(f"source.path {options.path} does not exist: check the path")


def source_kind(options: SourceOptions) -> str:
    """Return `options.kind`, or, for `auto`, the kind that the path suggests.

    Raises:
        SourceError: the path suggests none, or it is a broken archive.
    """
    if options.kind != "auto":
        return options.kind
    if options.path is None:
        return "package"
    if is_address(options.path) or Path(options.path).is_dir():
        return "taxdump"
    place = find_file(options.path)
    suffix = suffix_of(place)
    if suffix == ".obo":
        return "obo"
    if is_archive(place):
        return "taxdump"
    if suffix in newick.SUFFIXES:
        return "newick"
    if suffix in {".tsv", ".txt"} and is_file(place) and lineages.is_lineage_file(place):
        return "lineages"
    if suffix in table.SUFFIXES or not is_file(place):
        return "table"
    raise SourceError(
        f"source.path {place.name} has the suffix {place.suffix!r}: use {', '.join(table.SUFFIXES)}, .obo or "
        f"{', '.join(newick.SUFFIXES)}, or set source.kind"
    )


def download_folder() -> Path:
    """Return the folder for downloads: `terrarium` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "terrarium"


def _read_file(options: SourceOptions, kind: str) -> pd.DataFrame:
    """Return everything in a source that is a file or folder."""
    if kind.startswith("wordnet"):
        return read(kind, find_wordnet(options.path))
    if options.path is None:
        raise SourceError(f"source.kind {kind} needs source.path: set it to the file")
    if kind == "taxdump":
        return read_taxdump(options.path, download_folder())
    found: pd.DataFrame = read(kind, find_file(options.path))
    return found


def find_file(path: str) -> Path:
    """Return the path, or the one file of an archive that is no taxdump, as `taxa.zip/taxa.csv`."""
    place = Path(path)
    if not is_archive(place) or not place.is_file() or any(name.endswith(".dmp") for name in list_members(place)):
        return place
    return only_file(place)
