"""NAOMI-II's vocabulary and edges.

Its items are (lemma, part of speech), because the part of speech took the place of the sense number. Its edges are all
combinations of the items that begin with either word and an underscore. WordNet 3.0 gives 157,306 items and 15,671,914
edges, none of them between antonyms.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.common.arrays import Int32Array, Int64Array
from terrarium.senses.data.relations import RELATIONS
from terrarium.sources.errors import SourceError

SOURCE_RELATIONS: dict[str, tuple[str, ...]] = {
    "hypernym": ("hypernym",),
    "meronym": ("part_holonym", "substance_holonym", "member_holonym"),
    "similar": ("similar_to",),
}
"""NAOMI-II's relations with edges, and the WordNet relations that they are made of."""
MIRRORED = {"hypernym": "hyponym", "meronym": "holonym", "similar": "similar"}
"""Relation -> name of the mirrored edges."""
EDGE_RELATIONS: tuple[str, ...] = ("hypernym", "hyponym", "meronym", "holonym", "similar", "antonym")
"""Edges hold a relation as its position here."""
_AFTER_UNDERSCORE = "`"
"""The character after the underscore: words with the prefix w_ sort between w_ and w`."""


def build_items(synsets: pd.DataFrame, senses: pd.DataFrame) -> pd.DataFrame:
    """Return the vocabulary, sorted by item.

    Args:
        synsets: columns synset and type.
        senses: columns lemma and synset_row.

    Returns:
        Columns item (such as dog_wn.n_n; a synset name with a dot breaks the tag), lemma, type (n, v, a, s or r).
    """
    row = senses["synset_row"].to_numpy()
    tag = synsets["synset"].str.split(".").str[1].to_numpy()[row]
    items = pd.DataFrame({"lemma": senses["lemma"].to_numpy(), "type": synsets["type"].to_numpy()[row]})
    items.insert(0, "item", items["lemma"] + "_wn." + tag + "_" + items["type"])
    return items.drop_duplicates("item").sort_values("item").reset_index(drop=True)


def build_edges(items: pd.DataFrame, senses: pd.DataFrame, relations: pd.DataFrame) -> pd.DataFrame:
    """Return the edges of all relations in both directions.

    Args:
        items: column item, sorted.
        senses: columns lemma and synset_row.
        relations: columns relation (number in RELATIONS), head and tail (synset rows).

    Returns:
        Columns relation (number in EDGE_RELATIONS, int8), head and tail (rows of items, int32).

    Raises:
        SourceError: there are no edges.
    """
    first = senses.drop_duplicates("synset_row").sort_values("synset_row")["lemma"].to_numpy(str)
    names = items["item"].to_numpy(str)
    start = np.searchsorted(names, np.char.add(first, "_"))
    count = np.searchsorted(names, np.char.add(first, _AFTER_UNDERSCORE)) - start
    tables = []
    for name, sources in SOURCE_RELATIONS.items():
        chosen = relations[relations["relation"].isin([RELATIONS.index(source) for source in sources])]
        head, tail = chosen["head"].to_numpy(), chosen["tail"].to_numpy()
        if name == "meronym":  # stated from the whole to the part
            head, tail = tail, head
        source, target = _all_combinations(start, count, head, tail)
        for stated, ends in ((name, (source, target)), (MIRRORED[name], (target, source))):
            number = np.int8(EDGE_RELATIONS.index(stated))
            tables.append(pd.DataFrame({"relation": number, "head": ends[0], "tail": ends[1]}))
    edges = pd.concat(tables, ignore_index=True)
    if edges.empty:
        raise SourceError("there are no edges: give a WordNet with hypernyms as senses.source.path")
    return edges


def _all_combinations(
    start: Int64Array, count: Int64Array, head: Int32Array, tail: Int32Array
) -> tuple[Int32Array, Int32Array]:
    """Return all pairs of an item of the head and an item of the tail, for each pair of synset rows."""
    width = count[tail]
    size = count[head] * width
    pair = np.repeat(np.arange(len(head)), size)
    position = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    per_head = np.maximum(width[pair], 1)
    source, target = start[head][pair] + position // per_head, start[tail][pair] + position % per_head
    return source.astype(np.int32), target.astype(np.int32)
