"""Scores of targets that need no training: popularity, nearest relatives in the tree, nearest neighbours."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.associations.targets import Targets, rank_targets
from terrarium.hyperbolic.geometry.ball import Layout

_FARTHER = 1e-3
"""Weight of the relatives that an ancestor adds, relative to those below the ancestor before it."""
_BANDWIDTHS = (0.1, 0.25, 0.5, 1.0, 2.0)
_CHUNK = 64


def popularity_scores(targets: Targets, rows: Int64Array) -> Float64Array:
    """Return (Q, T): how many training nodes have each target."""
    counts: Float64Array = targets.train_counts.sum(axis=0)
    return np.broadcast_to(counts, (len(rows), len(counts)))


def relatives_scores(tree: Hierarchy, targets: Targets, rows: Int64Array) -> Float64Array:
    """Return (Q, T): the fractions of targets among the training nodes below the nearest ancestor that has some.

    Targets that are equal there are told apart by the ancestor above it, and so on up to the root.
    """
    total = np.concatenate([np.zeros((1, targets.is_true.shape[1])), np.cumsum(targets.train_counts, axis=0)])
    below = total[tree.end] - total[np.arange(len(tree))]
    scores = np.zeros((len(rows), below.shape[1]))
    for place, row in enumerate(rows):
        weight = 1.0
        for node in (row, *tree.ancestors(int(row))):
            count = below[node].sum()
            if count > 0.0:
                scores[place] += weight * below[node] / count
                weight *= _FARTHER
    return scores


def neighbour_scores(layout: Layout, targets: Targets) -> Float64Array:
    """Return (Q, T) scores of the test nodes: the targets of training nodes, weighted by exp(-distance / bandwidth).

    The bandwidth with the best MRR on the validation nodes is taken.
    """
    validation = targets.nodes["validation"]
    found = dict(zip(_BANDWIDTHS, _smooth(layout, targets, validation, _BANDWIDTHS), strict=True))
    best = max(found, key=lambda width: rank_targets(targets, validation, found[width])["mrr"])
    return _smooth(layout, targets, targets.nodes["test"], (best,))[0]


def _smooth(layout: Layout, targets: Targets, rows: Int64Array, bandwidths: tuple[float, ...]) -> Float64Array:
    """Return (B, Q, T) scores; distances count beyond that of the nearest training node, which cancels in ranks."""
    train = targets.nodes["train"]
    has_target = targets.is_true[train].astype(np.float64)
    scores = np.empty((len(bandwidths), len(rows), has_target.shape[1]))
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        chord = cdist(layout.direction[part], layout.direction[train], "sqeuclidean")
        near = 2.0 * np.square(np.sinh((layout.radius[part][:, None] - layout.radius[train]) / 2.0))
        sinh = np.sinh(layout.radius[part])[:, None] * np.sinh(layout.radius[train])
        apart = 2.0 * np.arcsinh(np.sqrt((near + 0.5 * sinh * chord) / 2.0))
        apart -= apart.min(axis=1, keepdims=True)
        for place, bandwidth in enumerate(bandwidths):
            weight = np.exp(-apart / bandwidth)
            scores[place, start : start + _CHUNK] = weight @ has_target / weight.sum(axis=1, keepdims=True)
    return scores
