"""Compiled search: what share of a point's nearest neighbours is in its own group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrarium.common.arrays import Float64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.evaluation.kernels.ranks import PointTable, new_scores, score_block


@njit(cache=True, nogil=True, error_model="numpy")
def same_group_shares(
    points: PointTable, labels: NDArray[np.integer], k: int, shares: Float64Array
) -> None:  # pragma: no cover - compiled
    """Compute the share of the k nearest other points that have the same label.

    Points tied at the k-th distance share the remaining places, so that their order does not matter.

    Args:
        points: a `PointTable` of n points.
        labels: (n,) integers.
        k: 1 .. n - 1.
        shares: (n,) written.
    """
    n = len(labels)
    scores = new_scores(n)
    distance = scores.distance
    smallest = np.empty(k)
    for u in range(n):
        score_block(u, 0, n, points, scores)
        distance[u] = np.inf
        _keep_smallest(distance, smallest)
        kth = smallest[k - 1]
        nearer, nearer_same, tied, tied_same = 0, 0, 0, 0
        for v in range(n):
            same = 1 if labels[v] == labels[u] else 0
            if distance[v] < kth:
                nearer += 1
                nearer_same += same
            elif distance[v] == kth:
                tied += 1
                tied_same += same
        shares[u] = (nearer_same + (k - nearer) * tied_same / tied) / k


@njit(cache=True, nogil=True, error_model="numpy")
def _keep_smallest(values: Float64Array, smallest: Float64Array) -> None:  # pragma: no cover - compiled
    """Write the len(smallest) smallest values in ascending order."""
    last = len(smallest) - 1
    smallest[:] = np.inf
    for value in values:
        if value < smallest[last]:
            place = last
            while place > 0 and smallest[place - 1] > value:
                smallest[place] = smallest[place - 1]
                place -= 1
            smallest[place] = value
