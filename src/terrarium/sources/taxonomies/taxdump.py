"""NCBI's taxonomy dump: a folder, an archive, or the URL of one.

In nodes.dmp, names.dmp and merged.dmp, fields are separated by TAB|TAB and lines end in TAB| (taxdump_readme). Old and
new dumps share the columns that are read here, and so do those of gtdb_to_taxdump and TaxonKit.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.sources.archives import find_member, is_archive, read_member
from terrarium.sources.downloads import download, is_address
from terrarium.sources.errors import SourceError
from terrarium.sources.files import PACKED, decode, fault, is_text
from terrarium.sources.taxonomies.numbering import LARGEST_ID, node_table

_SCIENTIFIC = {"scientific name", "scientific_name"}
_DIGITS = frozenset("0123456789")
_HEADERS = ("#", "tax")
_GET_AGAIN = "the file may be cut: get it again"


def read_taxdump(path: str | Path, cache: Path) -> pd.DataFrame:
    """Read all taxa of a dump.

    Args:
        path: folder or archive with nodes.dmp and names.dmp, at any depth, or the URL of an archive.
        cache: folder for downloads.

    Returns:
        id, parent (-1 at the root), name, rank; one row per taxon. If an id is above 2^31 - 1, ids are places in
        nodes.dmp, and the column key has the ids.

    Raises:
        SourceError: a file is missing or broken, the two do not belong together, or the download failed.
    """
    place = _local(path, cache)
    ids, parents, ranks = _nodes(place)
    names = _scientific_names(place, ids)
    if all(number <= LARGEST_ID for number in ids):
        numbers, above = np.array(list(ids), np.int64), np.array(parents, np.int64)
        return node_table(numbers, above, names, ranks)
    number_of = {**{taxid: row for row, taxid in enumerate(ids)}, -1: -1}
    numbers, above = np.arange(len(ids)), np.array([number_of[parent] for parent in parents], np.int64)
    return node_table(numbers, above, names, ranks, [str(taxid) for taxid in ids])


def read_aliases(path: str | Path, cache: Path) -> pd.DataFrame:
    """Read the other names of taxa: synonyms, common names, and ids that were merged into others.

    Args:
        path: folder, archive or URL of a taxdump.
        cache: folder for downloads.

    Returns:
        alias and taxid, both text; merged.dmp may be missing.

    Raises:
        SourceError: names.dmp is missing or broken.
    """
    place = _local(path, cache)
    rows = [(fields[1], fields[0]) for _, fields in _lines(place, "names.dmp", 4) if fields[3] not in _SCIENTIFIC]
    if find_member(place, "merged.dmp"):
        rows += [(fields[0], fields[1]) for _, fields in _lines(place, "merged.dmp", 2)]
    return pd.DataFrame(rows, columns=["alias", "taxid"]).astype("str")


def _local(path: str | Path, cache: Path) -> Path:
    place = download(str(path), cache) if is_address(path) else Path(path)
    if not place.is_dir() and not is_archive(place) and place.suffix.lower() not in PACKED:
        raise SourceError(f"source.path {place} is neither a folder nor an archive: give NCBI's taxdump")
    return place


def _nodes(place: Path) -> tuple[dict[int, int], list[int], list[str]]:
    """Return the line of each id in the order of the file, parents (-1 at a root) and ranks."""
    line_of: dict[int, int] = {}
    parents, ranks = [], []
    where = f"{place}/nodes.dmp"
    for number, fields in _lines(place, "nodes.dmp", 3):
        own, parent = _taxid(fields[0], where, number), _taxid(fields[1], where, number)
        if own in line_of:
            raise fault(where, number, f"taxon {own} is in line {line_of[own]} already", "drop one")
        line_of[own] = number
        parents.append(-1 if parent == own else parent)
        ranks.append(fields[2])
    for parent, number in zip(parents, line_of.values(), strict=True):
        if parent != -1 and parent not in line_of:
            raise fault(where, number, f"the parent {parent} has no line", _GET_AGAIN)
    return line_of, parents, ranks


def _scientific_names(place: Path, ids: dict[int, int]) -> list[str]:
    """Return the scientific name of each id."""
    found: dict[int, str] = {}
    where = f"{place}/names.dmp"
    for number, fields in _lines(place, "names.dmp", 4):
        taxid = _taxid(fields[0], where, number)
        if taxid not in ids:
            raise fault(where, number, f"taxon {taxid} is not in nodes.dmp", "nodes.dmp may be cut: get both again")
        if fields[3] in _SCIENTIFIC:
            if taxid in found:
                raise fault(where, number, f"taxon {taxid} has a second scientific name", "drop one")
            found[taxid] = fields[1]
    missing = [taxid for taxid in ids if not found.get(taxid)]
    if missing:
        raise SourceError(
            f"{where} has no scientific name for {len(missing):,} of {len(ids):,} taxa, such as {missing[0]}: "
            f"{_GET_AGAIN}"
        )
    return [found[taxid] for taxid in ids]


def _lines(place: Path, name: str, least: int) -> list[tuple[int, list[str]]]:
    """Return number and fields of each line; a header and empty lines at the end are left out."""
    member = find_member(place, name)
    if member is None:
        raise SourceError(f"source.path {place} has no {name}: give NCBI's taxdump")
    where = f"{place}/{name}"
    text = decode(read_member(place, member), where).rstrip("\r\n")
    lines = text.split("\n") if text else []
    found: list[tuple[int, list[str]]] = []
    for number, line in enumerate(lines, start=1):
        row = line.removesuffix("\r")
        if not found and row.lower().startswith(_HEADERS):
            continue
        if not row.endswith("|"):
            raise fault(where, number, "it does not end in a tab and |", _GET_AGAIN)
        fields = [part.strip() for part in row[:-1].split("\t|\t" if "\t|\t" in row else "|")]
        if len(fields) < least:
            raise fault(where, number, f"{len(fields)} fields instead of {least} or more", _GET_AGAIN)
        if not all(map(is_text, fields[:least])):
            raise fault(where, number, "a field has a tab in it", _GET_AGAIN)
        found.append((number, fields))
    if not found:
        raise SourceError(f"{where} is empty: {_GET_AGAIN}")
    return found


def _taxid(text: str, where: str, line: int) -> int:
    if not text or not _DIGITS.issuperset(text) or len(text) > 18:
        raise fault(where, line, f"{text[:40]!r} is not a tax id", "correct it")
    return int(text)
