"""How far two sources differ, and how often scenes shuffled between them differ as much.

A recorded graph's gap is log(distance to its k-th simulated neighbour / to its k-th recorded neighbour of another
scene): up to a factor (the dimension) the log ratio of two k-nearest-neighbour density estimates (Loftsgaarden and
Quesenberry 1965), larger where simulation is thin. It is covered when its nearest simulated neighbour is no further
than its k-th recorded one (after Naeem et al. 2020). Both need sets of one size: the larger is thinned at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from terrarium.scenes.evaluation.neighbours import Nearest

_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class Sources:
    """Graphs of two sources.

    Attributes:
        recorded: which are recorded; the others are simulated (g).
        scene: number of each graph's scene (g).
        labels: archetypes (g, c).
    """

    recorded: np.ndarray
    scene: np.ndarray
    labels: np.ndarray

    def shuffled(self, rng: np.random.Generator) -> Sources:
        """The same graphs, whole scenes dealt out anew: as many are recorded as before."""
        names, place = np.unique(self.scene, return_inverse=True)
        of_scene = np.zeros(len(names), bool)
        of_scene[place] = self.recorded
        return Sources(rng.permutation(of_scene)[place], self.scene, self.labels)


@dataclass(frozen=True, eq=False)
class Statistics:
    """What is compared: of all recorded graphs, and by archetype.

    Attributes:
        gap: mean gap of the recorded graphs.
        covered: share of the recorded graphs that are covered.
        gaps: mean gap of the recorded graphs with each archetype, NaN where there is none (c).
        differences: share of graphs with each archetype in the recorded less that in the simulated set (c).
    """

    gap: float
    covered: float
    gaps: np.ndarray
    differences: np.ndarray


def gap_scores(near: Nearest, recorded: np.ndarray, k: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The gap of each recorded graph, and whether it is covered, rows ascending (r)."""
    simulated, thinned = equally_many(~recorded, recorded, rng)
    queries = np.flatnonzero(recorded)
    here = near.kth(queries, thinned, k)
    gap = np.log(near.kth(queries, simulated, k) + _TINY) - np.log(here + _TINY)
    return gap, near.kth(queries, simulated, 1) <= here


def equally_many(one: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Both sets, the larger one thinned to the size of the smaller (g) each."""
    size = min(one.sum(), other.sum())
    thinned = []
    for members in (one, other):
        chosen = np.zeros(len(members), bool)
        chosen[rng.permutation(np.flatnonzero(members))[:size]] = True
        thinned.append(chosen)
    return thinned[0], thinned[1]


def measured(near: Nearest, sources: Sources, k: int, rng: np.random.Generator) -> Statistics:
    """The statistics of one dealing out of scenes."""
    gap, covered = gap_scores(near, sources.recorded, k, rng)
    here, there = sources.labels[sources.recorded], sources.labels[~sources.recorded]
    count = here.sum(axis=0)
    gaps = np.where(count > 0, gap @ here / np.maximum(count, 1), np.nan)
    return Statistics(float(gap.mean()), float(covered.mean()), gaps, here.mean(axis=0) - there.mean(axis=0))


def p_values(
    near: Nearest, sources: Sources, observed: Statistics, k: int, rounds: int, rng: np.random.Generator
) -> Statistics:
    """p of each statistic, one-sided: how often shuffled scenes have as large a gap or difference, or cover as little.

    (1 + shuffles that reach what was observed) / (1 + shuffles), over the shuffles in which it can be measured (Phipson
    and Smyth 2010): valid for any statistic when scenes are exchangeable between the sources.
    """
    found = [measured(near, sources.shuffled(rng), k, rng) for _ in range(rounds)]

    def reached(values: list[float] | list[np.ndarray], least: float | np.ndarray) -> np.ndarray:
        table = np.asarray(values)
        p = (1 + (table >= least).sum(axis=0)) / (1 + np.isfinite(table).sum(axis=0))
        return np.where(np.isfinite(least), p, np.nan)

    return Statistics(
        gap=float(reached([one.gap for one in found], observed.gap)),
        covered=float(reached([-one.covered for one in found], -observed.covered)),
        gaps=reached([one.gaps for one in found], observed.gaps),
        differences=reached([one.differences for one in found], observed.differences),
    )
