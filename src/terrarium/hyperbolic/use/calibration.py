"""How small a score has to be before a node counts as an ancestor, learnt and measured on the hierarchy itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.hierarchy import Hierarchy

Scores = Callable[[int], Float64Array]
"""From a row u to the (N,) scores of all rows as ancestors of u; small ones are likely."""

_MAX_PAIRS = 20_000_000
_MIN_QUERIES, _MAX_QUERIES = 40, 300


@dataclass(frozen=True, eq=False)
class Calibration:
    """A rule for ancestors: the score is at most `threshold`.

    Attributes:
        score: name of the score.
        threshold: where F1 is largest over all pairs of one half of the sampled nodes with all other nodes.
        precision, recall: of the rule on the other half.
        curve: (K,) scores and (K,) shares of ancestors among all pairs with that score, falling; linear between.
    """

    score: str
    threshold: float
    precision: float
    recall: float
    curve: tuple[Float64Array, Float64Array]

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2.0 * self.precision * self.recall / total if total else 0.0

    def probability(self, scores: Float64Array) -> Float64Array:
        """Return the (Q,) probabilities of (Q,) scores."""
        return np.interp(scores, *self.curve)


def calibrate(tree: Hierarchy, scores: Mapping[str, Scores], seed: int = 0) -> Calibration:
    """Choose a score and its threshold.

    Nodes below the root are drawn and compared with all other nodes, so that precision and probability hold for a node
    and any other one, not for a balanced sample.

    Args:
        tree: N nodes, at least two.
        scores: the scores to choose from by F1 where the threshold is chosen.
        seed: seed of the draw.

    Returns:
        The rule, measured on nodes that took no part in choosing it (the same ones in trees of under four nodes).
    """
    count = int(np.clip(_MAX_PAIRS // len(tree), _MIN_QUERIES, _MAX_QUERIES))
    rng = np.random.default_rng(seed)
    drawn = 1 + rng.choice(len(tree) - 1, min(count, len(tree) - 1), replace=False)
    half = max(len(drawn) // 2, 1)
    chosen, held_out = drawn[:half], drawn[half:] if len(drawn) > half else drawn
    rules = {name: _best_rule(*_counts(tree, score, chosen)) for name, score in scores.items()}
    name = max(rules, key=lambda key: rules[key][1])
    threshold = _between(rules[name][0], scores[name], chosen)
    hits, false, total = _confusion(tree, scores[name], held_out, threshold)
    return Calibration(
        score=name,
        threshold=threshold,
        precision=hits / max(hits + false, 1),
        recall=hits / max(total, 1),
        curve=_curve(*_counts(tree, scores[name], drawn)),
    )


def _counts(tree: Hierarchy, score: Scores, rows: Int64Array) -> tuple[Float64Array, Int64Array]:
    """Return the sorted scores of true ancestors, and how many other rows score above the one before, up to each."""
    per_row = [(score(int(u)), tree.ancestors(int(u))) for u in rows]
    true = np.sort(np.concatenate([values[above] for values, above in per_row]))
    false = np.zeros(len(true) + 1, np.int64)
    for (values, above), u in zip(per_row, rows, strict=True):
        other = np.ones(len(tree), np.bool_)
        other[above] = other[u] = False
        false += np.bincount(np.searchsorted(true, values[other]), minlength=len(true) + 1)
    return true, false


def _best_rule(true: Float64Array, false: Int64Array) -> tuple[float, float]:
    """Return the threshold with the largest F1, and that F1."""
    hits = np.searchsorted(true, true, side="right")
    wrong = np.cumsum(false[:-1])[hits - 1]
    f1 = 2.0 * hits / (hits + wrong + len(true))
    best = int(np.argmax(f1))
    return float(true[best]), float(f1[best])


def _between(threshold: float, score: Scores, rows: Int64Array) -> float:
    """Return the middle between the threshold and the next larger score of a pair."""
    larger = (values[values > threshold] for values in map(score, map(int, rows)))
    following = min((float(values.min()) for values in larger if len(values)), default=threshold)
    return (threshold + following) / 2.0


def _confusion(tree: Hierarchy, score: Scores, rows: Int64Array, threshold: float) -> tuple[int, int, int]:
    hits = false = total = 0
    for u in rows:
        passes = score(int(u)) <= threshold
        passes[u] = False
        above = tree.ancestors(int(u))
        right = int(passes[above].sum())
        hits, false, total = hits + right, false + int(passes.sum()) - right, total + len(above)
    return hits, false, total


def _curve(true: Float64Array, false: Int64Array) -> tuple[Float64Array, Float64Array]:
    """Fit the falling share of true ancestors over scores."""
    from sklearn.isotonic import isotonic_regression

    value, first = np.unique(true, return_index=True)
    hits = np.diff(np.append(first, len(true)))
    wrong = np.add.reduceat(false[:-1], first)
    total = hits + wrong
    beyond = value[-1] + max(1.0, abs(value[-1]))
    x = np.append(value, beyond)
    y = np.append(hits / total, 0.0)
    weight = np.append(total, max(int(false[-1]), 1))
    fitted = isotonic_regression(y, sample_weight=weight.astype(np.float64), increasing=False)
    return x, fitted
