"""Link prediction: tell true pairs of ancestor and descendant from false ones by a threshold on a score.

Protocol of Ganea et al. (2018): choose the threshold with the best F1 on the validation pairs; report F1, precision and
recall of the test pairs at this threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, precision_recall_fscore_support

from terrarium.common.arrays import BoolArray, Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.holdout import LabelledPairs
from terrarium.hyperbolic.geometry.ball import Layout, cap_margin, detour, distance

CLOSURE_RULE = "closure of the training links"
_SCORES: dict[str, Callable[..., Float64Array]] = {"distance": distance, "detour": detour, "cap": cap_margin}


def classify(
    validation_scores: Float64Array, validation_labels: BoolArray, test_scores: Float64Array, test_labels: BoolArray
) -> dict[str, float]:
    """Choose a threshold on the validation pairs and apply it to the test pairs.

    A pair is predicted to be true if its score is at most the threshold.

    Args:
        validation_scores: (V,) scores, smaller for true pairs.
        validation_labels: (V,) whether the pairs are true.
        test_scores: (T,) scores.
        test_labels: (T,) whether the pairs are true.

    Returns:
        threshold, validation_f1, and of the test pairs f1, precision, recall.
    """
    precision, recall, thresholds = precision_recall_curve(validation_labels, -validation_scores)
    f1 = 2.0 * precision * recall / np.maximum(precision + recall, 1e-300)
    best = int(np.argmax(f1[:-1]))
    threshold = float(-thresholds[best])
    agreement = _agreement(test_labels, test_scores <= threshold)
    return {"threshold": threshold, "validation_f1": float(f1[best]), **agreement}


def link_table(
    tree: Hierarchy,
    layouts: dict[str, Layout],
    reduction: pd.DataFrame,
    validation: LabelledPairs,
    test: LabelledPairs,
) -> pd.DataFrame:
    """Classify pairs by each layout and score, and by a rule without a model.

    The rule predicts that a pair is true if it is in the transitive closure of the training links. Since the
    transitive reduction is among these, the rule is never wrong: no model of the same links can be better.

    Args:
        tree: N nodes.
        layouts: layouts by name.
        reduction: ancestor and descendant (ids): links of the transitive reduction.
        validation: pairs that choose the threshold.
        test: pairs that are reported.

    Returns:
        One row per layout and score (distance, detour, cap margin) and one for the rule: layout, score, threshold,
        validation_f1, f1, precision, recall.
    """
    rows: list[dict[str, Any]] = []
    for name, layout in layouts.items():
        for score, function in _SCORES.items():
            validation_scores, test_scores = (_score_pairs(layout, pairs, function) for pairs in (validation, test))
            metrics = classify(validation_scores, validation.label, test_scores, test.label)
            rows.append({"layout": name, "score": score, **metrics})
    rule = _agreement(test.label, _is_in_closure(tree, reduction, test))
    return pd.DataFrame([*rows, {"layout": CLOSURE_RULE, "score": "", **rule}])


def link_metrics(table: pd.DataFrame, layout: str) -> dict[str, float]:
    """Return the metrics of one layout as link_<metric>_<score>.

    Args:
        table: one row per layout and score, with the columns layout, score, f1, precision, recall, threshold and
            validation_f1.
        layout: name of the layout.
    """
    return {
        f"link_{metric}_{row.score}": float(getattr(row, metric))
        for row in table[table["layout"] == layout].itertuples()
        for metric in ("f1", "precision", "recall", "threshold", "validation_f1")
    }


def _score_pairs(layout: Layout, pairs: LabelledPairs, function: Callable[..., Float64Array]) -> Float64Array:
    a, d = pairs.ancestor, pairs.descendant
    return function(layout.radius[d], layout.direction[d], layout.radius[a], layout.direction[a])


def _is_in_closure(tree: Hierarchy, reduction: pd.DataFrame, pairs: LabelledPairs) -> NDArray[np.bool_]:
    """Return whether pairs follow from the links of the reduction, of which the root has none."""
    ancestor, descendant = tree.rows(reduction["ancestor"]), tree.rows(reduction["descendant"])
    orphans = np.setdiff1d(np.arange(1, len(tree)), descendant)
    child, parent = np.concatenate([descendant, orphans]), np.concatenate([ancestor, np.zeros_like(orphans)])
    closed = Hierarchy.from_edges(tree.ids[child], tree.ids[parent], several_parents=True)
    return closed.is_ancestor(closed.rows(tree.ids[pairs.ancestor]), closed.rows(tree.ids[pairs.descendant]))


def _agreement(labels: BoolArray, predicted: BoolArray) -> dict[str, float]:
    precision, recall, f1, _ = precision_recall_fscore_support(labels, predicted, average="binary", zero_division=0.0)
    return {"f1": float(f1), "precision": float(precision), "recall": float(recall)}
