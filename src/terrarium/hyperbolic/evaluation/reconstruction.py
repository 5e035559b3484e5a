"""How well a layout reconstructs its tree: each taxon's ancestors and its tree neighbours, ranked among all other taxa.

Protocol: sort the relatives of a query u by score. For the j-th relative, n_j is the number of rows that are neither u
nor a relative and score below it; ties count half. Its rank is 1 + n_j, and the average precision of u is the mean of
j / (j + n_j). MAP is the mean average precision over queries.

Ancestors are ranked as in Nickel and Kiela (2017), directed: descendants of u are among the others. They are ranked
twice: by hyperbolic distance, and by detour(u, v) = r_v + d(u, v) - r_u, which is 0 if v is on the geodesic from the
origin to u. Edge MAP (Sala et al. 2018) takes parent and children as the relatives, by distance. The undirected
variant (Nickel and Kiela 2018) takes ancestors and descendants together, by distance.

Every rank is counted over all rows. Only the queries may be a sample, stratified by depth.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from terrarium.common.arrays import Float64Array, Int32Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.kernels import ranks
from terrarium.hyperbolic.evaluation.kernels.ranks import DETOUR, DISTANCE, EDGE, NUM_RANKINGS, Groups, Relatives
from terrarium.hyperbolic.geometry.ball import Layout

QUERY_GROUP = 32
"""Queries that share one pass over the table."""
MIN_QUERIES_PER_DEPTH = 10
"""Fewest queries that a sample takes of each depth that has as many taxa."""
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class QuerySample:
    """The taxa whose relatives are ranked.

    Attributes:
        rows: (Q,) rows in ascending order.
        depth: (Q,) their depths, the strata of the sample.
        population: (max_depth + 1,) number of taxa at each depth.
        pairs: (max_depth + 1,) number of pairs whose descendant is at each depth.
    """

    rows: Int32Array
    depth: Int64Array
    population: Int64Array
    pairs: Int64Array

    @property
    def is_exact(self) -> bool:
        """Whether every taxon is a query."""
        return len(self.rows) == int(self.population.sum())


@dataclass(frozen=True, eq=False)
class Ranking:
    """The ranks of the relatives of Q queries.

    Attributes:
        rank_sum: (Q,) sum of the ranks of the relatives.
        average_precision: (Q,) in (0, 1]; 0 where there are no relatives.
        relatives: (Q,) number of relatives.
    """

    rank_sum: Float64Array
    average_precision: Float64Array
    relatives: Int64Array


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """The three rankings of a sample of queries: ancestors by distance and by detour, neighbours by distance."""

    sample: QuerySample
    by_distance: Ranking
    by_detour: Ranking
    edges: Ranking

    def metrics(self) -> dict[str, float]:
        """Return MAP and mean rank, with 95 % limits `_low` and `_high` if the queries are a sample.

        MAP is the mean over taxa that have ancestors (for edges, over all taxa), mean rank the mean over all pairs.
        """
        sample = self.sample
        metrics = {"reconstruction_queries": float(len(sample.rows))}
        for name, ranking in (("distance", self.by_distance), ("detour", self.by_detour)):
            precision, rank_sum = ranking.average_precision, ranking.rank_sum
            metrics |= estimate(sample, f"ancestor_map_{name}", precision, first_depth=1, upper=1.0)
            metrics |= estimate(sample, f"ancestor_mean_rank_{name}", rank_sum, first_depth=1, per_pair=True)
        return metrics | estimate(sample, "edge_map", self.edges.average_precision, first_depth=0, upper=1.0)


def estimate(
    sample: QuerySample,
    name: str,
    values: Float64Array,
    *,
    first_depth: int,
    per_pair: bool = False,
    upper: float = np.inf,
) -> dict[str, float]:
    """Estimate a mean over all taxa from the values of the queries, with a normal interval if they are a sample.

    The number of pairs at each depth is known, so a mean over pairs is a stratified total divided by it.

    Args:
        sample: Q queries.
        name: name of the metric.
        values: (Q,) values.
        first_depth: taxa of smaller depths are left out.
        per_pair: divide by the number of pairs instead of the number of taxa.
        upper: largest possible value.

    Returns:
        name, and for a sample name_low and name_high (95 %).
    """
    population = sample.population.astype(np.float64)
    population[:first_depth] = 0.0
    count = float(sample.pairs[first_depth:].sum() if per_pair else population.sum())
    total, variance = _stratified_total(values, sample.depth, population)
    mean = total / count
    if sample.is_exact:
        return {name: mean}
    half = _NORMAL_95 * np.sqrt(variance) / count
    return {name: mean, f"{name}_low": max(mean - half, 0.0), f"{name}_high": min(mean + half, upper)}


def choose_queries(tree: Hierarchy, max_exact: int, num_queries: int, seed: int) -> QuerySample:
    """Choose the queries: all taxa of a small tree, else a sample stratified by depth.

    The sample is proportional to the number of taxa at each depth, but has at least 10 of each depth (all, where there
    are fewer), since the few shallow taxa vary most. It may thus have a few more than `num_queries`.

    Args:
        tree: N nodes.
        max_exact: most taxa of a tree that is taken whole.
        num_queries: size of the sample; a tree of no more taxa is taken whole as well.
        seed: seed of the sample.
    """
    population = np.bincount(tree.depth).astype(np.int64)
    pairs = np.bincount(tree.depth, _num_ancestors(tree)).astype(np.int64)
    if len(tree) <= max(max_exact, num_queries):
        return QuerySample(np.arange(len(tree), dtype=np.int32), tree.depth.astype(np.int64), population, pairs)
    share = np.floor(num_queries * population / len(tree)).astype(np.int64)
    taken = np.minimum(np.maximum(share, MIN_QUERIES_PER_DEPTH), population)
    shuffled = np.random.default_rng(seed).permutation(len(tree))
    by_depth = shuffled[np.argsort(tree.depth[shuffled], kind="stable")]
    within = np.arange(len(tree)) - np.repeat(np.cumsum(population) - population, population)
    rows = np.sort(by_depth[within < np.repeat(taken, population)]).astype(np.int32)
    return QuerySample(rows, tree.depth[rows].astype(np.int64), population, pairs)


def reconstruct(tree: Hierarchy, layout: Layout, sample: QuerySample, *, threads: int | None = None) -> Reconstruction:
    """Rank the ancestors and the tree neighbours of the queries, exactly.

    Takes O(Q N d) time, and O(N d) memory for the table plus O(relatives) per thread. The numbers do not depend on
    the number of threads.

    Args:
        tree: N nodes.
        layout: their points.
        sample: queries from `choose_queries`.
        threads: by default the number of processors that this process may use.

    Raises:
        ValueError: the layout has another size, is not finite, or has a radius outside 0 to 150.
    """
    points, relatives = ranks.point_table(layout, len(tree)), _relatives(tree)
    rank_sum, precision = np.zeros((len(sample.rows), NUM_RANKINGS)), np.zeros((len(sample.rows), NUM_RANKINGS))

    def rank_group(part: slice) -> None:
        ranks.count_ranks(relatives, points, sample.rows[part], rank_sum[part], precision[part])

    _run_in_groups(rank_group, len(sample.rows), threads)
    num_ancestors, degree = _num_ancestors(tree)[sample.rows], np.diff(relatives.neighbour_start)[sample.rows]
    return Reconstruction(
        sample,
        by_distance=Ranking(rank_sum[:, DISTANCE], precision[:, DISTANCE], num_ancestors),
        by_detour=Ranking(rank_sum[:, DETOUR], precision[:, DETOUR], num_ancestors),
        edges=Ranking(rank_sum[:, EDGE], precision[:, EDGE], degree),
    )


def reconstruct_undirected(
    tree: Hierarchy, layout: Layout, sample: QuerySample, *, threads: int | None = None
) -> dict[str, float]:
    """Rank the ancestors and descendants of the queries together, by distance.

    Takes O(Q N (d + log of the relatives)) time and O(N + closure) memory; arguments and errors as in `reconstruct`.

    Returns:
        undirected_map_distance and undirected_mean_rank_distance, with limits if the queries are a sample.
    """
    points = ranks.point_table(layout, len(tree))
    ancestor, descendant, _ = tree.closure()
    rows, relative = np.concatenate([ancestor, descendant]), np.concatenate([descendant, ancestor])
    count = np.bincount(rows, minlength=len(tree))
    members = relative[np.argsort(rows, kind="stable")].astype(np.int64)
    relatives = Groups(members, np.concatenate([[0], np.cumsum(count)]))
    rank_sum, precision = np.zeros(len(sample.rows)), np.zeros(len(sample.rows))

    def rank_group(part: slice) -> None:
        ranks.count_closure_ranks(relatives, points, sample.rows[part], rank_sum[part], precision[part])

    _run_in_groups(rank_group, len(sample.rows), threads)
    sample = replace(sample, pairs=np.bincount(tree.depth, count).astype(np.int64))
    return {
        **estimate(sample, "undirected_map_distance", precision, first_depth=0, upper=1.0),
        **estimate(sample, "undirected_mean_rank_distance", rank_sum, first_depth=0, per_pair=True),
    }


def _run_in_groups(rank_group: Callable[[slice], None], size: int, threads: int | None) -> None:
    """Call a function for each group of queries, in threads; its first error is raised."""
    groups = [slice(start, start + QUERY_GROUP) for start in range(0, size, QUERY_GROUP)]
    with ThreadPoolExecutor(threads or _num_processors()) as pool:
        for _ in pool.map(rank_group, groups):
            pass


def _num_ancestors(tree: Hierarchy) -> Int64Array:
    return tree.depth.astype(np.int64) if tree.is_tree else np.diff(tree.ancestor_rows.start)


def _relatives(tree: Hierarchy) -> Relatives:
    child, parent = tree.links()
    row, neighbour = np.concatenate([child, parent]), np.concatenate([parent, child])
    neighbours = neighbour[np.argsort(row, kind="stable")]
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(tree)))])
    if tree.is_tree:
        return Relatives(tree.parent, neighbours, start, np.zeros(0, np.int32), np.zeros(0, np.int64))
    return Relatives(tree.parent, neighbours, start, tree.ancestor_rows.rows, tree.ancestor_rows.start)


def _stratified_total(values: Float64Array, stratum: Int64Array, population: Float64Array) -> tuple[float, float]:
    """Return an estimate of the population's total, and its variance with the finite-population correction."""
    size = len(population)
    count = np.maximum(np.bincount(stratum, minlength=size), 1)
    mean = np.bincount(stratum, values, minlength=size) / count
    square = np.bincount(stratum, np.square(values - mean[stratum]), minlength=size)
    unseen = np.clip(1.0 - count / np.maximum(population, 1.0), 0.0, 1.0)
    variance = np.square(population) * unseen * square / (np.maximum(count - 1, 1) * count)
    return float(population @ mean), float(variance.sum())


def _num_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
