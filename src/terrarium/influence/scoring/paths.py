"""Paths between the head and the tail of a query triple, ranked by the mean influence of their edges.

Training triples are edges in either direction. Of parallel edges only the one with the highest influence counts, so
that a path is a sequence of entities: one edge, two or three.

Nearly every pair of entities is joined by a path over a hub, such as the rank that all species have, which explains
nothing. So the mean influence is multiplied by d^-w for each edge of the path at each inner entity of degree d, as in
the degree-weighted path count (Himmelstein and Baranzini 2015, where w = 0.4 predicts best).

The permutation test: the influences of the candidate edges are permuted, but only within strata, the edges of the same
relation that touch head and tail in the same way (restricted permutation, Good 2005). An edge at the head or the tail
has a large influence whatever the model learned, and so has an edge with the query's relation; permuted over all edges,
these alone would make nearly every best path look significant. Within strata the test asks whether the edges of one
path are strong together. An edge from head to tail is a path of its own and says nothing about that: the test is on
paths of two or three edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import BoolArray, Float64Array, Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, Triples

SIGNIFICANCE_LEVEL = 0.05
"""A best path with a smaller p-value stands out."""


@dataclass(frozen=True, eq=False)
class CandidatePaths:
    """C paths over E candidate edges in G groups of parallel edges.

    Attributes:
        edges: (E,) indices of the training triples that are on a path.
        groups: (3, C) groups of the first, middle and last edge of each path, -1 where it has fewer edges.
        group: (E,) group of each edge, 0 to G - 1.
        num_groups: G.
        stratum: (E,) stratum of each edge for the permutation test.
        weight: (C,) factor of each path's mean influence, by the degrees of its inner entities.
    """

    edges: Int64Array
    groups: Int64Array
    group: Int64Array
    num_groups: int
    stratum: Int64Array
    weight: Float64Array

    def __len__(self) -> int:
        return self.groups.shape[1]


class PathScores(NamedTuple):
    """Scores of candidate paths.

    Attributes:
        score: (C,) weighted mean influence of each path's edges.
        best_edge: (G,) position among the candidate edges of the most influential edge of each group.
    """

    score: Float64Array
    best_edge: Int64Array


class PathTest(NamedTuple):
    """Result of the permutation test; both are NaN without permutations or without a path of two or three edges.

    Attributes:
        p_value: (1 + permutations with as good a best path) / (1 + permutations) (Davison and Hinkley 1997).
        null_mean: mean over permutations of the best path's score.
    """

    p_value: float
    null_mean: float


def find_paths(train: Triples, head: int, tail: int, max_length: int, degree_damping: float = 0.0) -> CandidatePaths:
    """Return all simple paths of at most `max_length` (1 to 3) edges between two entities.

    Args:
        train: (n, 3) training triples, the edges.
        head, tail: the entities.
        max_length: largest number of edges.
        degree_damping: exponent w of the degrees of inner entities.
    """
    ends = np.sort(train[:, [HEAD, TAIL]], axis=1)
    near_head, near_tail = (_neighbours(ends, entity) for entity in (head, tail))
    edges = np.flatnonzero(_may_be_on_path(ends, head, tail, near_head, near_tail, max_length))
    pairs, group = np.unique(ends[edges], axis=0, return_inverse=True)
    groups, inner = _chain_groups(pairs, head, tail, max_length)
    used = np.unique(groups[groups >= 0])
    renumbered = np.full(len(pairs) + 1, -1)
    renumbered[used] = np.arange(len(used))
    group = renumbered[group.reshape(-1)]
    on_path = group >= 0
    edges, group = edges[on_path], group[on_path]
    weight = _path_weights(ends, inner, degree_damping)
    return CandidatePaths(edges, renumbered[groups], group, len(used), edge_strata(train[edges], head, tail), weight)


def edge_strata(edges: Triples, head: int, tail: int) -> Int64Array:
    """Return the strata (E,) of edges (E, 3): equal relations, and head and tail at the same ends."""
    touches = [edges[:, end] == entity for end in (HEAD, TAIL) for entity in (head, tail)]
    _, stratum = np.unique(np.stack([*touches, edges[:, RELATION]], axis=1), axis=0, return_inverse=True)
    return stratum.reshape(-1)


def score_paths(paths: CandidatePaths, influence: Float64Array) -> PathScores:
    """Return the scores of paths under influences (E,) of their candidate edges."""
    order = np.lexsort((influence, paths.group))
    last = np.append(np.flatnonzero(np.diff(paths.group[order])), len(order) - 1) if len(order) else order
    best_edge = order[last]
    return PathScores(paths.weight * _mean_influence(paths.groups, influence[best_edge]), best_edge)


def permutation_test(
    paths: CandidatePaths, influence: Float64Array, num_permutations: int, rng: np.random.Generator
) -> PathTest:
    """Compare the best path of two or three edges with permutations of the influences within strata.

    Args:
        paths: from `find_paths`.
        influence: of the edges, shape (E,).
        num_permutations: 0 makes no test.
        rng: random numbers.

    Returns:
        p-value and mean of the best permuted path; NaN without a test.
    """
    is_tested = paths.groups[1] >= 0
    groups, weight = paths.groups[:, is_tested], paths.weight[is_tested]
    if not num_permutations or not groups.shape[1]:
        return PathTest(np.nan, np.nan)
    by_group = np.argsort(paths.group, kind="stable")
    group_start = np.flatnonzero(np.diff(paths.group[by_group], prepend=-1))

    def best_score(values: Float64Array) -> float:
        return float((weight * _mean_influence(groups, np.maximum.reduceat(values[by_group], group_start))).max())

    by_stratum = np.argsort(paths.stratum, kind="stable")
    strata = np.split(by_stratum, np.flatnonzero(np.diff(paths.stratum[by_stratum])) + 1)
    strata = [stratum for stratum in strata if len(stratum) > 1]
    observed = best_score(influence)
    null = np.empty(num_permutations)
    for number in range(num_permutations):
        permuted = influence.copy()
        for stratum in strata:
            permuted[stratum] = influence[rng.permutation(stratum)]
        null[number] = best_score(permuted)
    return PathTest(float((1 + (null >= observed).sum()) / (1 + num_permutations)), float(null.mean()))


def _mean_influence(groups: Int64Array, influence: Float64Array) -> Float64Array:
    """Return the mean (C,) over the groups (3, C) of each path of the groups' influences (G,)."""
    padded = np.append(influence, 0.0)
    mean: Float64Array = padded[groups].sum(axis=0) / (groups >= 0).sum(axis=0)
    return mean


