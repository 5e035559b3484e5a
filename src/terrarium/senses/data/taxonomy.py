"""The taxonomy of the training pairs: ancestors, intrinsic information content, and how similar two synsets are.

Information content without a corpus: ic(c) = 1 - log(hyponyms(c) + 1) / log(N of its part of speech) (Seco, Veale and
Hayes 2004). Similarity: lin(a, b) = 2 ic(lcs) / (ic(a) + ic(b)) (Lin 1998), with the most informative common ancestor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from terrarium.hierarchy.links import ancestors_of
from terrarium.senses.data.relations import RELATIONS, TAXONOMIC

VALIDATION_SHARE = 50
"""One pair of synsets in this many is kept out of the training pairs of the taxonomy."""


@dataclass(frozen=True, eq=False)
class Taxonomy:
    """Ancestors and descendants of each synset, itself included, in rows of synsets.

    Attributes:
        up_start, up: (N + 1,) and (P,) ancestors, ascending within a row.
        down_start, down: the same for descendants.
        information: (N,) information content, 0 (says nothing) to 1 (a leaf).
        members: rows with an ancestor or a descendant, by part of speech.
    """

    up_start: NDArray[np.int64]
    up: NDArray[np.int32]
    down_start: NDArray[np.int64]
    down: NDArray[np.int32]
    information: NDArray[np.float32]
    members: dict[str, NDArray[np.int32]]


def ancestor_table(pairs: pd.DataFrame, synsets: int) -> pd.DataFrame:
    """Ancestor, descendant and depth_diff by the is-a pairs of a table, proper ancestors alone."""
    taxonomic = [RELATIONS.index(name) for name in sorted(TAXONOMIC)]
    links = pairs[pairs["relation"].isin(taxonomic)]
    child, parent = _without_cycles(links["head"].to_numpy(np.int32), links["tail"].to_numpy(np.int32), synsets)
    found = ancestors_of(child, parent, synsets)
    descendant = np.repeat(np.arange(synsets, dtype=np.int32), np.diff(found.start))
    return pd.DataFrame({"ancestor": found.rows, "descendant": descendant, "depth_diff": found.difference})


def held_out_ancestors(pairs: pd.DataFrame, ancestors: pd.DataFrame, synsets: int) -> pd.DataFrame:
    """The rows of the whole taxonomy's ancestors that the training taxonomy (`ancestors`) does not give."""
    whole = ancestor_table(pairs, synsets)
    key, known = (x["descendant"].to_numpy(np.int64) * synsets + x["ancestor"] for x in (whole, ancestors))
    return whole[~np.isin(key, known)].reset_index(drop=True)


def information_content(ancestors: pd.DataFrame, pos: pd.Series) -> NDArray[np.float32]:
    """Intrinsic information content of each synset; of its part of speech, so that each has a 0 and a 1."""
    hyponyms = np.bincount(ancestors["ancestor"].to_numpy(), minlength=len(pos))
    size = pos.map(pos.value_counts()).to_numpy()
    content: NDArray[np.float32] = (1 - np.log(hyponyms + 1) / np.log(np.maximum(size, 2))).astype(np.float32)
    return content


def build_taxonomy(ancestors: pd.DataFrame, information: NDArray[np.float32], pos: pd.Series) -> Taxonomy:
    """Both directions of the closure with each synset as its own ancestor."""
    size = len(pos)
    self = np.arange(size, dtype=np.int32)
    above = np.concatenate([ancestors["ancestor"].to_numpy(np.int32), self])
    below = np.concatenate([ancestors["descendant"].to_numpy(np.int32), self])
    up_start, up = _grouped(below, above, size)
    down_start, down = _grouped(above, below, size)
    inside = (np.diff(up_start) > 1) | (np.diff(down_start) > 1)
    letters = pos.to_numpy()
    members = {part: np.flatnonzero(inside & (letters == part)).astype(np.int32) for part in "nv"}
    return Taxonomy(up_start, up, down_start, down, information, {p: m for p, m in members.items() if len(m) > 1})


def lin_similarity(taxonomy: Taxonomy, a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.float32]:
    """Lin's similarity of each pair of rows."""
    return _lin(a.astype(np.int32), b.astype(np.int32), taxonomy.up_start, taxonomy.up, taxonomy.information)


