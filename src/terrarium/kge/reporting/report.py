"""The report of a run; its text is in report.html.j2."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.kge.options import ReportingOptions
from terrarium.kge.reporting.figures import select_frequent
from terrarium.reporting.page import render_page

_SPLIT_LABELS = {
    "validation": "validation",
    "test": "test",
    "test_groups": "test, whole groups held out",
}
_METRICS = ("mrr", "hits_at_1", "hits_at_3", "hits_at_10", "mean_rank", "triples", "triples_with_unseen_entities")
_HISTORY = ("epoch", "loss", "validation_mrr", "validation_hits_at_10", "seconds", "peak_memory_mb")


def report_page(
    *,
    source_counts: dict[str, int],
    split_counts: dict[str, int],
    n3_search: pd.DataFrame,
    training_summary: dict[str, Any],
    history: pd.DataFrame,
    metrics: dict[str, float],
    relation_metrics: pd.DataFrame,
    method_metrics: pd.DataFrame,
    predictions: pd.DataFrame,
    calibration: dict[str, float],
    reporting: ReportingOptions,
    **figures: Any,
) -> str:
    """Return the report as one HTML page.

    Args:
        source_counts, split_counts, n3_search, training_summary, history, metrics, relation_metrics, method_metrics,
            predictions, calibration: the catalog entries of these names.
        reporting: how much to show.
        figures: figure_loss, figure_validation, figure_relations, figure_methods and figure_reliability.
    """
    counts = source_counts | split_counts
    released = float(history["cleanup_released_mb"].sum()) if "cleanup_released_mb" in history else None
    return render_page(
        "kge/reporting/report.html.j2",
        title="Knowledge graph",
        overall=_overall_table(metrics),
        relations=select_frequent(relation_metrics, reporting.num_relations).drop(columns=["split", "name"]),
        methods=method_metrics.assign(split=method_metrics["split"].str.replace("_", " "))
        if len(method_metrics)
        else None,
        predictions=predictions.drop(columns=["head", "tail"]),
        calibration=calibration,
        summary=training_summary,
        n3_search=n3_search if len(n3_search) > 1 else None,
        released_mb=released,
        history=history.tail(10)[[name for name in _HISTORY if name in history]],
        counts=pd.DataFrame({"what": [name.replace("_", " ") for name in counts], "count": list(counts.values())}),
        leaking_pairs=counts.get("pairs_in_two_splits", 0),
        leaks=counts.get("held_out_triples_given_away", 0),
        **figures,
    )


def _overall_table(metrics: dict[str, float]) -> pd.DataFrame:
    rows = [
        {"split": label, **{metric: metrics[f"{split}_{metric}"] for metric in _METRICS}}
        for split, label in _SPLIT_LABELS.items()
        if f"{split}_mrr" in metrics
    ]
    return pd.DataFrame(rows, columns=["split", *_METRICS]).rename(columns=lambda name: name.replace("_", " "))
