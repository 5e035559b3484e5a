"""Taxonomy strings such as d__Bacteria;p__Bacillota;...;s__Bacillus subtilis, as of GTDB, SILVA and Greengenes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError
from terrarium.sources.files import fault, numbered_lines, text_lines
from terrarium.sources.taxonomies.numbering import node_table

RANKS_BY_PREFIX = {
    "d": "domain",
    "k": "kingdom",
    "p": "phylum",
    "c": "class",
    "o": "order",
    "f": "family",
    "g": "genus",
    "s": "species",
    "t": "strain",
}
GENOME = "genome"
_LEVEL = re.compile(r"([a-z])__(\S.*)?")


def is_lineage_file(path: Path) -> bool:
    """Return whether one of the first two lines of a file has a taxonomy string."""
    for number, line in numbered_lines(path):
        if line is not None and _LEVEL.fullmatch(_taxonomy(line)[1].partition(";")[0].strip()):
            return True
        if number == 2:
            break
    return False


def read_lineages(path: str | Path) -> pd.DataFrame:
    """Read taxonomy strings, one per line, optionally with the accession of a genome and a tab before them.

    Each level is a node below the level before it; the accession is a leaf of rank genome. Levels without a name (g__)
    are left out.

    Args:
        path: the file; .gz, .xz and .bz2 are unpacked.

    Returns:
        id (order of first appearance), parent (-1 at a root), name, rank, key (the level, such as g__Bacillus, with
        those above it if it is under several; or the accession); one row per node.

    Raises:
        SourceError: the file is missing or has no line, or a line has a fault; the message has its number.
    """
    file = Path(path)
    number_of: dict[tuple[str, ...], int] = {}
    parents: list[int] = []
    genomes: set[str] = set()
    for number, line in text_lines(file):
        accession, text = _taxonomy(line)
        levels = [level.strip() for level in text.split(";")]
        if number == 1 and not _LEVEL.fullmatch(levels[0]):
            continue
        lineage = _lineage(levels, file, number)
        if accession:
            if accession in genomes:
                raise fault(file, number, f"{accession!r} has a line already", "drop one")
            genomes.add(accession)
            lineage = (*lineage, accession)
        for length in range(1, len(lineage) + 1):
            if lineage[:length] not in number_of:
                number_of[lineage[:length]] = len(number_of)
                parents.append(number_of[lineage[: length - 1]] if length > 1 else -1)
    if not number_of:
        raise SourceError(f"{file} has no taxonomy string: give lines such as d__Bacteria;p__Bacillota")
    last = [lineage[-1] for lineage in number_of]
    repeated = {name for name, count in pd.Series(last).value_counts().items() if count > 1}
    keys = [";".join(lineage) if lineage[-1] in repeated else lineage[-1] for lineage in number_of]
    matches = [None if name in genomes else _LEVEL.fullmatch(name) for name in last]
    names = [match[2] if match else name for match, name in zip(matches, last, strict=True)]
    ranks = [RANKS_BY_PREFIX[match[1]] if match else GENOME for match in matches]
    return node_table(np.arange(len(last)), np.array(parents, np.int64), names, ranks, keys)


def _taxonomy(line: str) -> tuple[str, str]:
    """Return the accession before the tab, "" without one, and the taxonomy string."""
    fields = line.split("\t")
    return (fields[0].strip(), fields[1]) if len(fields) > 1 else ("", fields[0])


def _lineage(levels: list[str], file: Path, number: int) -> tuple[str, ...]:
    """Return the named levels of a taxonomy string."""
    found: list[str] = []
    order = list(RANKS_BY_PREFIX)
    before = -1
    for level in levels if levels[-1] else levels[:-1]:
        match = _LEVEL.fullmatch(level)
        if not match or match[1] not in RANKS_BY_PREFIX:
            raise fault(file, number, f"{level[:40]!r} is no level such as g__Bacillus", "correct the line")
        if order.index(match[1]) <= before:
            raise fault(file, number, f"{level[:40]!r} is not below the level before it", "sort the levels")
        before = order.index(match[1])
        if match[2]:
            found.append(level)
    if not found:
        raise fault(file, number, "no level has a name", "drop the line")
    return tuple(found)
