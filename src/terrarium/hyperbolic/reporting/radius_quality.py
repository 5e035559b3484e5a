"""Quality against the largest radius: a figure and a table of the layouts, trained and not, and what float32 keeps."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.reporting.theme import PALETTE, new_figure, note_empty

_METRICS = {
    "ancestor_map_detour": "ancestor MAP, detour",
    "ancestor_map_distance": "ancestor MAP, distance",
    "edge_map": "edge MAP",
    "hops_spearman": "rank correlation of distance and hops",
}
_LINES = {("float64", False): "dash", ("float64", True): "solid", ("float32", False): "dot", ("float32", True): "dot"}


def quality_figure(radius_metrics: pd.DataFrame) -> Any:
    """Draw four metrics against the largest radius, one line per layout, trained or not, and precision.

    Args:
        radius_metrics: layout, max_radius, trained, precision and metrics; one row per line and radius. A metric that
            the tree does not define, as a rank correlation over two taxa, is no column, and its panel is left out.
    """
    shown = _shown(radius_metrics) or list(_METRICS)
    names = [_METRICS[metric] for metric in shown]
    figure = new_figure(
        "Quality against the largest radius", 760, rows=2, cols=2, subplot_titles=names, vertical_spacing=0.12
    )
    colours = dict(zip(dict.fromkeys(radius_metrics["layout"]), PALETTE, strict=False))
    for (layout, trained, precision), part in radius_metrics.groupby(["layout", "trained", "precision"], sort=False):
        name = f"{layout}{', trained' if trained else ''}{', float32' if precision == 'float32' else ''}"
        ordered = part.sort_values("max_radius")
        for place, metric in enumerate(shown):
            figure.add_scatter(
                x=ordered["max_radius"],
                y=ordered[metric],
                name=name,
                legendgroup=name,
                showlegend=place == 0,
                mode="lines+markers",
                marker={"size": 5},
                line={"color": colours[layout], "dash": _LINES[str(precision), bool(trained)]},
                row=1 + place // 2,
                col=1 + place % 2,
            )
    figure.update_xaxes(title_text="largest hyperbolic radius", type="log", tickvals=_ticks(radius_metrics))
    figure.update_xaxes(ticktext=[f"{radius:g}" for radius in _ticks(radius_metrics)])
    figure.update_yaxes(range=[0, 1.03])
    figure.update_layout(legend={"y": -0.12, "yanchor": "top"}, margin={"b": 130})
    if radius_metrics.empty:
        note_empty(figure, "no radius was measured")
    return figure


def quality_table(radius_metrics: pd.DataFrame) -> pd.DataFrame:
    """Return one row per layout and radius: the metrics in float64, and ancestor MAP by detour in float32.

    Args:
        radius_metrics: as for `quality_figure`.
    """
    if radius_metrics.empty:
        return pd.DataFrame()
    keys = ["layout", "trained", "max_radius"]
    exact = radius_metrics[radius_metrics["precision"] == "float64"].set_index(keys)[_shown(radius_metrics)]
    single = radius_metrics[radius_metrics["precision"] == "float32"].set_index(keys)["ancestor_map_detour"]
    table = exact.rename(columns=_METRICS).assign(**{"ancestor MAP, detour, in float32": single})
    table = table.reset_index().sort_values(["max_radius", "layout", "trained"], ignore_index=True)
    trained = table.pop("trained").map({True: ", trained", False: ""})
    return table.assign(layout=table["layout"] + trained).rename(columns={"max_radius": "largest radius"})


def _shown(radius_metrics: pd.DataFrame) -> list[str]:
    return [metric for metric in _METRICS if metric in radius_metrics]


def _ticks(radius_metrics: pd.DataFrame) -> list[float]:
    return [float(radius) for radius in sorted(radius_metrics["max_radius"].unique())]
