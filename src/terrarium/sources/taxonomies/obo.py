"""Ontologies in the OBO format, such as the Gene Ontology."""

from __future__ import annotations

from pathlib import Path

import obonet
import pandas as pd

from terrarium.sources.errors import SourceError
from terrarium.sources.taxonomies.table import LARGEST_ID, NO_RANK


def read_obo(path: str | Path) -> pd.DataFrame:
    """Read the terms of an ontology and their is_a links, without obsolete terms.

    Returns:
        id, parent (-1 without one), name, rank (the namespace), key (as GO:0008150); one row per link, in the order of
        the file. The id is the number in the key if all keys have the same prefix, otherwise the place in the file.

    Raises:
        SourceError: the file does not exist or has no terms.
    """
    if not Path(path).is_file():
        raise SourceError(f"source.path {path} is not a file: give an .obo file")
    try:
        terms = obonet.read_obo(str(path))
    except (ValueError, KeyError, AssertionError) as error:
        raise SourceError(f"{Path(path).name} cannot be read as OBO: {error}") from error
    if not len(terms):
        raise SourceError(f"{Path(path).name} has no terms: give an .obo file with is_a links")
    number = _numbers(list(terms))
    rows = []
    for key, data in terms.nodes(data=True):
        above = [parent for _, parent, kind in terms.out_edges(key, keys=True) if kind == "is_a"]
        for parent in above or [None]:
            up = -1 if parent is None else number[parent]
            rows.append((number[key], up, data.get("name", key), data.get("namespace", NO_RANK), key))
    table = pd.DataFrame(rows, columns=["id", "parent", "name", "rank", "key"])
    return table.assign(rank=table["rank"].astype("category"))


def _numbers(keys: list[str]) -> dict[str, int]:
    """Return an integer for each key."""
    parts = [key.rpartition(":") for key in keys]
    local = [part[2] for part in parts]
    if len({part[0] for part in parts}) == 1 and all(x.isdecimal() and int(x) <= LARGEST_ID for x in local):
        return dict(zip(keys, map(int, local), strict=True))
    return {key: place for place, key in enumerate(keys)}
