"""The taxonomy of the training pairs: ancestors, information content and Lin similarity.

Intrinsic information content, which needs no corpus: ic(c) = 1 - log(hyponyms(c) + 1) / log(N), where N counts the
synsets of the same part of speech (Seco, Veale and Hayes 2004). Lin similarity (1998): lin(a, b) = 2 ic(lcs) /
(ic(a) + ic(b)), where lcs is the common ancestor with the largest information content.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from terrarium.common.kernels import njit
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from terrarium.common.arrays import Float32Array, Int32Array, Int64Array
from terrarium.hierarchy.links import ancestors_of
from terrarium.senses.data.relations import IS_A

HELD_OUT_EVERY = 50
"""One pair of synsets in this many is never a training pair of the taxonomy loss."""


class Closure(NamedTuple):
    """Ancestors and descendants of each synset, itself included: row i has `up[up_start[i]:up_start[i + 1]]`.

    Attributes:
        up_start, up: (N + 1,) and (P,) ancestors, ascending within a row.
        down_start, down: the same for descendants.
    """

    up_start: Int64Array
    up: Int32Array
    down_start: Int64Array
    down: Int32Array


class TaxonomyPairs(NamedTuple):
    """Pairs of synset rows (P,) and their Lin similarity (P,)."""

    first: Int32Array
    second: Int32Array
    similarity: Float32Array


@dataclass(frozen=True, eq=False)
class Taxonomy:
    """The is-a hierarchy of the training pairs.

    Attributes:
        closure: ancestors and descendants.
        information_content: (N,) from 0 (the root) to 1 (a leaf).
        members: part of speech -> rows of the synsets with an ancestor or a descendant.
    """

    closure: Closure
    information_content: Float32Array
    members: dict[str, Int32Array]

    def __len__(self) -> int:
        return len(self.information_content)


def ancestor_table(pairs: pd.DataFrame, synsets: int) -> pd.DataFrame:
    """Return the proper ancestors of each synset by the is-a pairs of a table, without those on a cycle.

    Args:
        pairs: columns relation, head (child) and tail (parent).
        synsets: number of synsets.

    Returns:
        Columns ancestor, descendant (synset rows) and depth_diff (number of links on the shortest path).
    """
    links = pairs[pairs["relation"].isin(IS_A)]
    child, parent = _drop_cycles(links["head"].to_numpy(np.int32), links["tail"].to_numpy(np.int32), synsets)
    ancestors = ancestors_of(child, parent, synsets)
    descendant = np.repeat(np.arange(synsets, dtype=np.int32), np.diff(ancestors.start))
    return pd.DataFrame(
        {"ancestor": ancestors.rows, "descendant": descendant, "depth_diff": ancestors.difference}
    )


def held_out_ancestors(pairs: pd.DataFrame, ancestors: pd.DataFrame, synsets: int) -> pd.DataFrame:
    """Return the ancestors of all pairs that do not follow from the training pairs, as `ancestor_table` does.

    Args:
        pairs: columns relation, head (child) and tail (parent), of all splits.
        ancestors: `ancestor_table` of the training pairs.
        synsets: number of synsets.
    """
    whole = ancestor_table(pairs, synsets)
    key, known = (x["descendant"].to_numpy(np.int64) * synsets + x["ancestor"] for x in (whole, ancestors))
    return whole[~np.isin(key, known)].reset_index(drop=True)


def information_content(ancestors: pd.DataFrame, pos: pd.Series) -> Float32Array:
    """Return the intrinsic information content of each synset.

    Args:
        ancestors: columns ancestor and descendant.
        pos: part of speech of each synset.

    Returns:
        Array of shape (len(pos),), from 0 to 1 within each part of speech.
    """
    hyponyms = np.bincount(ancestors["ancestor"].to_numpy(), minlength=len(pos))
    size = pos.map(pos.value_counts()).to_numpy()
    content: Float32Array = (1 - np.log(hyponyms + 1) / np.log(np.maximum(size, 2))).astype(np.float32)
    return content


def build_taxonomy(ancestors: pd.DataFrame, information_content: Float32Array, pos: pd.Series) -> Taxonomy:
    """Return the taxonomy of a table of proper ancestors; each synset becomes its own ancestor, too.

    Args:
        ancestors: columns ancestor and descendant (synset rows), as from `ancestor_table`.
        information_content: of each synset, shape (S,).
        pos: part of speech of each synset.
    """
    size = len(pos)
    own = np.arange(size, dtype=np.int32)
    above = np.concatenate([ancestors["ancestor"].to_numpy(np.int32), own])
    below = np.concatenate([ancestors["descendant"].to_numpy(np.int32), own])
    closure = Closure(*_group(below, above, size), *_group(above, below, size))
    has_relatives = (np.diff(closure.up_start) > 1) | (np.diff(closure.down_start) > 1)
    letters = pos.to_numpy()
    members = {part: np.flatnonzero(has_relatives & (letters == part)).astype(np.int32) for part in "nv"}
    return Taxonomy(closure, information_content, {part: rows for part, rows in members.items() if len(rows) > 1})


def lin_similarity(taxonomy: Taxonomy, first: Int32Array, second: Int32Array) -> Float32Array:
    """Return the Lin similarity (P,) of pairs of synset rows (P,)."""
    closure = taxonomy.closure
    similarity: Float32Array = _lin(
        first.astype(np.int32), second.astype(np.int32), closure.up_start, closure.up, taxonomy.information_content
    )
    return similarity


def sample_taxonomy_pairs(
    taxonomy: Taxonomy, count: int, *, common_ancestor_fraction: float, held_out: bool, rng: np.random.Generator
) -> TaxonomyPairs:
    """Draw pairs of synsets of the same part of speech, in random order.

    Args:
        taxonomy: of the training pairs.
        count: number of pairs; none are drawn if the taxonomy is empty.
        common_ancestor_fraction: fraction drawn below a common ancestor; the others are random.
        held_out: draw pairs that are never trained on instead of training pairs.
        rng: random numbers.
    """
    if not taxonomy.members:
        return TaxonomyPairs(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
    sizes = np.array([len(rows) for rows in taxonomy.members.values()])
    counts = rng.multinomial(count, sizes / sizes.sum())
    drawn = [
        _draw(rows, part, taxonomy.closure, common_ancestor_fraction, held_out, rng)
        for rows, part in zip(taxonomy.members.values(), counts, strict=True)
    ]
    order = rng.permutation(count)
    first, second = (np.concatenate(ends)[order] for ends in zip(*drawn, strict=True))
    return TaxonomyPairs(first, second, lin_similarity(taxonomy, first, second))


@njit(cache=True)
def is_held_out(a: int, b: int, size: int) -> bool:  # pragma: no cover - compiled
    """Return whether a pair of rows, in either order, is held out of training: a hash of the pair decides."""
    low, high = np.uint64(min(a, b)), np.uint64(max(a, b))
    mixed = (low * np.uint64(size) + high) * np.uint64(0x9E3779B97F4A7C15)
    return bool((mixed >> np.uint64(40)) % np.uint64(HELD_OUT_EVERY) == 0)


def _drop_cycles(child: Int32Array, parent: Int32Array, size: int) -> tuple[Int32Array, Int32Array]:
    """Drop the links on cycles; WordNet 3.0 has one among its verbs (restrain and inhibit)."""
    graph = coo_array((np.ones(len(child), np.int8), (child, parent)), shape=(size, size))
    _, label = connected_components(graph, directed=True, connection="strong")
    apart = label[child] != label[parent]
    return child[apart], parent[apart]


def _group(by: Int32Array, values: Int32Array, size: int) -> tuple[Int64Array, Int32Array]:
    order = np.lexsort((values, by))
    start = np.concatenate([[0], np.cumsum(np.bincount(by, minlength=size))]).astype(np.int64)
    return start, values[order]


@njit(cache=True)
def _lin(first: Any, second: Any, start: Any, up: Any, content: Any) -> Any:  # pragma: no cover - compiled
    """Merge the two ascending lists of ancestors; the common one with the largest information content counts."""
    similarity = np.zeros(len(first), np.float32)
    for k in range(len(first)):
        i, j = first[k], second[k]
        p, q, best = start[i], start[j], np.float32(0)
        while p < start[i + 1] and q < start[j + 1]:
            if up[p] == up[q]:
                best = max(best, content[up[p]])
                p += 1
                q += 1
            elif up[p] < up[q]:
                p += 1
            else:
                q += 1
        total = content[i] + content[j]
        similarity[k] = 2 * best / total if total > 0 else np.float32(i == j)
    return similarity


@njit(cache=True)
def _draw(
    rows: Any, count: int, closure: Any, common_ancestor_fraction: float, held_out: bool, rng: Any
) -> Any:  # pragma: no cover - compiled
    """Draw pairs: the second end is any member, or an ancestor of the first end or one of its descendants."""
    size = len(closure.up_start) - 1
    first, second = np.empty(count, np.int32), np.empty(count, np.int32)
    k = 0
    while k < count:
        i = rows[rng.integers(0, len(rows))]
        j = rows[rng.integers(0, len(rows))]
        if rng.random() < common_ancestor_fraction:
            c = closure.up[rng.integers(closure.up_start[i], closure.up_start[i + 1])]
            is_ancestor = rng.random() < 0.2
            j = c if is_ancestor else closure.down[rng.integers(closure.down_start[c], closure.down_start[c + 1])]
        if i != j and is_held_out(i, j, size) == held_out:
            first[k], second[k] = i, j
            k += 1
    return first, second
