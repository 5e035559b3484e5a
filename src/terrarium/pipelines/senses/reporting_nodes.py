"""Nodes of the reporting stage: figures and the report."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.senses.options import ReportingOptions


def draw_training(history: pd.DataFrame) -> tuple[Any, Any]:
    """Losses over the epochs; dimensions, batch size and zeros."""
    from terrarium.senses.reporting.figures import growth_figure, loss_figure

    return loss_figure(history), growth_figure(history)


def draw_quality(variant_metrics: pd.DataFrame, relation_metrics: pd.DataFrame) -> tuple[Any, Any, Any]:
    """Agreement with people, quality against zeros, and held-out relations."""
    from terrarium.senses.reporting.figures import relation_figure, similarity_figure, sparsity_figure

    return similarity_figure(variant_metrics), sparsity_figure(variant_metrics), relation_figure(relation_metrics)


def write_report(
    relation_counts: pd.DataFrame,
    training_summary: dict[str, Any],
    history: pd.DataFrame,
    metrics: dict[str, float],
    variant_metrics: pd.DataFrame,
    relation_metrics: pd.DataFrame,
    axes: pd.DataFrame,
    vectors: pd.DataFrame,
    reporting: ReportingOptions,
    figure_loss: Any,
    figure_growth: Any,
    figure_similarity: Any,
    figure_sparsity: Any,
    figure_relations: Any,
) -> str:
    """The page: the data, how good the vectors are, what they look like, and how training went."""
    from terrarium.senses.reporting.report import report_page

    return report_page(
        relation_counts=relation_counts,
        training_summary=training_summary,
        history=history,
        metrics=metrics,
        variant_metrics=variant_metrics,
        relation_metrics=relation_metrics,
        axes=axes,
        vectors=vectors,
        reporting=reporting,
        figures={
            "loss": figure_loss,
            "growth": figure_growth,
            "similarity": figure_similarity,
            "sparsity": figure_sparsity,
            "relations": figure_relations,
        },
    )
