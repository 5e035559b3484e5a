"""Compiled search of the nearest neighbours' groups among a sample of points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from terrarium.hyperbolic.evaluation.rank_kernel import score_block


@njit(cache=True, nogil=True, error_model="numpy")
def same_group_shares(points: Any, labels: Any, k: int, shares: Any) -> None:  # pragma: no cover - compiled
    """Share of the k nearest other points that carry the same label.

    Points tied at the k-th distance share the places that are left, so that order decides nothing.

    Args:
        points: see `score_block`; n points.
        labels: (n,) integers.
        k: 1 .. n - 1.
        shares: (n,) written.
    """
    n = len(labels)
    scores = (np.empty(n), np.empty(n), np.empty(n))
    by_distance = scores[1]
    best = np.empty(k)
    for u in range(n):
        score_block(u, 0, n, points, scores)
        by_distance[u] = np.inf
        best[:] = np.inf
        for v in range(n):
            x = by_distance[v]
            if x < best[k - 1]:
                at = k - 1
                while at > 0 and best[at - 1] > x:
                    best[at] = best[at - 1]
                    at -= 1
                best[at] = x
        far, nearer, nearer_same, tied, tied_same = best[k - 1], 0, 0, 0, 0
        for v in range(n):
            same = 1 if labels[v] == labels[u] else 0
            if by_distance[v] < far:
                nearer += 1
                nearer_same += same
            elif by_distance[v] == far:
                tied += 1
                tied_same += same
        shares[u] = (nearer_same + (k - nearer) * tied_same / tied) / k
