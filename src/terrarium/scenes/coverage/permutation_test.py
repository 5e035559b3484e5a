"""How far two sources differ, and how often permutations of their scenes differ as much.

A recorded graph's gap is log(distance to its k-th simulated neighbour / to its k-th recorded neighbour of another
scene): up to a factor (the dimension) the log ratio of two k-nearest-neighbour density estimates (Loftsgaarden and
Quesenberry 1965), larger where simulation is sparse. A graph is covered if its nearest simulated neighbour is no
further than its k-th recorded one (after Naeem et al. 2020). Both need sets of one size, so the larger is subsampled.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from terrarium.scenes.coverage.comparison import Comparison
from terrarium.scenes.evaluation.neighbors import Neighbors, TooFewNeighborsError

_TINY = 1e-6


class GapScores(NamedTuple):
    """The gap of each recorded graph, float64, and whether it is covered, bool (recorded graphs,), rows ascending."""

    gap: np.ndarray
    is_covered: np.ndarray


@dataclass(frozen=True, eq=False)
class GapStatistics:
    """What is compared, or the p-value of each number.

    Attributes:
        mean_gap: of the recorded graphs.
        coverage: fraction of the recorded graphs that are covered.
        archetype_gaps: mean gap of the recorded graphs with each archetype, NaN without any (archetypes,).
        differences: fraction of recorded minus fraction of simulated graphs with each archetype (archetypes,).
    """

    mean_gap: float
    coverage: float
    archetype_gaps: np.ndarray
    differences: np.ndarray


def gap_scores(neighbors: Neighbors, is_recorded: np.ndarray, k: int, rng: np.random.Generator) -> GapScores:
    """Compute the gap of each recorded graph: how much farther simulated graphs are than recorded ones.

    Args:
        neighbors: nearest neighbours of all graphs of both sources, without those of the same scene.
        is_recorded: bool (graphs,); the others are simulated.
        k: number of neighbours.
        rng: draws a subset of the larger source.

    Returns:
        gap: log(distance to the k-th simulated neighbour / distance to the k-th recorded one).
        is_covered: whether the nearest simulated graph is at most as far as the k-th recorded one.

    Raises:
        TooFewNeighborsError: a recorded graph has fewer than k neighbours in other scenes of a source.
    """
    simulated, recorded = subsample_equally(~is_recorded, is_recorded, rng)
    queries = np.flatnonzero(is_recorded)
    recorded_distance = neighbors.kth_distance(queries, recorded, k)
    gap = np.log(neighbors.kth_distance(queries, simulated, k) + _TINY) - np.log(recorded_distance + _TINY)
    return GapScores(gap, neighbors.kth_distance(queries, simulated, 1) <= recorded_distance)


def subsample_equally(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return random subsets of two sets, both of the size of the smaller one; sets are bool (graphs,)."""
    size = min(a.sum(), b.sum())
    subsets = []
    for members in (a, b):
        subset = np.zeros(len(members), bool)
        subset[rng.permutation(np.flatnonzero(members))[:size]] = True
        subsets.append(subset)
    return subsets[0], subsets[1]


def gap_statistics(neighbors: Neighbors, sources: Comparison, k: int, rng: np.random.Generator) -> GapStatistics:
    """Compute the statistics of one assignment of the scenes to the sources.

    Args:
        neighbors: nearest neighbours of all graphs of both sources, without those of the same scene.
        sources: scenes and archetypes of the graphs, and which are recorded.
        k: number of neighbours.
        rng: draws a subset of the larger source.
    """
    gap, is_covered = gap_scores(neighbors, sources.is_query, k, rng)
    recorded, simulated = sources.labels[sources.is_query], sources.labels[~sources.is_query]
    count = recorded.sum(axis=0)
    return GapStatistics(
        mean_gap=float(gap.mean()),
        coverage=float(is_covered.mean()),
        archetype_gaps=np.where(count > 0, gap @ recorded / np.maximum(count, 1), np.nan),
        differences=recorded.mean(axis=0) - simulated.mean(axis=0),
    )


def p_values(
    neighbors: Neighbors, sources: Comparison, observed: GapStatistics, k: int, rounds: int, rng: np.random.Generator
) -> GapStatistics:
    """Return the one-sided p-value of each statistic under permutations of whole scenes between the sources.

    (1 + permutations with as large a gap or difference, or as little coverage) / (1 + permutations), over those in
    which the statistic is defined (Phipson and Smyth 2010); valid if scenes are exchangeable between the sources.

    Args:
        neighbors: nearest neighbours of all graphs of both sources, without those of the same scene.
        sources: as for `gap_statistics`.
        observed: the statistics of the real sources.
        k: number of neighbours.
        rounds: number of permutations.
        rng: random numbers.
    """
    permuted = []
    for _ in range(rounds):
        with suppress(TooFewNeighborsError):
            permuted.append(gap_statistics(neighbors, sources.permuted(rng), k, rng))

    def p_value(values: list[float] | list[np.ndarray], reference: float | np.ndarray) -> np.ndarray:
        table = np.asarray(values)
        p = (1 + (table >= reference).sum(axis=0)) / (1 + np.isfinite(table).sum(axis=0))
        return np.where(np.isfinite(reference), p, np.nan)

    return GapStatistics(
        mean_gap=float(p_value([one.mean_gap for one in permuted], observed.mean_gap)),
        coverage=float(p_value([-one.coverage for one in permuted], -observed.coverage)),
        archetype_gaps=p_value([one.archetype_gaps for one in permuted], observed.archetype_gaps),
        differences=p_value([one.differences for one in permuted], observed.differences),
    )
