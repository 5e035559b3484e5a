"""Nodes of the reporting stage: figures and the report."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.influence.options import FeatureOptions, ReportingOptions


def draw_influence(scores: pd.DataFrame, reporting: ReportingOptions) -> tuple[Any, Any]:
    """The first triple's proponents as a graph, and its strongest influences."""
    from terrarium.influence.reporting.figures import graph_figure, score_figure

    return graph_figure(scores, 0, reporting.edges), score_figure(scores, 0, reporting.edges)


def write_report(
    checkpoint_table: pd.DataFrame,
    metrics: dict[str, float],
    asked: pd.DataFrame,
    scores: pd.DataFrame,
    self_influence: pd.DataFrame,
    paths: pd.DataFrame,
    features: FeatureOptions,
    reporting: ReportingOptions,
    figure_graph: Any,
    figure_scores: Any,
) -> str:
    """The page: what caused the predictions, and how it was computed."""
    from terrarium.influence.reporting.report import report_page

    return report_page(
        checkpoints=checkpoint_table,
        features=features,
        metrics=metrics,
        asked=asked,
        scores=scores,
        self_influence=self_influence,
        paths=paths,
        reporting=reporting,
        figure_graph=figure_graph,
        figure_scores=figure_scores,
    )
