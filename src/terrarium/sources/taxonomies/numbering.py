"""Numbers for nodes that are identified by text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from terrarium.common.arrays import Int64Array

LARGEST_ID = 2**31 - 1
"""Ids are stored in 32 bits."""
NO_RANK = "no rank"
_PLAIN = re.compile(r"(?:0|[1-9][0-9]{0,9})")
_FLOAT = re.compile(r"(?:0|[1-9][0-9]{0,9})\.0+")


def are_integers(cells: Sequence[str]) -> bool:
    """Return whether all cells are integers from 0 to 2^31 - 1 in one way of writing: 7, or 7.0 as pandas writes it."""
    distinct = set(cells)
    for pattern in (_PLAIN, _FLOAT):
        if all(pattern.fullmatch(cell) for cell in distinct):
            return all(int(cell.partition(".")[0]) <= LARGEST_ID for cell in distinct)
    return False


def number_nodes(ids: Sequence[str], parents: Sequence[str]) -> tuple[Int64Array, Int64Array, list[str] | None]:
    """Return ids and parents as integers.

    Args:
        ids: (N,) ids as text.
        parents: (N,) ids of the parents as text, "" without one.

    Returns:
        (N,) ids, (N,) parents, -1 without one, and (N,) keys. Integers stay as they are, and there are no keys.
        Otherwise a node's number is its place in the order of first appearance, and its text is its key.
    """
    given = [parent for parent in parents if parent]
    if are_integers(ids) and are_integers(given):
        numbers = np.array([int(cell.partition(".")[0]) for cell in ids], np.int64)
        above = np.array([int(cell.partition(".")[0]) if cell else -1 for cell in parents], np.int64)
        return numbers, above, None
    place = number_keys(ids)
    for parent in given:
        place.setdefault(parent, len(place))
    numbers = np.array([place[cell] for cell in ids], np.int64)
    return numbers, np.array([place[cell] if cell else -1 for cell in parents], np.int64), list(ids)


def number_keys(keys: Sequence[str]) -> dict[str, int]:
    """Return a number for each distinct text.

    It is the number in the text if all have the same prefix before it, as GO:0008150 and GO:0003674, and no two texts
    have the same; otherwise the place in the order of first appearance.
    """
    distinct = list(dict.fromkeys(keys))
    parts = [key.rpartition(":") for key in distinct]
    if len({part[0] for part in parts}) == 1 and all(part[1] for part in parts):
        local = [part[2] for part in parts]
        if all(re.fullmatch("[0-9]{1,10}", cell) and int(cell) <= LARGEST_ID for cell in local):
            numbers = [int(cell) for cell in local]
            if len(set(numbers)) == len(numbers):
                return dict(zip(distinct, numbers, strict=True))
    return {key: place for place, key in enumerate(distinct)}


def node_table(
    ids: Int64Array,
    parents: Int64Array,
    names: Sequence[str],
    ranks: Sequence[str],
    keys: Sequence[str] | None = None,
    lengths: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Return the table that all readers of hierarchies return: id, parent, name, rank, and key and length if given.

    Args:
        ids: (N,) ids.
        parents: (N,) ids of the parents, -1 without one.
        names: (N,) names, "" without one; a node with a key and no name is called by its key.
        ranks: (N,) ranks, "" without one.
        keys: (N,) texts that identify the nodes in the file.
        lengths: (N,) lengths of the links to the parents, nan without one.
    """
    names = names if keys is None else [name or key for name, key in zip(names, keys, strict=True)]
    table = pd.DataFrame(
        {
            "id": ids,
            "parent": parents,
            "name": pd.array([name or None for name in names], dtype="str"),
            "rank": pd.Categorical([rank or NO_RANK for rank in ranks]),
        }
    )
    if lengths is not None:
        table["length"] = np.asarray(lengths, np.float64)
    return table if keys is None else table.assign(key=pd.array(list(keys), dtype="str"))
