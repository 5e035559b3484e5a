"""The report of the pipeline influence_validation."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.influence.validation.tables import datamodel_table, deletion_table, detection_table
from terrarium.reporting.page import render_page


def validation_page(
    datamodels: pd.DataFrame,
    deletions: pd.DataFrame,
    mislabelled: pd.DataFrame,
    figure_datamodels: Any,
    figure_deletions: Any,
) -> str:
    """Return the report as HTML, from the tables of the three studies (see `studies`) and two Plotly figures."""
    return render_page(
        "influence/validation/report.html.j2",
        title="Influence, validated by retraining",
        datamodels=datamodel_table(datamodels),
        deletions=deletion_table(deletions),
        detection=detection_table(mislabelled),
        figure_datamodels=figure_datamodels,
        figure_deletions=figure_deletions,
    )
