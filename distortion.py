"""How far distances in the ball depart from hops in the tree.

With d the hyperbolic distance and g the hops of a pair, s* = sum(g d) / sum(d^2) is the scale that brings s d nearest
to g in squares. Mean distortion is the mean of |s* d / g - 1|, worst-case distortion max(d / g) / min(d / g)
(Sala et al. 2018); Spearman's correlation of d with g asks for the order alone. All are over pairs of taxa, each once.
In a graph hops are those of the tree of first parents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrarium.hierarchy import Hierarchy
from terrarium.pipelines.hyperbolic.geometry import Floats, Layout, distances
from terrarium.pipelines.hyperbolic.measure_options import DistortionOptions

_INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class HopPairs:
    """Pairs of taxa with their hops.

    Attributes:
        first, second: (P,) rows.
        hops: (P,) edges between them, at least 1.
        weight: (P,) how many pairs each stands for.
        query: (P,) the draw that each came from, 0 .. queries - 1.
        queries: independent draws; 0 if these are all pairs.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    hops: NDArray[np.int64]
    weight: Floats
    query: NDArray[np.int64]
    queries: int


def choose_pairs(tree: Hierarchy, options: DistortionOptions, seed: int) -> HopPairs:
    """All pairs of a tree of at most `exact_limit` taxa, else a sample stratified by hops."""
    if len(tree) <= max(options.exact_limit, options.queries):
        return all_pairs(tree)
    return sample_pairs(tree, options.queries, seed)


def all_pairs(tree: Hierarchy) -> HopPairs:
    """Each pair of rows once, in O(N^2).

    The hops of a row are those of its parent, one less to the rows of its own subtree, one more to all others.
    """
    size = len(tree)
    hops = np.empty((size, size), np.int32)
    hops[0] = tree.depth
    for row in range(1, size):
        hops[row] = hops[tree.parent[row]] + 1
        hops[row, row : tree.end[row]] -= 2
    first, second = np.triu_indices(size, 1)
    found = hops[first, second].astype(np.int64)
    return HopPairs(first, second, found, np.ones(len(first)), np.zeros(len(first), np.int64), 0)


def sample_pairs(tree: Hierarchy, queries: int, seed: int) -> HopPairs:
    """Random rows without repetition, each with one random row at every hop count that there is from it.

    A pair's weight is how many rows lie that many hops from its query, so that each query's weights add up to N - 1
    and the weighted mean over the sample estimates the mean over all pairs without bias.

    Args:
        tree: N nodes.
        queries: at most N.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(tree), queries, replace=False)
    levels = tree.levels()
    parts = [_partners(tree, levels, int(row), rng) for row in rows]
    length = [len(hops) for _, hops, _ in parts]
    second, hops, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    return HopPairs(np.repeat(rows, length), second, hops, weight, np.repeat(np.arange(queries), length), queries)


def distortion(tree: Hierarchy, layout: Layout, pairs: HopPairs, *, resamples: int, seed: int) -> dict[str, float]:
    """hops_spearman, distortion_mean and distortion_worst; of a sample also 95 % limits `_low` and `_high`.

    The limits of the first two are quantiles over bootstrap samples of the queries. The worst case of a sample is a
    lower bound and gets none. What is undefined, since points coincide, is left out.

    Args:
        tree: N nodes.
        layout: their points.
        pairs: from `choose_pairs`.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: a layout of another size.
    """
    if len(layout) != len(tree):
        raise ValueError(f"layout of {len(layout)} points for {len(tree)} taxa: evaluate a layout on its own hierarchy")
    measure = _Measure(distances(layout, pairs.first, pairs.second), pairs.hops)
    found = measure.numbers(pairs.weight)
    ratio = measure.ratio
    found["distortion_worst"] = float(ratio.max() / ratio.min()) if ratio.min() > 0.0 else np.inf
    if pairs.queries:
        found |= _interval(measure, pairs, resamples, np.random.default_rng(seed))
    return {name: value for name, value in found.items() if np.isfinite(value)}


class _Measure:
    """The weighted numbers of fixed distances; what does not depend on the weights is sorted once."""

    def __init__(self, distance: Floats, hops: NDArray[np.int64]) -> None:
        self._distance, self._hops = distance, hops.astype(np.float64)
        self.ratio: Floats = distance / self._hops
        self._tie, self._hop_tie = (np.unique(x, return_inverse=True)[1] for x in (distance, hops))

    def numbers(self, weight: Floats) -> dict[str, float]:
        """Spearman's correlation and mean distortion under (P,) weights."""
        square = float(weight @ np.square(self._distance))
        scale = float(weight @ (self._hops * self._distance)) / square if square > 0.0 else np.nan
        off = np.abs(scale * self.ratio - 1.0)
        return {
            "hops_spearman": _correlation(_ranks(self._tie, weight), _ranks(self._hop_tie, weight), weight),
            "distortion_mean": float(weight @ off / weight.sum()),
        }


def _partners(
    tree: Hierarchy, levels: tuple[NDArray, NDArray], row: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """For each hop count a random row that far from a row; the hop counts; and how many rows there are.

    Rows k hops away lie below an ancestor-or-self a steps up, k - a levels down, outside the branch that leads to the
    row: two runs of a level's rows.
    """
    start, length, hops = _runs(tree, levels, row)
    order = np.argsort(hops, kind="stable")
    start, length, hops = start[order], length[order], hops[order]
    end = np.cumsum(length)
    found, first = np.unique(hops, return_index=True)
    before = np.concatenate([[0], end])[first]
    count = np.diff(np.append(before, end[-1]))
    draw = before + rng.integers(0, count)
    run = np.searchsorted(end, draw, side="right")
    return levels[0][start[run] + draw - (end[run] - length[run])].astype(np.int64), found, count.astype(np.float64)


def _runs(
    tree: Hierarchy, levels: tuple[NDArray, NDArray], row: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Runs of positions in the order of the levels that hold all other rows: start, length (not 0), hops."""
    order, offset = levels
    line = np.concatenate([[row], _line_up(tree, row)]).astype(np.int64)
    deepest = len(offset) - 2
    parts = []
    for level in range(deepest + 1):
        inside = order[offset[level] : offset[level + 1]]
        above = line[tree.depth[line] <= level]
        low, high = np.searchsorted(inside, above), np.searchsorted(inside, tree.end[above])
        # the branch of the member before lies inside that of the next; the row's own line is cut out of its own run
        inner_low, inner_high = np.append(low[:1], low[:-1]), np.append(low[:1], high[:-1])
        if len(above) < len(line):
            inner_low[0], inner_high[0] = low[0], high[0] if level == tree.depth[above[0]] else low[0]
        hops = tree.depth[row] + level - 2 * tree.depth[above].astype(np.int64)
        for a, b in ((low, inner_low), (inner_high, high)):
            parts.append(np.stack([offset[level] + a, b - a, hops]))
    start, length, hops = np.concatenate(parts, axis=1)
    some = (length > 0) & (hops > 0)
    return start[some], length[some], hops[some]
