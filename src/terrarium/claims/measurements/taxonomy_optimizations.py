"""Measurements of statements of "Taxonomy optimizations"."""

from __future__ import annotations

from functools import cache

import numpy as np

from terrarium.claims.measurements.measure import Family, Measured, named
from terrarium.common.arrays import Int64Array
from terrarium.common.statistics import pearson
from terrarium.hierarchy import Hierarchy
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage
from terrarium.training.stopping import EarlyStopping, StoppingState
from terrarium.training.torch.device import resolve_device

PAIRS, NODES, BATCH, NEGATIVES = 975_896, 111_103, 64, 50
"""Numbers of the system."""
TAXA = 100_000
_CLADE = "Primates"
_BATCHES = 20


@cache
def _lowest() -> Hierarchy:
    table = NcbiPackage().lowest_taxids(TAXA)
    return Hierarchy.from_parents(table["id"], table["parent"])


@cache
def _clade() -> Hierarchy:
    table = NcbiPackage().clade(_CLADE)
    return Hierarchy.from_parents(table["id"], table["parent"])


def _pairs_with_difference(tree: Hierarchy) -> Int64Array:
    """Return the number of pairs with depth difference 1, 2, ...: the taxa at that depth or below."""
    return np.bincount(tree.depth)[::-1].cumsum()[::-1][1:].astype(np.int64)


def _cut_pairs() -> Int64Array:
    """Return the same where a lineage ends at the first ancestor whose tax id is above the largest row number."""
    tree = _lowest()
    ancestor, descendant, difference = tree.closure()
    is_kept = tree.ids < NODES
    keep = is_kept[ancestor] & is_kept[descendant]
    return np.bincount(difference[keep])[1:]


def closure_pairs(_seed: int) -> Measured:
    """Return the number of pairs in the closure of the 100,000 lowest tax ids and their ancestors."""
    return Measured([_lowest().pair_count], " pairs")


def cut_pairs(_seed: int) -> Measured:
    """Return the number of pairs that are left where all taxa with an id above 111,102 are cut out."""
    return Measured([_cut_pairs().sum()], " pairs")


def cut_parent_share(_seed: int) -> Measured:
    """Return the percentage of pairs of parent and child among the pairs of cut lineages."""
    counts = _cut_pairs()
    return Measured([100.0 * counts[0] / counts.sum()], " %")


def deep_share(_seed: int) -> Measured:
    """Return the percentage of pairs with a depth difference of 3 or more, in complete lineages."""
    counts = _pairs_with_difference(_lowest())
    return Measured([100.0 * counts[2:].sum() / counts.sum()], " %")


def taxa(_seed: int) -> Measured:
    """Return the number of the 100,000 lowest tax ids and their ancestors."""
    return Measured([len(_lowest())], " taxa")


def largest_depth(_seed: int) -> Measured:
    """Return the largest depth among them."""
    return Measured([_lowest().max_depth])


def batches(_seed: int) -> Measured:
    """Return the number of batches per epoch if the last, smaller one is trained."""
    return Measured([-(-PAIRS // BATCH)], " batches")


def operations_before(_seed: int) -> Measured:
    """Return rows times batches, in billions."""
    return Measured([NODES * (PAIRS // BATCH) / 1e9], " billion")


def operations_after(_seed: int) -> Measured:
    """Return the rows that the vectorised radius penalty still reads per epoch, in billions: all, in each batch."""
    return Measured([NODES * (PAIRS // BATCH) / 1e9], " billion")


def rows_per_batch(seed: int) -> Measured:
    """Return how many different rows a batch names: 64 pairs, each with 50 taxa of the descendant's depth."""
    tree, rng = _clade(), np.random.default_rng(seed)
    ancestor, descendant, _ = tree.closure()
    order, start = tree.levels()
    counts = []
    for _ in range(_BATCHES):
        pairs = rng.integers(0, len(ancestor), BATCH)
        level = tree.depth[descendant[pairs]].astype(np.int64)
        size = start[level + 1] - start[level]
        drawn = order[start[level][:, None] + (rng.random((BATCH, NEGATIVES)) * size[:, None]).astype(np.int64)]
        named = np.concatenate([ancestor[pairs], descendant[pairs], drawn.ravel()])
        counts.append(len(np.unique(named)))
    return Measured(counts, " rows")


def scrambled_correlation(seed: int) -> Measured:
    """Return the correlation of depth and norm of a layout by depth, read with the labels of other taxa."""
    depth, found = _clade().depth.astype(float), []
    norm = 0.1 + 0.85 * depth / depth.max()
    for shift in range(5):
        found.append(pearson(depth[np.random.default_rng(seed + shift).permutation(len(depth))], norm))
    return Measured(found)


def initial_correlation(_seed: int) -> Measured:
    """Return the correlation of depth and norm where norms are set from depth, before any training."""
    depth = _clade().depth.astype(float)
    return Measured([pearson(depth, 0.1 + 0.85 * depth / depth.max())])


def automatic_device(_seed: int) -> Measured:
    """Return 1 if the device `auto` is Apple's Metal, else 0."""
    return Measured([float(resolve_device("auto") == "mps")])


def epochs_without_progress(_seed: int) -> Measured:
    """Return after how many epochs without progress a training with patience 3 stops."""
    stopping, state = EarlyStopping(3, 0.0), StoppingState()
    for epoch in range(1, 20):
        state = stopping.update(state, epoch, 1.0)
        if stopping.should_stop(state):
            return Measured([epoch - state.best_epoch], " epochs")
    return Measured([0.0], " epochs")


MEASUREMENTS = Family(
    small=named(
        batches,
        operations_before,
        operations_after,
        rows_per_batch,
        scrambled_correlation,
        initial_correlation,
        automatic_device,
        epochs_without_progress,
    ),
    large=named(closure_pairs, cut_pairs, cut_parent_share, deep_share, taxa, largest_depth),
)
