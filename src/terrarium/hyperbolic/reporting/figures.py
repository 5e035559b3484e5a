"""Figures of training, of radii, of ranks, and of what was held out."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pandas as pd

from terrarium.hyperbolic.geometry.ball import norm_of_radius
from terrarium.reporting.theme import GREY, PALETTE, new_figure, note_empty

_MARK = "#222222"
_UNTRAINED = "no epoch was trained"


def loss_figure(history: pd.DataFrame) -> Any:
    """Draw loss and learning rate over the epochs; the best epoch is marked.

    Args:
        history: epoch, loss, best (bool), and learning_rate if known.
    """
    figure = new_figure("Training loss", specs=[[{"secondary_y": True}]])
    figure.add_scatter(x=history["epoch"], y=history["loss"], name="loss", mode="lines+markers")
    best = history[history["best"].astype(bool)]
    if history.empty:
        note_empty(figure, _UNTRAINED)
    figure.add_scatter(
        x=best["epoch"],
        y=best["loss"],
        name="best epoch",
        mode="markers",
        marker={"size": 13, "symbol": "circle-open", "line": {"width": 3}},
    )
    if "learning_rate" in history:
        line = {"dash": "dot", "color": GREY}
        figure.add_scatter(
            x=history["epoch"], y=history["learning_rate"], name="learning rate", line=line, secondary_y=True
        )
        figure.update_yaxes(title_text="learning rate", showgrid=False, secondary_y=True, rangemode="tozero")
    figure.update_xaxes(title_text="epoch", rangemode="tozero")
    figure.update_yaxes(title_text="loss", rangemode="tozero", secondary_y=False)
    return figure


def norm_figure(history: pd.DataFrame) -> Any:
    """Draw norms, their correlation with depth, and the share outside the ball over the epochs.

    Args:
        history: epoch and any of max_norm, mean_norm, min_norm, depth_norm_pearson, fraction_outside.
    """
    figure = new_figure("Norms over the epochs; the ball ends at 1")
    lines = {
        "max_norm": "largest norm",
        "mean_norm": "mean norm",
        "min_norm": "smallest norm",
        "depth_norm_pearson": "correlation of depth and norm",
        "fraction_outside": "fraction outside the ball",
    }
    for column, name in lines.items():
        if column in history:
            dash = "solid" if column.endswith("norm") else "dash"
            figure.add_scatter(
                x=history["epoch"], y=history[column], name=name, mode="lines+markers", line={"dash": dash}
            )
    if len(history):
        figure.add_hline(y=1.0, line={"color": GREY, "width": 1})
    figure.update_xaxes(title_text="epoch", rangemode="tozero")
    figure.update_layout(legend={"y": -0.2, "yanchor": "top"}, height=460)
    if history.empty:
        note_empty(figure, _UNTRAINED)
    return figure


def radius_figure(vectors: pd.DataFrame, depths: pd.DataFrame, points: int) -> Any:
    """Draw hyperbolic radius and norm against depth: a sample of taxa, the middle 90 %, the median and the targets.

    Args:
        vectors: name, depth and radius of each taxon.
        depths: depth, target_radius and target_norm.
        points: most taxa that are drawn one by one.
    """
    figure = new_figure(
        "Radius and norm against depth",
        rows=1,
        cols=2,
        subplot_titles=("hyperbolic radius", "Euclidean norm"),
        horizontal_spacing=0.1,
    )
    chosen = vectors.sample(min(points, len(vectors)), random_state=0)
    jitter = chosen["depth"] + np.random.default_rng(0).uniform(-0.25, 0.25, len(chosen))
    targets = depths.groupby("depth")[["target_radius", "target_norm"]].first()
    measured = {"target_radius": vectors["radius"], "target_norm": norm_of_radius(vectors["radius"])}
    for column, (target, values) in enumerate(measured.items(), start=1):
        value = pd.Series(values, index=vectors.index)
        band = value.groupby(vectors["depth"])
        low, middle, high = (band.quantile(q) for q in (0.05, 0.5, 0.95))
        shown = {"row": 1, "col": column, "showlegend": column == 1}
        dots = {"size": 3, "color": GREY, "opacity": 0.4}
        figure.add_scatter(
            x=jitter,
            y=value.loc[chosen.index],
            mode="markers",
            marker=dots,
            name="taxa",
            text=[escape(str(name)) for name in chosen["name"]],
            hoverinfo="text",
            **shown,
        )
        edge = {"width": 0}
        unseen = {"hoverinfo": "skip", "mode": "lines", "line": edge, "showlegend": False}
        figure.add_scatter(x=high.index, y=high, row=1, col=column, **unseen)
        fill = {"fill": "tonexty", "fillcolor": "rgba(0,114,178,0.18)", "line": edge}
        figure.add_scatter(x=low.index, y=low, name="middle 90 %", mode="lines", **fill, **shown)
        figure.add_scatter(x=middle.index, y=middle, name="median", line={"color": PALETTE[0]}, mode="lines", **shown)
        line = {"color": PALETTE[1], "dash": "dash"}
        figure.add_scatter(x=targets.index, y=targets[target], name="target", line=line, mode="lines", **shown)
    figure.update_xaxes(title_text="depth")
    figure.update_layout(legend={"y": -0.2, "yanchor": "top"}, height=460)
    return figure


def separation_figure(rank_metrics: pd.DataFrame) -> Any:
    """Draw separation at each rank, next to the ratio of hops in the tree.

    Args:
        rank_metrics: layout, rank, separation, hop_separation.
    """
    figure = _bars("Separation: mean distance between groups / within groups", rank_metrics, "separation")
    _marks(figure, rank_metrics, "hop_separation", "in the tree (hops)", _MARK, "diamond")
    if len(rank_metrics):
        figure.add_hline(y=1.0, line={"color": GREY, "width": 1})
    return figure


def purity_figure(rank_metrics: pd.DataFrame) -> Any:
    """Draw the share of nearest neighbours in the same group, next to chance and the largest possible value.

    Args:
        rank_metrics: layout, rank, purity, and purity_ceiling and purity_chance if known.
    """
    figure = _bars("Purity: nearest neighbours in the same group", rank_metrics, "purity")
    _marks(figure, rank_metrics, "purity_ceiling", "largest possible", PALETTE[2], "line-ew-open")
    _marks(figure, rank_metrics, "purity_chance", "chance", _MARK, "diamond")
    figure.update_yaxes(range=[0, 1.05])
    return figure


def _bars(title: str, rank_metrics: pd.DataFrame, column: str) -> Any:
    figure = new_figure(title)
    for place, (layout, part) in enumerate(rank_metrics.groupby("layout", sort=False)):
        colour = GREY if layout == "random" else PALETTE[place % len(PALETTE)]
        figure.add_bar(x=part["rank"], y=part[column], name=layout, marker_color=colour)
    figure.update_layout(barmode="group", bargap=0.35)
    if rank_metrics.empty:
        note_empty(figure, "no rank has two groups here")
    return figure


def _marks(figure: Any, rank_metrics: pd.DataFrame, column: str, name: str, colour: str, symbol: str) -> None:
    if column not in rank_metrics or rank_metrics.empty:
        return
    part = rank_metrics[rank_metrics["layout"] == rank_metrics["layout"].iloc[0]]
    marker = {"color": colour, "symbol": symbol, "size": 12, "line": {"width": 3, "color": colour}}
    figure.add_scatter(x=part["rank"], y=part[column], name=name, mode="markers", marker=marker)


def placement_figure(layout_metrics: pd.DataFrame) -> Any:
    """Draw the share of held-out leaves and clades whose parent is predicted correctly, by layout and score.

    Args:
        layout_metrics: layout, score, kind and exact.
    """
    figure = new_figure("Held-out taxa placed under the right parent, from a few noisy relatives", 520)
    for kind, colour in (("leaf", PALETTE[0]), ("clade", PALETTE[2])):
        part = layout_metrics[layout_metrics["kind"] == kind]
        figure.add_bar(x=_layout_and_score(part), y=part["exact"], name=kind, marker_color=colour)
    figure.update_yaxes(title_text="share", range=[0, 1.05])
    return figure


def association_figure(layout_metrics: pd.DataFrame) -> Any:
    """Draw how well held-out links are ranked, by method.

    Args:
        layout_metrics: method, mrr and hits_at_1.
    """
    figure = new_figure("Held-out links: rank of the true target among the false ones")
    for column, name, colour in (("mrr", "MRR", PALETTE[0]), ("hits_at_1", "Hits@1", PALETTE[2])):
        figure.add_bar(x=layout_metrics["method"], y=layout_metrics[column], name=name, marker_color=colour)
    figure.update_yaxes(range=[0, 1.05])
    return figure


def link_figure(layout_metrics: pd.DataFrame) -> Any:
    """Draw F1 of the held-out links, by layout and score.

    Args:
        layout_metrics: layout, score and f1.
    """
    figure = new_figure("Held-out pairs of ancestor and descendant against false pairs")
    figure.add_bar(x=_layout_and_score(layout_metrics), y=layout_metrics["f1"], marker_color=PALETTE[0], name="F1")
    figure.update_yaxes(title_text="F1", range=[0, 1.05])
    return figure


def _layout_and_score(table: pd.DataFrame) -> pd.Series:
    return table["layout"] + np.where(table["score"] == "", "", ", " + table["score"])
