"""Figures of training and quality."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.reporting.theme import new_figure, note_empty

SIDES = {"head": "head looked for", "tail": "tail looked for"}


def loss_figure(history: pd.DataFrame) -> Any:
    """Training loss over the epochs."""
    figure = new_figure("Training loss")
    if history.empty:
        note_empty(figure, "no epoch was trained")
        return figure
    figure.add_scatter(x=history["epoch"], y=history["loss"], name="loss", mode="lines+markers")
    figure.update_xaxes(title_text="epoch", rangemode="tozero")
    figure.update_yaxes(title_text="mean loss of a row", rangemode="tozero")
    return figure


def validation_figure(history: pd.DataFrame) -> Any:
    """Filtered MRR and Hits@10 on the validation triples, the best epoch marked."""
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


def relation_figure(relations: pd.DataFrame, shown: int) -> Any:
    """MRR of test triples by relation and side, the most frequent relations."""
    figure = new_figure("Test triples: filtered MRR by relation", height=520)
    chosen = most_frequent(relations, shown)
    if chosen.empty:
        note_empty(figure, "there are no test triples")
        return figure
    for side, name in SIDES.items():
        rows = chosen[chosen["side"] == side]
        figure.add_bar(y=rows["name"], x=rows["mrr"], name=name, orientation="h")
    figure.update_xaxes(title_text="filtered MRR", range=[0, 1])
    figure.update_yaxes(autorange="reversed")
    return figure


def method_figure(methods: pd.DataFrame) -> Any:
    """Share of questions whose best answer is right, beside guesses that need no training."""
    figure = new_figure("Best answer right")
    if methods.empty:
        note_empty(figure, "no relation is compared (evaluation.baseline.relation)")
        return figure
    for method, rows in methods.groupby("method", sort=False):
        names = rows["split"].str.replace("_", " ")
        figure.add_bar(x=names, y=rows["top_answer_accuracy"], name=str(method))
    figure.update_yaxes(title_text="share of questions", range=[0, 1])
    return figure


def most_frequent(relations: pd.DataFrame, shown: int) -> pd.DataFrame:
    """The rows of test triples of the most frequent relations."""
    test = relations[relations["split"] == "test"]
    order = test.drop_duplicates("relation").sort_values("triples", ascending=False, kind="stable")
    kept = order["relation"].head(shown).tolist()
    return test[test["relation"].isin(kept)].sort_values("triples", ascending=False, kind="stable")
