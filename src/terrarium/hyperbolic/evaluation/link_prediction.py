"""Telling true pairs of ancestor and descendant from false ones by a threshold on a score.

Protocol of Ganea et al. (2018): the threshold is the one with the best F1 on the validation pairs; F1, precision and
recall are those of the test pairs at it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, precision_recall_fscore_support

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.holdout import LinkSample
from terrarium.hyperbolic.geometry.ball import Floats, Layout, distance, slack

Pairs = tuple[NDArray[np.int32], NDArray[np.int32]]

CLOSURE_RULE = "closure of the training links"
_SCORES = {"distance": distance, "slack": slack}


def classify(
    validation: Floats, is_true: NDArray[np.bool_], test: Floats, wanted: NDArray[np.bool_]
) -> dict[str, float]:
    """threshold, validation_f1, f1, precision and recall; a pair is called true if its score is within the limit.

    Args:
        validation: (V,) scores, smaller for true pairs; is_true: (V,) whether they are.
        test: (T,) scores; wanted: (T,) whether they are true.
    """
    precision, recall, thresholds = precision_recall_curve(is_true, -validation)
    f1 = 2.0 * precision * recall / np.maximum(precision + recall, 1e-300)
    best = int(np.argmax(f1[:-1]))
    threshold = float(-thresholds[best])
    return {"threshold": threshold, "validation_f1": float(f1[best]), **_agreement(wanted, test <= threshold)}


def link_table(
    tree: Hierarchy, layouts: dict[str, Layout], basic: Pairs, validation: LinkSample, test: LinkSample
) -> pd.DataFrame:
    """layout, score, threshold, validation_f1, f1, precision, recall: a row a layout and score, and one of the rule.

    The rule has no model: it calls a pair true if it is in the transitive closure of the basic links. As the reduction
    is among the training links, it is never wrong: a bound that a model of the same links can reach, not pass.
    """
    rows: list[dict[str, Any]] = []
    for name, layout in layouts.items():
        for score, function in _SCORES.items():
            known, asked = (_scores(layout, sample, function) for sample in (validation, test))
            rows.append({"layout": name, "score": score, **classify(known, validation.true, asked, test.true)})
    rule = _agreement(test.true, _in_closure(tree, basic, test))
    return pd.DataFrame([*rows, {"layout": CLOSURE_RULE, "score": "", **rule}])


def link_metrics(table: pd.DataFrame, layout: str) -> dict[str, float]:
    """link_<measure>_<score> of one layout."""
    return {
        f"link_{measure}_{row.score}": float(getattr(row, measure))
        for row in table[table["layout"] == layout].itertuples()
        for measure in ("f1", "precision", "recall", "threshold", "validation_f1")
    }


def _scores(layout: Layout, sample: LinkSample, function: Callable[..., Floats]) -> Floats:
    a, d = sample.ancestor, sample.descendant
    return function(layout.radius[d], layout.direction[d], layout.radius[a], layout.direction[a])


def _in_closure(tree: Hierarchy, basic: Pairs, sample: LinkSample) -> NDArray[np.bool_]:
    """Whether pairs follow from the basic links, of which the root has none."""
    ancestor, descendant = basic
    top = np.setdiff1d(np.arange(1, len(tree)), descendant)
    child, parent = np.concatenate([descendant, top]), np.concatenate([ancestor, np.zeros_like(top)])
    closed = Hierarchy.from_edges(tree.ids[child], tree.ids[parent], several_parents=True)
    return closed.is_ancestor(closed.rows(tree.ids[sample.ancestor]), closed.rows(tree.ids[sample.descendant]))


def _agreement(wanted: NDArray[np.bool_], found: NDArray[np.bool_]) -> dict[str, float]:
    precision, recall, f1, _ = precision_recall_fscore_support(wanted, found, average="binary", zero_division=0.0)
    return {"f1": float(f1), "precision": float(precision), "recall": float(recall)}
