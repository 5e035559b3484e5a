"""Nodes of the reporting stage: figures and the report."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.hyperbolic.options import ReportingOptions, SourceOptions


def draw_training(history: pd.DataFrame) -> tuple[Any, Any]:
    """Loss and learning rate over the epochs; norms and their correlation with depth."""
    from terrarium.hyperbolic.reporting.figures import loss_figure, norm_figure

    return loss_figure(history), norm_figure(history)


def draw_radius(vectors: pd.DataFrame, depths: pd.DataFrame, reporting: ReportingOptions) -> Any:
    """Hyperbolic radius and norm against depth, beside their targets."""
    from terrarium.hyperbolic.reporting.figures import radius_figure

    return radius_figure(vectors, depths, reporting.max_scatter_points)


def draw_ranks(rank_metrics: pd.DataFrame) -> tuple[Any, Any]:
    """Separation and nearest-neighbour purity by rank."""
    from terrarium.hyperbolic.reporting.figures import purity_figure, separation_figure

    return separation_figure(rank_metrics), purity_figure(rank_metrics)


def draw_disk(vectors: pd.DataFrame, reporting: ReportingOptions) -> Any:
    """The Poincaré disk."""
    from terrarium.hyperbolic.reporting.disk import disk_figure

    return disk_figure(vectors, reporting.disk_rank, reporting.max_disk_points, reporting.num_disk_groups)


def write_report(
    source: SourceOptions,
    cleaning: pd.DataFrame,
    training_summary: dict[str, Any],
    history: pd.DataFrame,
    metrics: dict[str, float],
    layout_metrics: pd.DataFrame,
    rank_metrics: pd.DataFrame,
    *figures: Any,
) -> str:
    """The report as one HTML page."""
    from terrarium.hyperbolic.reporting.report import report_page

    names = ("loss", "norms", "radius", "separation", "purity", "disk")
    return report_page(
        source=source.model_dump(mode="json"),
        cleaning=cleaning,
        training_summary=training_summary,
        history=history,
        metrics=metrics,
        layout_metrics=layout_metrics,
        rank_metrics=rank_metrics,
        figures=dict(zip(names, figures, strict=True)),
    )
