"""Nodes of the reporting stage: figures and the report."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.scenes.options import EvaluationOptions, ReportingOptions
from terrarium.training.checkpointing.state import State


def draw_training(history: pd.DataFrame) -> Any:
    """Losses, cross-view top-1 and learning rate over the epochs."""
    from terrarium.scenes.reporting.figures import training_figure

    return training_figure(history)


def draw_quality(representation_metrics: pd.DataFrame, archetype_metrics: pd.DataFrame) -> tuple[Any, Any]:
    """Embeddings beside the baselines, over all and by archetype."""
    from terrarium.scenes.reporting.figures import archetype_figure, quality_figure

    return quality_figure(representation_metrics), archetype_figure(archetype_metrics)


def draw_coverage(
    graphs: State,
    graph_index: pd.DataFrame,
    lanes: pd.DataFrame,
    embeddings: pd.DataFrame,
    coverage: pd.DataFrame,
    archetype_gaps: pd.DataFrame,
    evaluation: EvaluationOptions,
    reporting: ReportingOptions,
) -> tuple[Any, Any, Any]:
    """The map of both sources, gaps by archetype, and exemplars of gaps as pictures."""
    from terrarium.scenes.graphs.columns import from_state
    from terrarium.scenes.reporting.figures import gap_figure, map_figure
    from terrarium.scenes.reporting.pictures import picture_figure

    options = evaluation.coverage
    return (
        map_figure(embeddings, options.simulated, options.recorded, reporting.max_map_points),
        gap_figure(archetype_gaps),
        picture_figure(from_state(graphs), graph_index, lanes, coverage, reporting.num_exemplars),
    )


def write_report(
    graph_index: pd.DataFrame,
    archetypes: pd.DataFrame,
    training_summary: dict[str, Any],
    representation_metrics: pd.DataFrame,
    coverage: pd.DataFrame,
    archetype_gaps: pd.DataFrame,
    known_holes: pd.DataFrame,
    coverage_metrics: dict[str, float],
    reporting: ReportingOptions,
    figure_training: Any,
    figure_quality: Any,
    figure_archetypes: Any,
    figure_map: Any,
    figure_gaps: Any,
    figure_scenes: Any,
) -> str:
    """The page: how good the embeddings are, what simulation lacks, the data, and how training went."""
    from terrarium.scenes.reporting.report import report_page

    return report_page(
        index=graph_index,
        archetypes=archetypes,
        summary=training_summary,
        representations=representation_metrics,
        coverage=coverage,
        gaps=archetype_gaps,
        holes=known_holes,
        numbers=coverage_metrics,
        reporting=reporting,
        figures={
            "training": figure_training,
            "quality": figure_quality,
            "archetypes": figure_archetypes,
            "map": figure_map,
            "gaps": figure_gaps,
            "scenes": figure_scenes,
        },
    )
