"""How well a layout gives back its tree: each taxon's ancestors, and its tree neighbours, ranked among all others.

Protocol: for a query u with relatives sorted by score, n_j is the number of rows that are neither u nor a relative and
score below the j-th relative, ties counted half. The rank of the j-th relative is 1 + n_j, and the average precision of
u is the mean of j / (j + n_j). Ancestors are ranked as in Nickel and Kiela 2017, directed: descendants of u are among
the others. Once by distance, once by slack(u, v) = r_v + d(u, v) - r_u, 0 for v on the geodesic from the origin to u.
Edge MAP (Sala et al. 2018) takes parent and children as the relatives, by distance. The undirected variant (Nickel and
Kiela 2018) takes ancestors and descendants together, by distance.

Every rank is counted over all rows; only the queries may be a sample, stratified by depth.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Floats, Layout

GROUP = 32
"""Queries that share one pass over the table."""
LEAST_A_DEPTH = 10
"""Queries that a sample takes of each depth, at least."""
LARGEST_RADIUS = 150.0
"""Beyond it the squares of exponentials of the radii leave float64."""
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class QuerySample:
    """The taxa whose relatives are ranked.

    Attributes:
        rows: (Q,) rows in ascending order.
        depth: (Q,) their depths, the strata.
        population: (max_depth + 1,) taxa at each depth.
        pairs: (max_depth + 1,) pairs whose descendant is of each depth.
    """

    rows: NDArray[np.int32]
    depth: NDArray[np.int64]
    population: NDArray[np.int64]
    pairs: NDArray[np.int64]

    @property
    def exact(self) -> bool:
        """Whether every taxon is a query."""
        return len(self.rows) == int(self.population.sum())


@dataclass(frozen=True, eq=False)
class Ranking:
    """What one way of ranking gives each query.

    Attributes:
        rank_sum: (Q,) sum of the ranks of the relatives.
        average_precision: (Q,) in (0, 1]; 0 where there are no relatives.
        relatives: (Q,) how many relatives there are.
    """

    rank_sum: Floats
    average_precision: Floats
    relatives: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """The three rankings of a sample of queries."""

    sample: QuerySample
    by_distance: Ranking
    by_slack: Ranking
    edges: Ranking

    def metrics(self) -> dict[str, float]:
        """MAP and mean rank of each ranking; of a sample also the 95 % limits `_low` and `_high`.

        MAP is the mean over taxa that have ancestors (for edges: over all), mean rank the mean over all pairs.
        """
        sample = self.sample
        found = {"reconstruction_queries": float(len(sample.rows))}
        for name, ranking in (("distance", self.by_distance), ("slack", self.by_slack)):
            precision, ranks = ranking.average_precision, ranking.rank_sum
            found |= estimate(sample, f"ancestor_map_{name}", precision, first_depth=1, top=1.0)
            found |= estimate(sample, f"ancestor_mean_rank_{name}", ranks, first_depth=1, per_pair=True)
        return found | estimate(sample, "edge_map", self.edges.average_precision, first_depth=0, top=1.0)


def estimate(
    sample: QuerySample, name: str, values: Floats, *, first_depth: int, per_pair: bool = False, top: float = np.inf
) -> dict[str, float]:
    """Stratified mean of a value of the queries from a depth on, with a normal interval if it is a sample.

    How many pairs there are at each depth is known, so a sum over pairs is a stratified total over known pairs.
    """
    population = sample.population.astype(np.float64)
    population[:first_depth] = 0.0
    per = float(sample.pairs[first_depth:].sum() if per_pair else population.sum())
    total, variance = _stratified(values, sample.depth, population)
    mean = total / per
    if sample.exact:
        return {name: mean}
    half = _NORMAL_95 * np.sqrt(variance) / per
    return {name: mean, f"{name}_low": max(mean - half, 0.0), f"{name}_high": min(mean + half, top)}


def choose_queries(tree: Hierarchy, exact_limit: int, queries: int, seed: int) -> QuerySample:
    """All taxa of a tree of at most `exact_limit`, else a sample of `queries`, stratified by depth.

    The sample is proportional to the taxa at each depth, but at least 10 of each depth (all, where there are fewer):
    the few shallow taxa differ most. It may thus hold a few more than asked for. A tree of no more than `queries` taxa
    is taken whole.
    """
    population = np.bincount(tree.depth).astype(np.int64)
    above = tree.depth if tree.is_tree else np.diff(tree.ancestor_rows.start)
    pairs = np.bincount(tree.depth, above).astype(np.int64)
    if len(tree) <= max(exact_limit, queries):
        return QuerySample(np.arange(len(tree), dtype=np.int32), tree.depth.astype(np.int64), population, pairs)
    share = np.floor(queries * population / len(tree)).astype(np.int64)
    taken = np.minimum(np.maximum(share, LEAST_A_DEPTH), population)
    shuffled = np.random.default_rng(seed).permutation(len(tree))
    by_depth = shuffled[np.argsort(tree.depth[shuffled], kind="stable")]
    within = np.arange(len(tree)) - np.repeat(np.cumsum(population) - population, population)
    rows = np.sort(by_depth[within < np.repeat(taken, population)]).astype(np.int32)
    return QuerySample(rows, tree.depth[rows].astype(np.int64), population, pairs)


def reconstruct(tree: Hierarchy, layout: Layout, sample: QuerySample, *, threads: int | None = None) -> Reconstruction:
    """Rank the ancestors and the tree neighbours of the queries, exactly.

    Time O(Q N d), memory O(N d) for the table and O(relatives) a thread; the numbers do not depend on the threads.

    Args:
        tree: N nodes.
        layout: their points.
        sample: from `choose_queries`.
        threads: by default the processors this process may use.

    Raises:
        ValueError: a layout of another size, not finite, or with a radius outside 0 .. 150.
    """
    from terrarium.hyperbolic.evaluation.rank_kernel import DISTANCE, EDGE, SLACK, count_ranks

    points, relatives = point_table(layout, len(tree)), _relatives(tree)
    ranks, precision = np.zeros((len(sample.rows), 3)), np.zeros((len(sample.rows), 3))

    def rank_group(start: int) -> None:
        part = slice(start, start + GROUP)
        count_ranks(relatives, points, sample.rows[part], ranks[part], precision[part])

    starts = range(0, len(sample.rows), GROUP)
    with ThreadPoolExecutor(threads or _processors()) as pool:
        for _ in pool.map(rank_group, starts):
            pass
    degree = np.diff(relatives[2])[sample.rows]
    above = sample.depth if tree.is_tree else np.diff(tree.ancestor_rows.start)[sample.rows]
    count = {DISTANCE: above, SLACK: above, EDGE: degree}
    parts = [Ranking(ranks[:, m], precision[:, m], count[m]) for m in (DISTANCE, SLACK, EDGE)]
    return Reconstruction(sample, *parts)


def reconstruct_undirected(
    tree: Hierarchy, layout: Layout, sample: QuerySample, *, threads: int | None = None
) -> dict[str, float]:
    """undirected_map_distance and undirected_mean_rank_distance, with limits if the queries are a sample.

    Time O(Q N (d + log of the relatives)), memory O(N + closure); arguments and errors as in `reconstruct`.
    """
    from terrarium.hyperbolic.evaluation.rank_kernel import count_closure_ranks

    points = point_table(layout, len(tree))
    ancestor, descendant, _ = tree.closure()
    one, other = np.concatenate([ancestor, descendant]), np.concatenate([descendant, ancestor])
    count = np.bincount(one, minlength=len(tree))
    relatives = other[np.argsort(one, kind="stable")].astype(np.int64), np.concatenate([[0], np.cumsum(count)])
    ranks, precision = np.zeros(len(sample.rows)), np.zeros(len(sample.rows))

    def rank_group(start: int) -> None:
        part = slice(start, start + GROUP)
        count_closure_ranks(relatives, points, sample.rows[part], ranks[part], precision[part])

    with ThreadPoolExecutor(threads or _processors()) as pool:
        for _ in pool.map(rank_group, range(0, len(sample.rows), GROUP)):
            pass
    both = replace(sample, pairs=np.bincount(tree.depth, count).astype(np.int64))
    return {
        **estimate(both, "undirected_map_distance", precision, first_depth=0, top=1.0),
        **estimate(both, "undirected_mean_rank_distance", ranks, first_depth=0, per_pair=True),
    }


def point_table(layout: Layout, size: int) -> tuple[NDArray, Floats, Floats, Floats]:
    """What the compiled functions read of a layout: (d, N) directions, exp(r), exp(-r), exp(r) sinh(r).

    Raises:
        ValueError: see `reconstruct`.
    """
    radius, direction = np.asarray(layout.radius, np.float64), np.asarray(layout.direction, np.float64)
    if len(radius) != size or len(direction) != size:
        raise ValueError(f"layout of {len(radius)} points for {size} taxa: evaluate a layout on its own hierarchy")
    if not (np.isfinite(radius).all() and np.isfinite(direction).all()):
        bad = ~(np.isfinite(radius) & np.isfinite(direction).all(axis=1))
        raise ValueError(f"row {int(np.argmax(bad))} is not finite ({int(bad.sum())} such): the layout is broken")
    if radius.min() < 0.0 or radius.max() > LARGEST_RADIUS:
        raise ValueError(
            f"radii from {radius.min():.6g} to {radius.max():.6g}: evaluation takes 0 to {LARGEST_RADIUS:g}, "
            "lower model.max_radius"
        )
    return np.ascontiguousarray(direction.T), np.exp(radius), np.exp(-radius), 0.5 * np.expm1(2.0 * radius)


def _relatives(tree: Hierarchy) -> tuple[NDArray, ...]:
    """What `count_ranks` reads: first parents; neighbours by link and their offsets; of a DAG ancestors and offsets."""
    child, parent = tree.links()
    row, other = np.concatenate([child, parent]), np.concatenate([parent, child])
    near = other[np.argsort(row, kind="stable")]
    near_start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(tree)))])
    if tree.is_tree:
        return tree.parent, near, near_start, np.zeros(0, np.int32), np.zeros(0, np.int64)
    return tree.parent, near, near_start, tree.ancestor_rows.rows, tree.ancestor_rows.start


def _stratified(values: Floats, stratum: NDArray[np.int64], population: Floats) -> tuple[float, float]:
    """Estimate of the population's total, and its variance with the finite-population correction."""
    size = len(population)
    count = np.maximum(np.bincount(stratum, minlength=size), 1)
    mean = np.bincount(stratum, values, minlength=size) / count
    square = np.bincount(stratum, np.square(values - mean[stratum]), minlength=size)
    unseen = np.clip(1.0 - count / np.maximum(population, 1.0), 0.0, 1.0)
    variance = np.square(population) * unseen * square / (np.maximum(count - 1, 1) * count)
    return float(population @ mean), float(variance.sum())


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
