"""Figures of training and quality."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.kge.options import ReportingOptions
from terrarium.reporting.theme import new_figure, note_empty

SIDE_LABELS = {"head": "head predicted", "tail": "tail predicted"}


def loss_figure(history: pd.DataFrame) -> Any:
    """Return a plotly figure of the training loss by epoch.

    Args:
        history: columns epoch and loss, one row per epoch.
    """
    figure = new_figure("Training loss")
    if history.empty:
        note_empty(figure, "no epoch was trained")
        return figure
    figure.add_scatter(x=history["epoch"], y=history["loss"], name="loss", mode="lines+markers")
    figure.update_xaxes(title_text="epoch", rangemode="tozero")
    figure.update_yaxes(title_text="mean loss per row", rangemode="tozero")
    return figure


def validation_figure(history: pd.DataFrame) -> Any:
    """Return a plotly figure of filtered MRR and Hits@10 on the validation triples, with the best epoch marked.

    Args:
        history: columns epoch, best (whether it is the best epoch), validation_mrr and validation_hits_at_10, which are
            NaN in epochs without validation.
    """
    figure = new_figure("Validation triples, filtered, both sides")
    measured = history.dropna(subset=["validation_mrr"]) if "validation_mrr" in history else history[:0]
    if measured.empty:
        note_empty(figure, "nothing was measured on validation triples")
        return figure
    for column, name in (("validation_mrr", "MRR"), ("validation_hits_at_10", "Hits@10")):
        figure.add_scatter(x=measured["epoch"], y=measured[column], name=name, mode="lines+markers")
    best = measured[measured["best"].astype(bool)]
    marker = {"size": 13, "symbol": "circle-open", "line": {"width": 3}}
    figure.add_scatter(x=best["epoch"], y=best["validation_mrr"], name="best epoch", mode="markers", marker=marker)
    figure.update_xaxes(title_text="epoch", rangemode="tozero")
    figure.update_yaxes(rangemode="tozero")
    return figure


def relation_figure(relation_metrics: pd.DataFrame, reporting: ReportingOptions) -> Any:
    """Return a plotly figure of the test MRR by relation and side, most frequent relations first.

    Args:
        relation_metrics: as from `metrics.relation_metrics`.
        reporting: number of relations to show.
    """
    figure = new_figure("Test triples: filtered MRR by relation", height=520)
    chosen = select_frequent(relation_metrics, reporting.num_relations)
    if chosen.empty:
        note_empty(figure, "there are no test triples")
        return figure
    for side, label in SIDE_LABELS.items():
        rows = chosen[chosen["side"] == side]
        figure.add_bar(y=rows["name"], x=rows["mrr"], name=label, orientation="h")
    figure.update_xaxes(title_text="filtered MRR", range=[0, 1])
    figure.update_yaxes(autorange="reversed")
    return figure


def method_figure(method_metrics: pd.DataFrame) -> Any:
    """Return a plotly figure of the top-answer accuracy of the model and of the untrained baselines.

    Args:
        method_metrics: as from `baselines.compare_methods`.
    """
    figure = new_figure("Best answer right")
    if method_metrics.empty:
        note_empty(figure, "no relation is compared (evaluation.baseline.relation)")
        return figure
    for method, rows in method_metrics.groupby("method", sort=False):
        names = rows["split"].str.replace("_", " ")
        figure.add_bar(x=names, y=rows["top_answer_accuracy"], name=str(method))
    figure.update_yaxes(title_text="fraction of queries", range=[0, 1])
    return figure


def reliability_figure(reliability: pd.DataFrame) -> Any:
    """Return a plotly figure of how often answers are right, by the probability that they were given.

    Args:
        reliability: as from `calibration.calibrate`, on test queries.
    """
    figure = new_figure("Reliability of probabilities, test queries")
    if reliability.empty:
        note_empty(figure, "there are no test triples")
        return figure
    figure.add_scatter(x=[0, 1], y=[0, 1], name="perfect", mode="lines", line={"dash": "dot"})
    for side, label in SIDE_LABELS.items():
        rows = reliability[reliability["side"] == side]
        counts = rows["answers"].map("{:,} answers".format)
        figure.add_scatter(x=rows["predicted"], y=rows["observed"], name=label, mode="lines+markers", text=counts)
    figure.update_xaxes(title_text="predicted probability", range=[0, 1])
    figure.update_yaxes(title_text="fraction of right answers", range=[0, 1])
    return figure


def select_frequent(relation_metrics: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the rows of test triples of the `count` most frequent relations, most frequent first.

    Args:
        relation_metrics: as from `metrics.relation_metrics`.
        count: number of relations.
    """
    test = relation_metrics[relation_metrics["split"] == "test"]
    order = test.drop_duplicates("relation").sort_values("triples", ascending=False, kind="stable")
    kept = order["relation"].head(count).tolist()
    return test[test["relation"].isin(kept)].sort_values("triples", ascending=False, kind="stable")
