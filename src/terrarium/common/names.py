"""Find rows of a table by what people call them: name, key or id."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from terrarium.common.arrays import Int64Array

_SHOWN = 3
_MAX_COMPARED = 20_000


class UnknownNameError(LookupError):
    """No row has this name, or several have."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, eq=False)
class NameIndex:
    """The columns by which a row can be named.

    Attributes:
        texts: columns of text by name, the most usual first; each of N values.
        ids: (N,) integer ids, or None if the rows have none.
        what: what a row is, for errors: "taxon".
    """

    texts: Mapping[str, pd.Series]
    ids: Int64Array | None
    what: str

    def row(self, item: str | int) -> int:
        """Return the row that `item` names.

        Text is compared with the columns in their order, then read as an id, then compared without regard to case. The
        whole column is searched each time (10 ms in 2.6 million rows), so that loading stays quick.

        Raises:
            UnknownNameError: no row or several rows are called so; near matches or the ids of the rows are named.
        """
        found = self._by_text(item) if isinstance(item, str) else self._by_id(int(item))
        if len(found) == 1:
            return int(found[0])
        if len(found):
            raise UnknownNameError(f"{len(found)} rows are called {item!r}: {self._told_apart(found)}")
        raise UnknownNameError(f"no {self.what} is called {item!r}{self._near(str(item))}")

    def rows(self, items: Sequence[str | int]) -> Int64Array:
        """Return the rows that `items` name, as an array of the same length. Raises as `row`."""
        return np.array([self.row(item) for item in items], np.int64)

    def _by_text(self, text: str) -> Int64Array:
        for column in self.texts.values():
            if len(found := np.flatnonzero((column == text).to_numpy(bool))):
                return found
        if text.lstrip("-").isdecimal() and len(found := self._by_id(int(text))):
            return found
        for column in self.texts.values():
            if len(found := np.flatnonzero((column.str.lower() == text.lower()).to_numpy(bool))):
                return found
        return np.zeros(0, np.int64)

    def _by_id(self, number: int) -> Int64Array:
        return np.zeros(0, np.int64) if self.ids is None else np.flatnonzero(self.ids == number)

    def _told_apart(self, rows: Int64Array) -> str:
        shown = rows[:_SHOWN]
        others = list(self.texts.values())[1:]
        names = self.ids[shown] if self.ids is not None else others[0].iloc[shown] if others else shown
        more = ", …" if len(rows) > _SHOWN else ""
        return f"use one of {', '.join(str(name) for name in names)}{more} instead"

    def _near(self, text: str) -> str:
        """Return close spellings as the end of a sentence."""
        names = pd.concat(list(self.texts.values())).dropna().drop_duplicates()
        close = close_names(text, names, _SHOWN)
        return f"; did you mean {' or '.join(repr(name) for name in close)}?" if close else ""


def close_names(text: str, names: pd.Series, count: int) -> list[str]:
    """Return the names that are spelt like a text, the nearest first.

    Args:
        text: what was asked for.
        names: different names; of more than 20,000, those are compared that share the first two letters.
        count: most names to return.
    """
    if len(names) > _MAX_COMPARED:
        names = names[names.str[:2].str.lower() == text[:2].lower()][:_MAX_COMPARED]
    return difflib.get_close_matches(text, names.tolist(), n=count, cutoff=0.6)
