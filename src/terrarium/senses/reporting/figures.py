"""Plotly figures of training, growth and quality."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.reporting.theme import GREY, PALETTE, new_figure, note_empty

_SPARSITY_METRICS = {
    "simlex999_spearman": "SimLex-999",
    "antonym_auc_near_synonym": "antonym AUC",
    "is_a_direction": "is-a direction",
}


def loss_figure(history: pd.DataFrame) -> Any:
    """Draw both losses by epoch and mark the best epoch (columns epoch, loss, validation_loss, best)."""
    figure = new_figure("Loss on training and validation pairs")
    if history.empty:
        note_empty(figure, "no epochs were trained")
        return figure
    figure.add_scatter(x=history["epoch"], y=history["loss"], name="training", mode="lines+markers")
    figure.add_scatter(x=history["epoch"], y=history["validation_loss"], name="validation", mode="lines+markers")
    best = history[history["best"].astype(bool)]
    marker = {"size": 13, "symbol": "circle-open", "line": {"width": 3}}
    figure.add_scatter(x=best["epoch"], y=best["validation_loss"], name="best epoch", mode="markers", marker=marker)
    figure.update_xaxes(title_text="epoch", rangemode="tozero")
    figure.update_yaxes(title_text="loss", rangemode="tozero")
    return figure


def growth_figure(history: pd.DataFrame) -> Any:
    """Draw dimensions and batch size by epoch (columns epoch, dim, batch_size, and active_columns if present)."""
    figure = new_figure("Dimensions and batch size", specs=[[{"secondary_y": True}]])
    if history.empty:
        note_empty(figure, "no epochs were trained")
        return figure
    line = {"shape": "hv"}
    figure.add_scatter(x=history["epoch"], y=history["dim"], name="dimensions", mode="lines+markers", line=line)
    if "active_columns" in history:
        active = history["active_columns"]
        figure.add_scatter(x=history["epoch"], y=active, name="active", mode="markers", marker={"color": PALETTE[2]})
    grey = {"shape": "hv", "color": GREY, "dash": "dot"}
    figure.add_scatter(x=history["epoch"], y=history["batch_size"], name="batch size", line=grey, secondary_y=True)
    figure.update_xaxes(title_text="epoch", rangemode="tozero")
    figure.update_yaxes(title_text="dimensions", rangemode="tozero", secondary_y=False)
    figure.update_yaxes(title_text="links per batch", rangemode="tozero", showgrid=False, secondary_y=True)
    return figure


def similarity_figure(variants: pd.DataFrame) -> Any:
    """Draw the rank correlations with human scores of each variant (columns variant, *_spearman)."""
    figure = new_figure("Rank correlation with human similarity scores")
    columns = [name for name in map(str, variants) if name.endswith("_spearman") and "_unlinked" not in name]
    if not columns:
        note_empty(figure, "no word pairs: download SimLex-999 or WordSim-353 and set senses.source.similarity")
        return figure
    shown = variants[~variants["variant"].str.endswith("zeros")]
    for row in shown.to_dict("records"):
        names = [name.removesuffix("_spearman").replace("_", " ") for name in columns]
        figure.add_bar(x=names, y=[row[name] for name in columns], name=row["variant"])
    figure.update_yaxes(title_text="rank correlation")
    return figure


def sparsity_figure(variants: pd.DataFrame) -> Any:
    """Draw quality against the fraction of exact zeros (columns variant, exact_zeros and metrics)."""
    figure = new_figure("Quality against exact zeros")
    cut = variants[variants["variant"].str.endswith("zeros") | (variants["variant"] == "trained")]
    cut = cut.sort_values("exact_zeros")
    for column, name in _SPARSITY_METRICS.items():
        if column in cut:
            figure.add_scatter(x=cut["exact_zeros"], y=cut[column], name=name, mode="lines+markers")
    figure.update_xaxes(title_text="fraction of exact zeros", tickformat=".0%")
    figure.update_yaxes(title_text="metric", rangemode="tozero")
    return figure


def relation_figure(relations: pd.DataFrame) -> Any:
    """Draw the mean reciprocal rank of test pairs by relation (columns relation, mrr, untrained_mrr, random_mrr)."""
    figure = new_figure("Test pairs: mean reciprocal rank among all synsets", height=520)
    ordered = relations.sort_values("mrr")
    names = ordered["relation"].str.replace("_", " ")
    figure.add_bar(y=names, x=ordered["mrr"], name="trained", orientation="h")
    figure.add_bar(y=names, x=ordered["untrained_mrr"], name="untrained", orientation="h")
    figure.add_bar(y=names, x=ordered["random_mrr"], name="random", orientation="h", marker={"color": GREY})
    figure.update_xaxes(title_text="filtered MRR", rangemode="tozero")
    return figure
