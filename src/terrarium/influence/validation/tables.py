"""Summaries of the studies by retraining."""

from __future__ import annotations

import pandas as pd


def datamodel_table(datamodels: pd.DataFrame) -> pd.DataFrame:
    """Return one row per method of `studies.score_datamodels`: method, and of its LDS mean, deviation and error.

    The mean and standard deviation are over seeds. The error is the mean of the seeds' standard errors over query
    triples: all seeds share the query triples and retrainings, so that more seeds do not lower it.
    """
    summary = datamodels.groupby("method", sort=False).agg(
        mean=("lds", "mean"), deviation=("lds", "std"), error=("lds_error", "mean")
    )
    return summary.reset_index()


def deletion_table(deletions: pd.DataFrame) -> pd.DataFrame:
    """Return one row per method and removal size of `studies.delete_proponents`.

    Columns: method, removed, drop (mean over query triples and seeds), error (its standard error).
    """
    summary = deletions.groupby(["method", "removed"], sort=False)["drop"].agg(["mean", "sem"]).reset_index()
    return summary.rename(columns={"mean": "drop", "sem": "error"})


def detection_table(mislabelled: pd.DataFrame) -> pd.DataFrame:
    """Return one row per method of `studies.detect_mislabelled`: method, and the mean precision and auc over seeds."""
    return mislabelled.groupby("method", sort=False)[["precision", "auc"]].mean().reset_index()


def summarize(datamodels: pd.DataFrame, deletions: pd.DataFrame, mislabelled: pd.DataFrame) -> dict[str, float]:
    """Return means over seeds by names such as lds_unit_share, deletion_influence_10 and mislabelled_loss_auc.

    Args:
        datamodels: from `studies.score_datamodels`.
        deletions: from `studies.delete_proponents`.
        mislabelled: from `studies.detect_mislabelled`.
    """
    metrics = {f"lds_{_key(name)}": rows["lds"].mean() for name, rows in datamodels.groupby("method", sort=False)}
    for (name, removed), rows in deletions.groupby(["method", "removed"], sort=False):
        metrics[f"deletion_{_key(name)}_{removed}"] = rows["drop"].mean()
    for name, rows in mislabelled.groupby("method", sort=False):
        metrics |= {f"mislabelled_{_key(name)}_{column}": rows[column].mean() for column in ("precision", "auc")}
    return {name: float(value) for name, value in metrics.items()}


def _key(name: object) -> str:
    letters = "".join(letter if letter.isalnum() else " " for letter in str(name))
    return "_".join(letters.lower().split())
