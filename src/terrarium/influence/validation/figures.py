"""Figures of the studies by retraining."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.influence.validation.tables import datamodel_table, deletion_table
from terrarium.reporting.theme import new_figure


def datamodel_figure(datamodels: pd.DataFrame) -> Any:
    """Draw the mean linear datamodeling score of each method, with its error over query triples.

    Args:
        datamodels: as from `studies.score_datamodels`.
    """
    plot = new_figure("Linear datamodeling score (bars: standard error over query triples)", height=500)
    summary = datamodel_table(datamodels)
    errors = {"type": "data", "array": summary["error"].to_numpy()}
    plot.add_bar(x=summary["mean"].to_numpy(), y=summary["method"].tolist(), orientation="h", error_x=errors)
    plot.update_xaxes(title_text="Spearman's correlation with retraining")
    plot.update_yaxes(autorange="reversed", automargin=True)
    return plot


def deletion_figure(deletions: pd.DataFrame) -> Any:
    """Draw the mean drop in log probability by the number of triples removed, from 0 without a removal.

    Args:
        deletions: as from `studies.delete_proponents`.
    """
    plot = new_figure("Drop in log probability of the query triples (bars: standard error)", height=460)
    for name, rows in deletion_table(deletions).groupby("method", sort=False):
        curve = rows.sort_values("removed")
        plot.add_scatter(
            x=[0, *curve["removed"]],
            y=[0.0, *curve["drop"]],
            error_y={"type": "data", "array": [0.0, *curve["error"].fillna(0)]},
            name=str(name),
            mode="lines+markers",
        )
    plot.update_layout(legend={"y": -0.2, "yanchor": "top"})
    plot.update_xaxes(title_text="training triples removed", rangemode="tozero")
    plot.update_yaxes(title_text="drop after retraining")
    return plot
