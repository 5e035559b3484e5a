"""Nodes of the reporting stage: figures and the report."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.kge.options import ReportingOptions


def draw_training(history: pd.DataFrame) -> tuple[Any, Any]:
    """Loss and validation measures over the epochs."""
    from terrarium.kge.reporting.figures import loss_figure, validation_figure

    return loss_figure(history), validation_figure(history)


def draw_quality(
    relation_metrics: pd.DataFrame, method_metrics: pd.DataFrame, reporting: ReportingOptions
) -> tuple[Any, Any]:
    """Reciprocal ranks by relation and side, and answers beside guesses without training."""
    from terrarium.kge.reporting.figures import method_figure, relation_figure

    return relation_figure(relation_metrics, reporting.num_relations), method_figure(method_metrics)


def write_report(
    source_counts: dict[str, int],
    split_counts: dict[str, int],
    training_summary: dict[str, Any],
    history: pd.DataFrame,
    metrics: dict[str, float],
    relation_metrics: pd.DataFrame,
    method_metrics: pd.DataFrame,
    predictions: pd.DataFrame,
    reporting: ReportingOptions,
    figure_loss: Any,
    figure_validation: Any,
    figure_relations: Any,
    figure_methods: Any,
) -> str:
    """The page: how good the answers are, what they look like, the data, and how training went."""
    from terrarium.kge.reporting.report import report_page

    return report_page(
        counts={**source_counts, **split_counts},
        training_summary=training_summary,
        history=history,
        metrics=metrics,
        relation_metrics=relation_metrics,
        method_metrics=method_metrics,
        predictions=predictions,
        shown=reporting.num_relations,
        figures={
            "loss": figure_loss,
            "validation": figure_validation,
            "relations": figure_relations,
            "methods": figure_methods,
        },
    )
