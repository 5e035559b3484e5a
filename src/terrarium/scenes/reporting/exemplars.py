"""Pictures of the graphs with the largest gaps: lanes, road users and relations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from terrarium.reporting.theme import GREY, LIGHT, PALETTE, new_figure, note_empty
from terrarium.scenes.graphs.columns import from_state
from terrarium.scenes.graphs.scene_graph import FOLLOWING_LEAD, NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE
from terrarium.scenes.options import ReportingOptions
from terrarium.sources.traffic.tables import ACTOR_TYPES
from terrarium.training.checkpointing.state import State

_COLOURS = dict(zip(ACTOR_TYPES, (PALETTE[0], PALETTE[1], PALETTE[2], PALETTE[3]), strict=True))
_LINES = {FOLLOWING_LEAD: "solid", NEIGHBOR_VEHICLE: "dash", OPPOSITE_VEHICLE: "dot"}
_NAMES = {FOLLOWING_LEAD: "follows", NEIGHBOR_VEHICLE: "adjacent", OPPOSITE_VEHICLE: "opposite"}
MARGIN_M, COLUMNS = 20.0, 3


def choose_exemplars(coverage: pd.DataFrame, reporting: ReportingOptions) -> pd.DataFrame:
    """Return the rows of the largest gaps, at most one per scene.

    Args:
        coverage: column scene; rows sorted by gap, largest first.
        reporting: number of exemplars.
    """
    return coverage.drop_duplicates("scene").head(reporting.num_exemplars)


def exemplar_figure(
    graphs: State, graph_index: pd.DataFrame, lanes: pd.DataFrame, coverage: pd.DataFrame, reporting: ReportingOptions
) -> Any:
    """Draw a panel for each exemplar, in metres, north up.

    Args:
        graphs: all graphs in columns.
        graph_index: their table, with the column map.
        lanes: columns map, x_m and y_m.
        coverage: recorded graphs by gap; see `CoverageReport.graphs`.
        reporting: number of exemplars.
    """
    chosen = choose_exemplars(coverage, reporting)
    titles = [f"{row.graph_id}, gap {row.score:.2f}" for row in chosen.itertuples()]
    panels = dict(zip(chosen["row"].tolist(), titles, strict=True))
    return draw_graphs("Exemplars of gaps", graphs, graph_index, lanes, panels)


def draw_graphs(
    title: str, graphs: State, graph_index: pd.DataFrame, lanes: pd.DataFrame, titles: dict[int, str]
) -> Any:
    """Draw a panel for each of some graphs, in metres, north up.

    Args:
        title: of the figure.
        graphs: all graphs in columns.
        graph_index: their table, with the column map.
        lanes: columns map, x_m and y_m.
        titles: row of a graph -> title of its panel.
    """
    columns = from_state(graphs)
    rows = max(1, -(-len(titles) // COLUMNS))
    panels = {"rows": rows, "cols": COLUMNS, "subplot_titles": list(titles.values()), "vertical_spacing": 0.08}
    figure = new_figure(title, 120 + 330 * rows, **panels)
    if not titles:
        note_empty(figure, "there is no graph to show")
        return figure
    in_legend: set[str] = set()
    for number, row in enumerate(titles):
        panel = {"row": number // COLUMNS + 1, "col": number % COLUMNS + 1}
        graph = columns.graph(row)
        _draw_lanes(figure, lanes[lanes["map"] == graph_index["map"].iloc[row]], graph["position"], panel)
        _draw_relations(figure, graph, panel, in_legend)
        _draw_users(figure, graph, panel, in_legend)
        _frame(figure, graph["position"], panel)
    figure.update_annotations(font_size=11)
    below = {"yref": "container", "y": 0.0, "yanchor": "bottom"}  # the titles of the panels are where it usually is
    figure.update_layout(legend=below, margin={"t": 90, "b": 80})
    return figure


def _draw_lanes(figure: Any, lanes: pd.DataFrame, around: np.ndarray, panel: dict[str, int]) -> None:
    low, high = around.min(axis=0) - MARGIN_M, around.max(axis=0) + MARGIN_M
    x: list[float | None] = []
    y: list[float | None] = []
    for line_x, line_y in zip(lanes["x_m"], lanes["y_m"], strict=True):
        points = np.stack([np.asarray(line_x, float), np.asarray(line_y, float)], axis=1)
        if (points.max(axis=0) >= low).all() and (points.min(axis=0) <= high).all():
            x += [*points[:, 0], None]
            y += [*points[:, 1], None]
    line = {"color": LIGHT, "width": 6}
    figure.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False, **panel)


def _draw_relations(figure: Any, graph: dict[str, np.ndarray], panel: dict[str, int], in_legend: set[str]) -> None:
    for kind, dash in _LINES.items():
        pairs = graph["edge"][graph["relation"] == kind]
        if not len(pairs):
            continue
        ends = graph["position"][pairs]
        gap = np.full((len(ends), 1), None, dtype=object)
        x, y = (np.hstack([ends[:, :, axis].astype(object), gap]).ravel().tolist() for axis in range(2))
        line = {"color": GREY, "dash": dash, "width": 2}
        legend = _legend(_NAMES[kind], in_legend)
        figure.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", **legend, **panel)


def _draw_users(figure: Any, graph: dict[str, np.ndarray], panel: dict[str, int], in_legend: set[str]) -> None:
    for number, kind in enumerate(ACTOR_TYPES):
        is_type = graph["actor_type"] == number
        if not is_type.any():
            continue
        speed, change = graph["speed"][is_type], graph["lane_change"][is_type]
        text = [f"{kind} {v:.1f} m/s{', changed lane' if c else ''}" for v, c in zip(speed, change, strict=True)]
        marker = {
            "color": _COLOURS[kind],
            "size": 13,
            "symbol": "arrow",
            "angle": 90.0 - np.degrees(graph["heading"][is_type]),
            "line": {"color": "black", "width": np.where(change, 2.0, 0.0)},
        }
        legend = _legend(kind, in_legend)
        x, y = graph["position"][is_type].T
        figure.add_scatter(x=x, y=y, mode="markers", marker=marker, text=text, hoverinfo="text", **legend, **panel)


def _legend(name: str, in_legend: set[str]) -> dict[str, Any]:
    first = name not in in_legend
    in_legend.add(name)
    return {"name": name, "legendgroup": name, "showlegend": first}


def _frame(figure: Any, around: np.ndarray, panel: dict[str, int]) -> None:
    middle = (around.min(axis=0) + around.max(axis=0)) / 2
    half = float((around.max(axis=0) - around.min(axis=0)).max()) / 2 + MARGIN_M
    axis = (panel["row"] - 1) * COLUMNS + panel["col"]
    look = {"showgrid": False, "zeroline": False, **panel}
    figure.update_xaxes(range=[middle[0] - half, middle[0] + half], **look)
    figure.update_yaxes(range=[middle[1] - half, middle[1] + half], scaleanchor=f"x{axis if axis > 1 else ''}", **look)
