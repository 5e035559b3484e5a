"""The original's vocabulary and edges, by its rules, so that its claims can be measured.

Its items are (lemma, part of speech), since the part of speech got where the sense number belonged, and its edges are
the full product of all items that begin with either word and an underscore. On WordNet 3.0 that gives 157,306 items
and 15,671,914 edges, as documented, of which antonyms are none.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.senses.data.relations import RELATIONS
from terrarium.sources.errors import SourceError

DOCUMENTED: dict[str, tuple[str, ...]] = {
    "hypernym": ("hypernym",),
    "meronym": ("part_holonym", "substance_holonym", "member_holonym"),
    "similar": ("similar_to",),
}
"""The original's names of the relations that reach its edges, and ours."""
NAMES: tuple[str, ...] = ("hypernym", "hyponym", "meronym", "holonym", "similar", "antonym")
_MIRRORED = {"hypernym": "hyponym", "meronym": "holonym", "similar": "similar"}
_AFTER_UNDERSCORE = "`"
"""The character after the underscore: words with a prefix w_ lie between w_ and w`."""


def documented_vocabulary(synsets: pd.DataFrame, senses: pd.DataFrame) -> pd.DataFrame:
    """Item, lemma and type (n, v, a, s, r), sorted by item; a synset name with a dot in it breaks the tag."""
    kind = synsets["type"].to_numpy()[senses["synset_row"].to_numpy()]
    slip = synsets["synset"].str.split(".").str[1].to_numpy()[senses["synset_row"].to_numpy()]
    items = pd.DataFrame({"lemma": senses["lemma"].to_numpy(), "type": kind})
    items.insert(0, "item", items["lemma"] + "_wn." + slip + "_" + items["type"])
    return items.drop_duplicates("item").sort_values("item").reset_index(drop=True)


def documented_edges(
    items: pd.DataFrame, synsets: pd.DataFrame, senses: pd.DataFrame, relations: pd.DataFrame
) -> pd.DataFrame:
    """Relation (number in NAMES), head, tail (rows of items): every relation in both its directions.

    Raises:
        SourceError: there are none.
    """
    first = senses.drop_duplicates("synset_row").sort_values("synset_row")["lemma"].to_numpy(str)
    names = items["item"].to_numpy(str)
    start = np.searchsorted(names, np.char.add(first, "_"))
    count = np.searchsorted(names, np.char.add(first, _AFTER_UNDERSCORE)) - start
    parts = []
    for name, ours in DOCUMENTED.items():
        wanted = relations[relations["relation"].isin([RELATIONS.index(relation) for relation in ours])]
        head, tail = wanted["head"].to_numpy(), wanted["tail"].to_numpy()
        if name == "meronym":  # stated from the whole to the part
            head, tail = tail, head
        edges = _products(start, count, head, tail)
        for stated, (source, target) in ((name, edges), (_MIRRORED[name], edges[::-1])):
            parts.append(pd.DataFrame({"relation": np.int8(NAMES.index(stated)), "head": source, "tail": target}))
    found = pd.concat(parts, ignore_index=True)
    if found.empty:
        raise SourceError("the documented rules find no edges: give a WordNet with hypernyms as senses.source.path")
    return found


def _products(
    start: np.ndarray, count: np.ndarray, head: np.ndarray, tail: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """All combinations of the items of both ends, for each pair of synset rows."""
    width = count[tail]
    size = count[head] * width
    pair = np.repeat(np.arange(len(head)), size)
    place = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    per = np.maximum(width[pair], 1)
    source, target = start[head][pair] + place // per, start[tail][pair] + place % per
    return source.astype(np.int32), target.astype(np.int32)
