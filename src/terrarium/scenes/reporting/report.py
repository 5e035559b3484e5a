"""The report of a run of the scenes family."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.reporting.page import Block, code, figure, heading, page, paragraph, table
from terrarium.reporting.theme import number
from terrarium.scenes.options import ReportingOptions
from terrarium.scenes.reporting.pictures import exemplars

_SHOWN = [
    *("test_set", "representation", "dim", "probe_macro_f1", "knn_macro_f1", "retrieval_map", "mean_speed_r2"),
    *("smallest_gap_r2", "size_r2", "alignment", "uniformity", "effective_rank", "cross_view_top_1"),
]


def report_page(
    *,
    index: pd.DataFrame,
    archetypes: pd.DataFrame,
    summary: dict[str, Any],
    representations: pd.DataFrame,
    coverage: pd.DataFrame,
    gaps: pd.DataFrame,
    holes: pd.DataFrame,
    numbers: dict[str, float],
    reporting: ReportingOptions,
    figures: dict[str, Any],
) -> str:
    """The page: coverage first, then quality, data and training."""
    blocks = [
        *_coverage(coverage, gaps, numbers, reporting, figures),
        *_holes(holes),
        *_quality(representations, figures),
        *_data(index, archetypes),
        *_training(summary, figures),
        *_use(),
    ]
    return page("Traffic scenes", blocks)


def _coverage(
    coverage: pd.DataFrame,
    gaps: pd.DataFrame,
    numbers: dict[str, float],
    reporting: ReportingOptions,
    figures: dict[str, Any],
) -> list[Block]:
    chosen = exemplars(coverage, reporting.num_exemplars)[["graph_id", "score", "archetypes"]]
    return [
        heading("What simulation lacks"),
        paragraph(
            f"{numbers['coverage']:.1%} of the recorded graphs have a simulated one nearer than their neighbours from "
            f"other recorded scenes (p {number(numbers['coverage_p'])}: scenes shuffled between the sources cover as "
            f"little so often). The mean gap is {number(numbers['mean_gap'])} (p {number(numbers['mean_gap_p'])}), the "
            "log of how much further away simulated neighbours are than recorded ones. Sets are of one size."
        ),
        paragraph(
            "By archetype: how much larger its share is in the recordings, and the mean gap of the recorded graphs "
            "with it, each with the share of shuffles of whole scenes that reach it, one at a time."
        ),
        figure(figures["gaps"], "gaps"),
        table(gaps.assign(archetype=gaps["archetype"].str.replace("_", " "))),
        heading("The largest gaps"),
        figure(figures["scenes"], "scenes"),
        table(chosen.assign(archetypes=chosen["archetypes"].str.replace(" ", ", ").str.replace("_", " "))),
        figure(figures["map"], "map"),
    ]


def _holes(holes: pd.DataFrame) -> list[Block]:
    if holes.empty:
        return [heading("Known holes"), paragraph("No archetype has simulated graphs enough to delete it.")]
    measures = ["recall", "auc", "label_free_recall", "label_free_false_alarms"]
    means = holes.groupby(["detector", "representation"], as_index=False)[measures].mean()
    return [
        heading("Known holes"),
        paragraph(
            "An archetype is deleted from one half of the simulated scenes and looked for from the other half, by "
            "classifiers of graphs or of road users, by the most novel pattern of a graph, and by neighbours: means "
            f"over {number(float(holes['archetype'].nunique()))} archetypes. The recall is at the "
            "chosen share of false alarms, which takes labels to know; label-free: set with nothing deleted."
        ),
        table(means),
        paragraph("Recall of each archetype, and of how many graphs:"),
        table(_by_archetype(holes)),
    ]


def _by_archetype(holes: pd.DataFrame) -> pd.DataFrame:
    """A row an archetype, a column a detector."""
    named = holes.assign(archetype=holes["archetype"].str.replace("_", " "))
    named["detector"] += ", " + named["representation"]
    named.loc[named["detector"] == "patterns, patterns", "detector"] = "patterns"
    recall = named.pivot(index="archetype", columns="detector", values="recall")
    graphs = named.groupby("archetype")["graphs"].first()
    recall.insert(0, "graphs", graphs)
    return recall.sort_values("graphs", ascending=False).reset_index()


def _quality(representations: pd.DataFrame, figures: dict[str, Any]) -> list[Block]:
    return [
        heading("How good the embeddings are"),
        paragraph(
            "Archetypes are read off by a linear probe and by nearest neighbours fitted on training scenes; retrieval "
            "looks for graphs with the same archetypes in other scenes. Untrained encoders, ten statistics made by "
            "hand and the Weisfeiler-Lehman kernel stand beside, since embeddings that do not beat them are not needed."
        ),
        figure(figures["quality"], "quality"),
        figure(figures["archetypes"], "archetypes"),
        table(representations[[column for column in _SHOWN if column in representations]]),
    ]


def _data(index: pd.DataFrame, archetypes: pd.DataFrame) -> list[Block]:
    counts = index.groupby(["source", "split"], as_index=False).agg(
        scenes=("scene", "nunique"), graphs=("graph_id", "size"), road_users=("nodes", "mean")
    )
    shares = archetypes.groupby(index["source"]).mean().T.reset_index(names="archetype")
    return [
        heading("The data"),
        paragraph("A graph is a connected group of road users at one instant. Shares of graphs with each archetype:"),
        table(counts),
        table(shares.assign(archetype=shares["archetype"].str.replace("_", " "))),
    ]


def _training(summary: dict[str, Any], figures: dict[str, Any]) -> list[Block]:
    return [
        heading("Training"),
        paragraph(
            f"{summary['stop_reason']} The encoder is that of epoch {summary['best_epoch']}, with "
            f"{summary['parameters']:,} numbers. {summary['minutes']:.1f} minutes."
        ),
        figure(figures["training"], "training"),
    ]


def _use() -> list[Block]:
    return [
        heading("Use the embeddings"),
        code('embeddings = catalog.load("scenes.embeddings").set_index("graph_id")\nembeddings.filter(regex="^x")'),
    ]