def draw_pairs(
    taxonomy: Taxonomy, count: int, *, near: float, held_out: bool, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Pairs of the same part of speech with their similarity, in random order.

    Args:
        taxonomy: of the training pairs.
        count: how many pairs.
        near: share of pairs that are drawn below a common ancestor; the others are any two.
        held_out: pairs that are never trained on, instead of pairs that may be.
        rng: of the draw.
    """
    if not taxonomy.members:
        none = np.zeros(0, np.int32)
        return none, none, np.zeros(0, np.float32)
    sizes = np.array([len(rows) for rows in taxonomy.members.values()])
    shares = rng.multinomial(count, sizes / sizes.sum())
    firsts, seconds = [], []
    for rows, share in zip(taxonomy.members.values(), shares, strict=True):
        a, b = _draw(
            *(rows, share, taxonomy.up_start, taxonomy.up, taxonomy.down_start, taxonomy.down),
            *(near, held_out, len(taxonomy.information), rng),
        )
        firsts.append(a)
        seconds.append(b)
    order = rng.permutation(count)
    a, b = np.concatenate(firsts)[order], np.concatenate(seconds)[order]
    return a, b, lin_similarity(taxonomy, a, b)


@njit(cache=True)
def is_held_out(a: int, b: int, size: int) -> bool:  # pragma: no cover - compiled
    """Whether a pair of rows, in either order, is kept out of training, by a hash of the pair."""
    low, high = np.uint64(min(a, b)), np.uint64(max(a, b))
    mixed = (low * np.uint64(size) + high) * np.uint64(0x9E3779B97F4A7C15)
    return bool((mixed >> np.uint64(40)) % np.uint64(VALIDATION_SHARE) == 0)


def _without_cycles(child: NDArray[np.int32], parent: NDArray[np.int32], size: int) -> tuple[Any, Any]:
    """The links that lie on no cycle; WordNet 3.0 has one among its verbs (restrain and inhibit)."""
    graph = coo_array((np.ones(len(child), np.int8), (child, parent)), shape=(size, size))
    _, label = connected_components(graph, directed=True, connection="strong")
    apart = label[child] != label[parent]
    return child[apart], parent[apart]


def _grouped(by: NDArray[np.int32], values: NDArray[np.int32], size: int) -> tuple[Any, NDArray[np.int32]]:
    order = np.lexsort((values, by))
    start = np.concatenate([[0], np.cumsum(np.bincount(by, minlength=size))]).astype(np.int64)
    return start, values[order]


@njit(cache=True)
def _lin(a: Any, b: Any, start: Any, up: Any, information: Any) -> Any:  # pragma: no cover - compiled
    """Merge of two ascending lists of ancestors; the most informative common one counts."""
    found = np.zeros(len(a), np.float32)
    for k in range(len(a)):
        i, j = a[k], b[k]
        p, q, best = start[i], start[j], np.float32(0)
        while p < start[i + 1] and q < start[j + 1]:
            if up[p] == up[q]:
                best = max(best, information[up[p]])
                p += 1
                q += 1
            elif up[p] < up[q]:
                p += 1
            else:
                q += 1
        total = information[i] + information[j]
        found[k] = 2 * best / total if total > 0 else np.float32(i == j)
    return found


@njit(cache=True)
def _draw(
    rows: Any,
    count: int,
    up_start: Any,
    up: Any,
    down_start: Any,
    down: Any,
    near: float,
    held: bool,
    size: int,
    rng: Any,
) -> Any:  # pragma: no cover - compiled
    """Second end: any member, or a descendant of an ancestor of the first; pairs of the other kind are drawn again."""
    first, second = np.empty(count, np.int32), np.empty(count, np.int32)
    k = 0
    while k < count:
        i = rows[rng.integers(0, len(rows))]
        j = rows[rng.integers(0, len(rows))]
        if rng.random() < near:
            c = up[rng.integers(up_start[i], up_start[i + 1])]
            j = c if rng.random() < 0.2 else down[rng.integers(down_start[c], down_start[c + 1])]
        if i != j and is_held_out(i, j, size) == held:
            first[k], second[k] = i, j
            k += 1
    return first, second
