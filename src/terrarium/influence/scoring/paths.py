"""Paths between the head and the tail of a triple, ranked by the mean influence of their edges.

Training triples count in either direction. Of parallel edges the one with the highest influence stands for the pair,
so that the candidates are sequences of entities: the edge itself, two edges, or three.

The null: the influences of the candidates' edges are shuffled, but only among edges of one stratum, those of the same
relation that touch head and tail in the same way (a permutation test within blocks, Good 2005). An edge with the head
or the tail in it has a large influence whatever was learned, and so has one of the relation asked about; shuffled over
all edges, these alone would make nearly every best path look rare. What is left to ask is whether the edges of one path
are strong together, among as many candidates. An edge from head to tail is a path of its own, and says nothing of
that: the null is one of the paths of two or three edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, Triples


@dataclass(frozen=True, eq=False)
class Candidates:
    """Paths as rows of places among edges.

    Attributes:
        edges: (E,) places of the training triples that may stand on a path.
        first, middle, last: (C,) groups of parallel edges a path takes, -1 where it has fewer edges.
        group: (E,) the group of each edge.
        groups: how many.
        stratum: (E,) which edges may change places under the null.
    """

    edges: Int64Array
    first: Int64Array
    middle: Int64Array
    last: Int64Array
    group: Int64Array
    groups: int
    stratum: Int64Array

    def __len__(self) -> int:
        return len(self.first)


def candidates(train: Triples, head: int, tail: int, length: int) -> Candidates:
    """All simple paths of at most `length` (1 to 3) edges between two entities."""
    ends = np.sort(train[:, [HEAD, TAIL]], axis=1)
    near_head, near_tail = (_neighbours(ends, entity) for entity in (head, tail))
    kept = _may_stand(ends, head, tail, near_head, near_tail, length)
    edges = np.flatnonzero(kept)
    pairs, group = np.unique(ends[edges], axis=0, return_inverse=True)
    rows = _chains(pairs, head, tail, length)
    used = np.unique(rows[rows >= 0])
    number = np.full(len(pairs) + 1, -1)
    number[used] = np.arange(len(used))
    on_a_path = number[group.reshape(-1)] >= 0
    group, edges = number[group.reshape(-1)][on_a_path], edges[on_a_path]
    first, middle, last = number[rows]
    return Candidates(edges, first, middle, last, group, len(used), strata(train[edges], head, tail))


def strata(edges: Triples, head: int, tail: int) -> Int64Array:
    """(E,) numbers of strata: equal relations, and head and tail at the same ends."""
    touches = [edges[:, end] == entity for end in (HEAD, TAIL) for entity in (head, tail)]
    _, found = np.unique(np.stack([*touches, edges[:, RELATION]], axis=1), axis=0, return_inverse=True)
    return found.reshape(-1)


def path_scores(found: Candidates, influence: Float64Array) -> tuple[Float64Array, Int64Array]:
    """(C,) mean influences of the candidates' edges, and (G,) the best edge of each group; `influence` is (E,)."""
    order = np.lexsort((influence, found.group))
    last = np.append(np.flatnonzero(np.diff(found.group[order])), len(order) - 1) if len(order) else order
    best = order[last]
    of_group = np.append(influence[best], 0.0)
    parts = np.stack([found.first, found.middle, found.last])
    return of_group[parts].sum(axis=0) / (parts >= 0).sum(axis=0), best


