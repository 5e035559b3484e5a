"""Parts of a table of nodes: a clade, or the lowest ids with their ancestors."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError

_MOST_NAMES = 200_000
"""Names that are compared with a wrong one; more would take minutes."""


def select_clade(
    table: pd.DataFrame, root: int | str, read_aliases: Callable[[], pd.DataFrame | None] = lambda: None
) -> pd.DataFrame:
    """Return a node with all its descendants; links to parents outside the clade are dropped.

    Args:
        table: as from `read_source`.
        root: id, key or name of the node, searched for in this order.
        read_aliases: returns further names of nodes (alias, taxid) or None; called if no node has this name.

    Raises:
        SourceError: no node, or more than one, has this name.
    """
    text = str(root).strip()
    hits = _find(table, text)
    if hits.empty:
        aliases = read_aliases()
        known = [] if aliases is None else aliases.loc[aliases["alias"] == text, "taxid"].drop_duplicates().tolist()
        hits = pd.concat([hits, *(_find(table, taxid) for taxid in known)]).drop_duplicates("id")
        if hits.empty:
            raise SourceError(f"source.clade {text!r} is not in the source: {_suggestion(table, aliases, text)}")
    if len(hits) > 1:
        listed = ", ".join(_names_of(hits.head(5))) + (", …" if len(hits) > 5 else "")
        raise SourceError(f"source.clade {text!r} names {len(hits)} nodes: give one of {listed}")
    top = int(hits["id"].iloc[0])
    members = _below(table, top)
    clade = table[members & (table["parent"].isin(table.loc[members, "id"]) | (table["id"] == top))]
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


def _find(table: pd.DataFrame, text: str) -> pd.DataFrame:
    """Return one row per node with this id, or else this key, or else this name."""
    if "key" in table:
        columns = ["key", "name"]
    else:
        columns = ["id", "name"] if text.isascii() and text.isdigit() else ["name"]
    for column in columns:
        value = int(text) if column == "id" and len(text) < 19 else text
        hits = table[table[column] == value].drop_duplicates("id")
        if len(hits):
            return hits
    return table.iloc[:0]


def _names_of(hits: pd.DataFrame) -> list[str]:
    column = "key" if "key" in hits else "id"
    return [f"{value!s}" for value in hits[column]]


def _suggestion(table: pd.DataFrame, aliases: pd.DataFrame | None, text: str) -> str:
    """Return what to do about a name that does not exist, with the names and keys that are most like it."""
    columns = [table[column] for column in ("name", "key") if column in table]
    known = pd.concat([*columns, *([] if aliases is None else [aliases["alias"]])]).dropna().drop_duplicates()
    same = known[known.str.lower() == text.lower()]
    close = list(same[:3])
    if not close:
        alike = known[known.str[:1].str.lower() == text[:1].lower()] if len(known) > _MOST_NAMES else known
        close = difflib.get_close_matches(text, alike.head(_MOST_NAMES).tolist(), n=3, cutoff=0.7)
    if close:
        return f"did you mean {', '.join(map(repr, close))}?"
    other = "its id or key" if "key" in table else "its id"
    return f"check the spelling, give {other}, or set it to null for everything"


def _below(table: pd.DataFrame, top: int) -> np.ndarray:
    """Return which rows are of a node or one below it, (N,)."""
    members, frontier = {top}, {top}
    children = table.groupby("parent")["id"].agg(list).to_dict()
    while frontier:
        frontier = {child for node in frontier for child in children.get(node, ())} - members
        members |= frontier
    return table["id"].isin(members).to_numpy()