def _neighbours(ends: Int64Array, entity: int) -> Int64Array:
    own = ends[(ends == entity).any(axis=1)]
    return np.setdiff1d(own, [entity])


def _may_be_on_path(
    ends: Int64Array, head: int, tail: int, near_head: Int64Array, near_tail: Int64Array, max_length: int
) -> BoolArray:
    """Return whether an edge joins head and tail, or one of them and a useful neighbour, or two such neighbours."""
    low, high = ends.T
    kept = (low == min(head, tail)) & (high == max(head, tail))
    if max_length == 1:
        return kept
    useful = np.intersect1d(near_head, near_tail)
    if max_length == 3:
        middle = _joins_neighbours(ends, np.setdiff1d(near_head, [head, tail]), np.setdiff1d(near_tail, [head, tail]))
        kept |= middle
        useful = np.union1d(useful, ends[middle].ravel())
    useful = np.setdiff1d(useful, [head, tail])
    for end, near in ((head, near_head), (tail, near_tail)):
        for one, other in ((low, high), (high, low)):
            kept |= (one == end) & np.isin(other, np.intersect1d(useful, near))
    return kept


def _joins_neighbours(ends: Int64Array, near_head: Int64Array, near_tail: Int64Array) -> BoolArray:
    low, high = ends.T
    joins = np.isin(low, near_head) & np.isin(high, near_tail) | np.isin(low, near_tail) & np.isin(high, near_head)
    return joins & (low != high)


def _path_weights(ends: Int64Array, inner: Int64Array, degree_damping: float) -> Float64Array:
    """Return d^(-2 w), multiplied over the inner entities (2, C) of each path; -1 is none."""
    degree = np.append(np.bincount(ends.ravel()), 1).astype(np.float64)
    weight: Float64Array = (degree[inner] ** (-2 * degree_damping)).prod(axis=0)
    return weight


def _chain_groups(pairs: Int64Array, head: int, tail: int, max_length: int) -> tuple[Int64Array, Int64Array]:
    """Return the groups (3, C) of each path's edges, rows of `pairs` in its order, and its inner entities (2, C).

    Both are -1 where a path has fewer.
    """
    number_of = {(int(a), int(b)): number for number, (a, b) in enumerate(pairs)}

    def group(one: int, other: int) -> int:
        return number_of.get((min(one, other), max(one, other)), -1)

    rows = [(group(head, tail), -1, -1, -1, -1)] if group(head, tail) >= 0 else []
    if max_length > 1:
        inner = (int(one) for one in np.setdiff1d(pairs, [head, tail]))
        steps = ((group(head, one), group(one, tail), one) for one in inner)
        rows += [(first, last, -1, one, -1) for first, last, one in steps if first >= 0 and last >= 0]
    if max_length > 2:
        for a, b in pairs:
            if {int(a), int(b)} & {head, tail} or a == b:
                continue
            for one, other in ((int(a), int(b)), (int(b), int(a))):
                first, last = group(head, one), group(other, tail)
                if first >= 0 and last >= 0:
                    rows.append((first, group(one, other), last, one, other))
    columns = np.array(rows, np.int64).reshape(-1, 5).T
    return columns[:3], columns[3:]
