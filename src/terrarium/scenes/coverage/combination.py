"""Combine detectors: sum the evidence of each, measured against comparisons in which nothing is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.scenes.coverage.comparison import Comparison, Detector
from terrarium.training.torch.seeding import generator

NULL_ROUNDS = 2
"""Permutations of scenes whose graphs give the null distribution."""
FAR_TAIL = 0.02
"""Beyond this part of the null distribution, the tail is extrapolated as exponential."""
MAX_EVIDENCE = 10.0
"""What a detector can add at most, a little more than the null distribution can show: so no detector decides alone."""


@dataclass(frozen=True, eq=False)
class Combination:
    """The sum over detectors of -log(tail probability of the score), each up to a limit, after Fisher 1932.

    The tail is that of the same detector's scores when whole scenes are permuted between query and reference, so that
    nothing is missing on purpose. A detector without scores, because there are too few scenes, is left out.

    Attributes:
        detectors: to combine.
        seed: of the permutations.
        limit: of what each detector adds.
    """

    detectors: Sequence[Detector]
    seed: int
    limit: float = MAX_EVIDENCE

    def __call__(self, comparison: Comparison) -> np.ndarray:
        """See `Detector`."""
        return self.evidence(comparison, comparison)

    def evidence(self, comparison: Comparison, null_of: Comparison) -> np.ndarray:
        """Return the scores of a comparison, with the null distribution of the permutations of another one."""
        plain = null_of.without_deletions
        nulls = [plain.permuted(generator(self.seed, "null", number)) for number in range(NULL_ROUNDS)]
        total: np.ndarray | None = None
        for detector in self.detectors:
            null = np.concatenate([detector(permuted)[:, -1] for permuted in nulls])
            scores = detector(comparison)
            if np.isnan(scores).all() or np.isnan(null).all():
                continue
            evidence = np.minimum(np.nan_to_num(tail_evidence(scores, null[~np.isnan(null)])), self.limit)
            total = evidence if total is None else total + evidence
        if total is None:
            return np.full((int(comparison.is_query.sum()), comparison.remaining.shape[1]), np.nan)
        return total

    def null_scores(self, comparison: Comparison) -> Float64Array:
        """Return the scores of a further permutation of the scenes: what graphs get when nothing is missing."""
        permuted = comparison.without_deletions.permuted(generator(self.seed, "threshold"))
        return np.asarray(self.evidence(permuted, comparison)[:, -1], np.float64)


def tail_evidence(scores: np.ndarray, null: Float64Array) -> np.ndarray:
    """Return -log of the part of a null distribution that is at least as large as each score; NaN stays.

    Scores in the `FAR_TAIL` are extrapolated by an exponential with the mean excess of the null (peaks over threshold,
    Pickands 1975), so that scores beyond all of the null are still ordered.
    """
    ordered = np.sort(null)
    tail = (1 + len(null) - np.searchsorted(ordered, scores, side="left")) / (len(null) + 1)
    limit = float(np.quantile(null, 1 - FAR_TAIL))
    excess = max(float((null[null >= limit] - limit).mean()), 0.05 * float(null.std()), 1e-6)
    return np.where(scores > limit, (scores - limit) / excess - np.log(FAR_TAIL), -np.log(tail))