def chance(
    found: Candidates, influence: Float64Array, permutations: int, rng: np.random.Generator
) -> tuple[float, float]:
    """How often influences shuffled within strata give as good a best path of more than one edge, and their mean best.

    The first is (1 + as good) / (1 + shuffles) (Davison and Hinkley 1997). Both are undefined without shuffles, or
    without such a path.
    """
    places = _by_group(found)
    long = np.flatnonzero(found.middle >= 0)
    if not permutations or not len(long):
        return np.nan, np.nan
    routes = np.stack([part[long] for part in (found.first, found.middle, found.last)])
    observed = _best_of(routes, places, influence)
    order = np.argsort(found.stratum, kind="stable")
    blocks = np.split(order, np.flatnonzero(np.diff(found.stratum[order])) + 1)
    blocks = [block for block in blocks if len(block) > 1]
    null = np.empty(permutations)
    for number in range(permutations):
        shuffled = influence.copy()
        for block in blocks:
            shuffled[block] = influence[rng.permutation(block)]
        null[number] = _best_of(routes, places, shuffled)
    return float((1 + (null >= observed).sum()) / (1 + permutations)), float(null.mean())


def _by_group(found: Candidates) -> tuple[Int64Array, Int64Array]:
    """(E,) the edges in the order of their groups, and (G,) where each group starts in it."""
    order = np.argsort(found.group, kind="stable")
    return order, np.flatnonzero(np.diff(found.group[order], prepend=-1))


def _best_of(routes: Int64Array, places: tuple[Int64Array, Int64Array], influence: Float64Array) -> float:
    """The highest mean of the routes' (3, C) groups, each with its best edge."""
    order, starts = places
    of_group = np.append(np.maximum.reduceat(influence[order], starts), 0.0)
    return float((of_group[routes].sum(axis=0) / (routes >= 0).sum(axis=0)).max())


def _neighbours(ends: Int64Array, entity: int) -> Int64Array:
    own = ends[(ends == entity).any(axis=1)]
    return np.setdiff1d(own, [entity])


def _may_stand(
    ends: Int64Array, head: int, tail: int, near_head: Int64Array, near_tail: Int64Array, length: int
) -> np.ndarray:
    """Whether an edge joins head and tail, or leads from one to a neighbour of use, or joins such neighbours."""
    low, high = ends.T
    kept = (low == min(head, tail)) & (high == max(head, tail))
    if length == 1:
        return kept
    useful = np.intersect1d(near_head, near_tail)
    if length == 3:
        between = _between(ends, near_head, near_tail, {head, tail})
        kept |= between
        reached = ends[between].ravel()
        useful = np.union1d(useful, reached)
    useful = np.setdiff1d(useful, [head, tail])
    for end, near in ((head, near_head), (tail, near_tail)):
        for one, other in ((low, high), (high, low)):
            kept |= (one == end) & np.isin(other, np.intersect1d(useful, near))
    return kept


def _between(ends: Int64Array, near_head: Int64Array, near_tail: Int64Array, without: set[int]) -> np.ndarray:
    low, high = ends.T
    of_head, of_tail = (np.setdiff1d(near, list(without)) for near in (near_head, near_tail))
    joins = np.isin(low, of_head) & np.isin(high, of_tail) | np.isin(low, of_tail) & np.isin(high, of_head)
    return joins & (low != high)


def _chains(pairs: Int64Array, head: int, tail: int, length: int) -> Int64Array:
    """(3, C) groups of edges in the order of each path, -1 where it has fewer."""
    place = {(int(a), int(b)): at for at, (a, b) in enumerate(pairs)}

    def at(one: int, other: int) -> int:
        return place.get((min(one, other), max(one, other)), -1)

    rows = [(at(head, tail), -1, -1)] if at(head, tail) >= 0 else []
    inner = np.setdiff1d(pairs, [head, tail])
    if length > 1:
        steps = ((at(head, int(one)), at(int(one), tail)) for one in inner)
        rows += [(first, last, -1) for first, last in steps if first >= 0 and last >= 0]
    if length > 2:
        for a, b in pairs:
            if {int(a), int(b)} & {head, tail} or a == b:
                continue
            for one, other in ((int(a), int(b)), (int(b), int(a))):
                first, last = at(head, one), at(other, tail)
                if first >= 0 and last >= 0:
                    rows.append((first, at(one, other), last))
    return np.array(rows, np.int64).reshape(-1, 3).T
