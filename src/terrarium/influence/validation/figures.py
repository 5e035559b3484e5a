"""Figures and the page of the validation by retraining."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.reporting.page import figure, heading, page, paragraph, table
from terrarium.reporting.theme import new_figure

DATAMODELS = {"mean": "mean over seeds", "deviation": "deviation of seeds", "error": "error over tests"}


def datamodel_table(datamodels: pd.DataFrame) -> pd.DataFrame:
    """method, and of its scores the mean over seeds, their deviation, and the mean of the seeds' errors over tests.

    The same tests and retrainings are in each seed's score, so that seeds do not lower the error over tests.
    """
    found = datamodels.groupby("method", sort=False).agg(
        mean=("lds", "mean"), deviation=("lds", "std"), error=("lds_error", "mean")
    )
    return found.reset_index()


def datamodel_figure(datamodels: pd.DataFrame) -> Any:
    """Linear datamodelling scores, the mean over seeds, with the error over tests."""
    plot = new_figure("Linear datamodelling score (bars: error of the mean over tests)", height=500)
    found = datamodel_table(datamodels)
    errors = {"type": "data", "array": found["error"].to_numpy()}
    plot.add_bar(x=found["mean"].to_numpy(), y=found["method"].tolist(), orientation="h", error_x=errors)
    plot.update_xaxes(title_text="Spearman's correlation with retraining")
    plot.update_yaxes(autorange="reversed", automargin=True)
    return plot


def deletion_figure(deletions: pd.DataFrame) -> Any:
    """What tests lose by the number of triples removed, the mean over tests and seeds; nothing without a removal."""
    plot = new_figure("Drop in the log probability of the tests (bars: error of the mean)", height=460)
    for name, rows in deletion_table(deletions).groupby("method", sort=False):
        own = rows.sort_values("removed")
        plot.add_scatter(
            x=[0, *own["removed"]],
            y=[0.0, *own["drop"]],
            error_y={"type": "data", "array": [0.0, *own["error"].fillna(0)]},
            name=str(name),
            mode="lines+markers",
        )
    plot.update_layout(legend={"y": -0.2, "yanchor": "top"})
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
    blocks = [
        heading("Does it foresee retraining?"),
        paragraph(
            "Parts of the training triples are left out at random and the scorer is trained again. The score is the "
            "correlation of what a triple then reaches with the sum of the influences that were left in."
        ),
        figure(plot_datamodels, "datamodels"),
        table(datamodel_table(datamodels), DATAMODELS),
        heading("Do its proponents matter?"),
        paragraph("For each test its first triples by each method are removed and the scorer is trained again."),
        figure(plot_deletions, "deletions"),
        table(deletion_table(deletions), {"drop": "mean drop", "error": "error of the mean"}),
        heading("Does it find wrong triples?"),
        paragraph("Random triples are planted; precision counts those among as many of the highest."),
        table(wrong.groupby("method", sort=False)[["precision", "auc"]].mean().reset_index()),
    ]
    return page("Influence, validated by retraining", blocks)
