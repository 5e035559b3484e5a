"""Figures and the page of the validation by retraining."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.reporting.page import figure, heading, page, paragraph, table
from terrarium.reporting.theme import new_figure


def datamodel_figure(datamodels: pd.DataFrame) -> Any:
    """Linear datamodelling scores, the mean over seeds."""
    plot = new_figure("Linear datamodelling score", height=460)
    means = datamodels.groupby("method", sort=False)["lds"].mean()
    plot.add_bar(x=means.to_numpy(), y=means.index.tolist(), orientation="h")
    plot.update_xaxes(title_text="Spearman's correlation with retraining")
    plot.update_yaxes(autorange="reversed", automargin=True)
    return plot


def deletion_figure(deletions: pd.DataFrame) -> Any:
    """What tests lose by the number of triples removed, the mean over tests and seeds."""
    plot = new_figure("Drop in the log probability of the tests")
    for name, rows in deletions.groupby("method", sort=False):
        means = rows.groupby("removed")["drop"].mean()
        plot.add_scatter(x=means.index, y=means, name=str(name), mode="lines+markers")
    plot.update_xaxes(title_text="training triples removed", rangemode="tozero")
    plot.update_yaxes(title_text="drop after retraining")
    return plot


def deletion_table(deletions: pd.DataFrame) -> pd.DataFrame:
    """method, removed, drop, error (of the mean over tests and seeds)."""
    found = deletions.groupby(["method", "removed"], sort=False)["drop"].agg(["mean", "sem"]).reset_index()
    return found.rename(columns={"mean": "drop", "sem": "error"})


def validation_page(
    datamodels: pd.DataFrame, deletions: pd.DataFrame, wrong: pd.DataFrame, plot_datamodels: Any, plot_deletions: Any
) -> str:
    """The page: three questions to influence, answered by retraining."""
    found = datamodels.groupby("method", sort=False)["lds"].agg(["mean", "std"]).reset_index()
    blocks = [
        heading("Does it foresee retraining?"),
        paragraph(
            "Parts of the training triples are left out at random and the scorer is trained again. The score is the "
            "correlation of what a triple then reaches with the sum of the influences that were left in."
        ),
        figure(plot_datamodels, "datamodels"),
        table(found.rename(columns={"mean": "mean over seeds", "std": "deviation of seeds"})),
        heading("Do its proponents matter?"),
        paragraph("For each test its first triples by each method are removed and the scorer is trained again."),
        figure(plot_deletions, "deletions"),
        table(deletion_table(deletions)),
        heading("Does it find wrong triples?"),
        paragraph("Random triples are planted; precision counts those among as many of the highest."),
        table(wrong.groupby("method", sort=False)[["precision", "auc"]].mean().reset_index()),
    ]
    return page("Influence, validated by retraining", blocks)
