"""Figures of training, quality, and coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from terrarium.reporting.theme import GREY, PALETTE, new_figure, note_empty
from terrarium.scenes.coverage.representations import standardized_coordinates
from terrarium.scenes.evaluation.evaluate import GRAPHLETS, HELD_OUT, KERNEL, RANDOM, STATISTICS, TRAINED
from terrarium.scenes.options import EvaluationOptions, ReportingOptions, compare_sources
from terrarium.scenes.source_options import SourceOptions

_COLOURS = {GRAPHLETS: PALETTE[1], TRAINED: PALETTE[0], RANDOM: GREY, STATISTICS: PALETTE[5], KERNEL: PALETTE[2]}
_TOO_FEW = "no archetype has enough graphs in training and test (scenes.evaluation.min_positives)"
_MEASURES = {"probe_macro_f1": "linear probe F1", "knn_macro_f1": "nearest neighbours F1", "retrieval_map": "retrieval"}


def training_figure(history: pd.DataFrame) -> Any:
    """Draw losses and cross-view top-1 over the epochs, and the learning rate below.

    Args:
        history: columns epoch, loss, validation_loss, validation_top_1 and learning_rate, one row per epoch.
    """
    figure = new_figure("Training", height=560, rows=2, cols=1, shared_xaxes=True, row_heights=[0.7, 0.3])
    if history.empty:
        note_empty(figure, "no epoch was trained")
        return figure
    for column, name in (("loss", "training loss"), ("validation_loss", "validation loss")):
        figure.add_scatter(x=history["epoch"], y=history[column], name=name, mode="lines+markers", row=1, col=1)
    top = history["validation_top_1"]
    figure.add_scatter(x=history["epoch"], y=top, name="validation top-1", mode="lines", line={"dash": "dot"})
    rate = {"shape": "hv", "color": GREY}
    figure.add_scatter(x=history["epoch"], y=history["learning_rate"], name="learning rate", line=rate, row=2, col=1)
    figure.update_xaxes(title_text="epoch", row=2, col=1)
    figure.update_yaxes(title_text="loss, top-1", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text="rate", rangemode="tozero", row=2, col=1)
    return figure


def quality_figure(representation_metrics: pd.DataFrame) -> Any:
    """Draw probe, neighbours and retrieval on held-out scenes; bars of untrained encoders show their range.

    Args:
        representation_metrics: columns representation, test_set, probe_macro_f1, knn_macro_f1 and retrieval_map.
    """
    figure = new_figure("Held-out scenes")
    rows = representation_metrics[representation_metrics["test_set"] == HELD_OUT]
    if rows.empty:
        note_empty(figure, _TOO_FEW)
        return figure
    for name, colour in _COLOURS.items():
        part = rows[rows["representation"].str.startswith(name)][list(_MEASURES)]
        mean = part.mean()
        bars = {"array": part.max() - mean, "arrayminus": mean - part.min(), "visible": len(part) > 1}
        figure.add_bar(x=list(_MEASURES.values()), y=mean, name=name, marker={"color": colour}, error_y=bars)
    figure.update_yaxes(title_text="macro F1, mean average precision", range=[0, 1])
    return figure


def archetype_figure(archetype_metrics: pd.DataFrame) -> Any:
    """Draw the F1 of the probe for each archetype and representation.

    Args:
        archetype_metrics: columns archetype, representation, test_set and f1.
    """
    figure = new_figure("Linear probe by archetype, held-out scenes", height=560)
    rows = archetype_metrics[archetype_metrics["test_set"] == HELD_OUT]
    if rows.empty:
        note_empty(figure, _TOO_FEW)
        return figure
    order = rows[rows["representation"] == TRAINED].sort_values("f1")["archetype"]
    for name, colour in _COLOURS.items():
        mean = rows[rows["representation"].str.startswith(name)].groupby("archetype")["f1"].mean().reindex(order)
        labels = order.str.replace("_", " ")
        figure.add_scatter(x=mean, y=labels, name=name, mode="markers", marker={"color": colour, "size": 9})
    figure.update_xaxes(title_text="F1", range=[0, 1])
    return figure


def map_figure(
    embeddings: pd.DataFrame, evaluation: EvaluationOptions, source: SourceOptions, reporting: ReportingOptions
) -> Any:
    """Draw both sources on the two main components of the standardized embedding, equally many graphs of each.

    Args:
        embeddings: columns graph_id, source, split and the coordinates x0, x1, ...
        evaluation: names of the two sources (`coverage`).
        source: the recordings and variants, which fill in the second name.
        reporting: number of graphs to draw per source.
    """
    from sklearn.decomposition import PCA

    vectors = standardized_coordinates(embeddings)
    model = PCA(n_components=2, svd_solver="covariance_eigh").fit(vectors)
    explained = model.explained_variance_ratio_.sum()
    figure = new_figure(f"Map of scenes: two main components, {explained:.0%} of the variance", height=560)
    coverage = compare_sources(evaluation, source).coverage
    for name, colour in ((coverage.simulated, PALETTE[0]), (coverage.recorded, PALETTE[1])):
        rows = np.flatnonzero(embeddings["source"] == name)
        count = min(reporting.max_map_points, len(rows))
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, count).astype(int))]
        position = model.transform(vectors[rows])
        marker = {"color": colour, "size": 5, "opacity": 0.5}
        text = embeddings["graph_id"].iloc[rows]
        figure.add_scattergl(x=position[:, 0], y=position[:, 1], name=name, mode="markers", marker=marker, text=text)
    figure.update_xaxes(title_text="first component")
    figure.update_yaxes(title_text="second component")
    return figure


def gap_figure(archetype_gaps: pd.DataFrame) -> Any:
    """Draw how much rarer each archetype is in simulation, and its mean gap; grey where p is 0.05 or more.

    Args:
        archetype_gaps: columns archetype, recorded_fraction, simulated_fraction, difference_p, mean_gap and gap_p.
    """
    titles = ["recorded minus simulated fraction", "mean log ratio of neighbour distances"]
    panels = {"rows": 1, "cols": 2, "shared_yaxes": True, "subplot_titles": titles, "horizontal_spacing": 0.04}
    figure = new_figure("Rarer in simulation (grey: p 0.05 or more)", 620, **panels)
    figure.update_layout(title={"xref": "container"})  # above the long names, away from the buttons
    rows = archetype_gaps[archetype_gaps["difference_p"].notna()].iloc[::-1]
    if rows.empty:
        note_empty(figure, "no archetype has enough graphs in the recordings")
        return figure
    names = rows["archetype"].str.replace("_", " ")
    difference = rows["recorded_fraction"] - rows["simulated_fraction"]
    for column, (values, p) in enumerate(((difference, "difference_p"), (rows["mean_gap"], "gap_p")), start=1):
        colours = [PALETTE[0] if is_small else GREY for is_small in rows[p] < 0.05]
        text = [f"p {value:.3f}" for value in rows[p]]
        bars = {"orientation": "h", "marker": {"color": colours}, "text": text, "showlegend": False}
        figure.add_bar(y=names, x=values, row=1, col=column, textposition="outside", **bars)
        low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
        margin = 0.4 * (high - low)  # room for the texts
        figure.update_xaxes(range=[low - margin, high + margin], row=1, col=column)
    figure.update_xaxes(tickformat=".0%", row=1, col=1)
    return figure
