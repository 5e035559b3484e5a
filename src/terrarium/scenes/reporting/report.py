"""The report of a run of the scenes family; its text is in report.html.j2."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from terrarium.reporting.page import render_page
from terrarium.scenes.coverage.situations import NOT_ENOUGH, SIGNIFICANT
from terrarium.scenes.criticality.tables import WORST
from terrarium.scenes.options import EvaluationOptions, ReportingOptions, compare_sources
from terrarium.scenes.source_options import SourceOptions

MAX_SITUATIONS = 30
"""Rows of the table of situations; the catalog has all."""
_SITUATIONS = [
    "situation", "times_rarer", "p", "p_adjusted", "graphs", "recorded_scenes", "simulated_scenes", "tagged",
]  # fmt: skip
_MEASURES = [
    "test_set",
    "representation",
    "dim",
    "probe_macro_f1",
    "knn_macro_f1",
    "retrieval_map",
    "mean_speed_r2",
    "smallest_gap_r2",
    "size_r2",
    "alignment",
    "uniformity",
    "effective_rank",
    "cross_view_top_1",
]


def write_report(
    *,
    graph_index: pd.DataFrame,
    archetypes: pd.DataFrame,
    representation_metrics: pd.DataFrame,
    tags: pd.DataFrame,
    situations: pd.DataFrame,
    scene_criticality: pd.DataFrame,
    archetype_gaps: pd.DataFrame,
    deletion_test: pd.DataFrame,
    evaluation: EvaluationOptions,
    source: SourceOptions,
    reporting: ReportingOptions,
    **content: Any,
) -> str:
    """Render the report as one HTML page.

    Args:
        graph_index: graph_id, source, scene, nodes and split of each graph.
        archetypes: of each graph; see `label_graphs`.
        representation_metrics: see `measure_representations`.
        tags: of each graph, such as critical ones.
        situations, archetype_gaps, deletion_test: see `CoverageReport`.
        scene_criticality: see `Criticality.scenes`.
        evaluation, source: which sources coverage compares, and whether the recorded one is simulated.
        reporting: options.
        content: what the template shows as it is: training_summary, coverage_metrics and the figures
            (figure_training, figure_quality, figure_archetypes, figure_map, figure_gaps, figure_scenes).
    """
    compared = compare_sources(evaluation, source).coverage
    return render_page(
        "scenes/reporting/report.html.j2",
        title="Traffic scenes",
        compared=compared,
        recorded_is_simulated=compared.recorded in source.variants,
        gaps=archetype_gaps.assign(archetype=_readable(archetype_gaps["archetype"])),
        situations=situations.head(MAX_SITUATIONS)[_SITUATIONS],
        num_situations=len(situations),
        num_rare=int((situations["p_adjusted"] < SIGNIFICANT).sum()),
        has_p=bool(situations["p"].notna().any()),
        not_enough=NOT_ENOUGH,
        critical_scenes=_critical_scenes(scene_criticality),
        tag_fractions=_archetype_fractions(graph_index, tags),
        deletion_means=_detector_means(deletion_test),
        deletion_recalls=_recalls(deletion_test),
        representations=representation_metrics[[name for name in _MEASURES if name in representation_metrics]],
        split_sizes=_split_sizes(graph_index),
        archetype_fractions=_archetype_fractions(graph_index, archetypes),
        **content,
    )


def _critical_scenes(scene_criticality: pd.DataFrame) -> pd.DataFrame:
    """Return one row per source: how many scenes have each measure, and the 5 % most critical value of the scenes."""
    rows = []
    for source, scenes in scene_criticality.groupby("source", sort=True):
        for measure, worst in WORST.items():
            known = scenes[measure].replace([np.inf, -np.inf], np.nan).dropna()
            extreme = 0.05 if worst == "min" else 0.95
            values = {"scenes": len(known), "median": known.median(), "5 % most critical": known.quantile(extreme)}
            rows.append({"source": source, "measure": measure.replace("_", " "), **values})
    return pd.DataFrame(rows)


def _readable(names: pd.Series) -> pd.Series:
    return names.str.replace("_", " ")


def _detector_means(deletion_test: pd.DataFrame) -> pd.DataFrame:
    """Return one row per detector and representation: means over the archetypes."""
    measures = ["recall", "auc", "label_free_recall", "label_free_fpr"]
    return deletion_test.groupby(["detector", "representation"], as_index=False)[measures].mean()


def _recalls(deletion_test: pd.DataFrame) -> pd.DataFrame:
    """Return one row per archetype, one column per detector and representation."""
    table = deletion_test.assign(archetype=_readable(deletion_test["archetype"]))
    named = table["detector"] + ", " + table["representation"]
    table["detector"] = named.replace("patterns, patterns", "patterns")
    recall = table.pivot(index="archetype", columns="detector", values="recall")
    recall.insert(0, "graphs", table.groupby("archetype")["graphs"].first())
    return recall.sort_values("graphs", ascending=False).reset_index()


def _split_sizes(graph_index: pd.DataFrame) -> pd.DataFrame:
    return graph_index.groupby(["source", "split"], as_index=False).agg(
        scenes=("scene", "nunique"), graphs=("graph_id", "size"), road_users=("nodes", "mean")
    )


def _archetype_fractions(graph_index: pd.DataFrame, archetypes: pd.DataFrame) -> pd.DataFrame:
    """Return one row per archetype, one column per source: the fraction of its graphs with the archetype."""
    fractions = archetypes.groupby(graph_index["source"]).mean().T.reset_index(names="archetype")
    return fractions.assign(archetype=_readable(fractions["archetype"]))
