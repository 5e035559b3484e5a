"""Pictures of the situations that the simulation lacks: lanes, road users with speeds, relations, and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from terrarium.reporting.theme import GREY, LIGHT, PALETTE, new_figure, note_empty
from terrarium.scenes.coverage.patterns import describe_pattern, find_patterns, locate_pattern
from terrarium.scenes.criticality.tables import DECELERATION, HEADWAY, PET, TTC
from terrarium.scenes.graphs.columns import from_parts, from_state
from terrarium.scenes.graphs.scene_graph import FOLLOWING_LEAD, NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE
from terrarium.scenes.options import ReportingOptions
from terrarium.sources.traffic.tables import ACTOR_TYPES
from terrarium.training.checkpointing.state import State

_COLOURS = dict(zip(ACTOR_TYPES, (PALETTE[0], PALETTE[1], PALETTE[2], PALETTE[3]), strict=True))
_LINES = {FOLLOWING_LEAD: "solid", NEIGHBOR_VEHICLE: "dash", OPPOSITE_VEHICLE: "dot"}
_NAMES = {FOLLOWING_LEAD: "follows", NEIGHBOR_VEHICLE: "adjacent", OPPOSITE_VEHICLE: "opposite"}
_CRITICAL = {
    TTC: ("collision in", "s"),
    HEADWAY: ("headway", "s"),
    DECELERATION: ("braking", "m/s²"),
    PET: ("encroachment", "s"),
}
"""Measures of criticality in the titles of pictures: name and unit."""
MARGIN_M, COLUMNS, TITLE_WIDTH = 20.0, 3, 34
UNBROKEN = "\u00a0"
"""A space at which no line ends."""


def exemplar_figure(
    graphs: State,
    graph_index: pd.DataFrame,
    lanes: pd.DataFrame,
    coverage: pd.DataFrame,
    situations: pd.DataFrame,
    reporting: ReportingOptions,
) -> Any:
    """Draw the exemplar of each of the first situations, in metres, north up.

    Arrows point where road users go; next to them is the speed in m/s. Rings mark the road users that make the
    situation rare.

    Args:
        graphs: all graphs in columns.
        graph_index: their table, with the column map.
        lanes: columns map, x_m and y_m.
        coverage: columns row and graph_id, and the measures of criticality; see `CoverageReport.graphs`.
        situations: see `group_situations`.
        reporting: number of exemplars.
    """
    details = coverage.drop(columns=["situation", "p"])
    chosen = situations.head(reporting.num_exemplars).merge(details, on="row", how="left")
    rows = chosen["row"].tolist()
    titles = dict(zip(rows, [panel_title(row) for _, row in chosen.iterrows()], strict=True))
    reasons = dict(zip(rows, chosen["situation"].tolist(), strict=True))
    return draw_graphs("What the simulation lacks", graphs, graph_index, lanes, titles, reasons)


def draw_graphs(
    title: str,
    graphs: State,
    graph_index: pd.DataFrame,
    lanes: pd.DataFrame,
    titles: Mapping[int, str],
    reasons: Mapping[int, str] | None = None,
) -> Any:
    """Draw a panel for each of some graphs, in metres, north up.

    Args:
        title: of the figure.
        graphs: all graphs in columns.
        graph_index: their table, with the column map.
        lanes: columns map, x_m and y_m.
        titles: row of a graph -> title of its panel, lines separated by <br>.
        reasons: row of a graph -> the situation whose road users are ringed.
    """
    columns = from_state(graphs)
    rows = max(1, -(-len(titles) // COLUMNS))
    lines = max((text.count("<br>") + 1 for text in titles.values()), default=1)
    height = 350 + 16 * lines
    panels = {"subplot_titles": list(titles.values()), "vertical_spacing": (50 + 16 * lines) / (height * rows)}
    figure = new_figure(title, 120 + height * rows, rows=rows, cols=COLUMNS, **panels)
    if not titles:
        note_empty(figure, "there is no graph to show")
        return figure
    in_legend: set[str] = set()
    for number, row in enumerate(titles):
        panel = {"row": number // COLUMNS + 1, "col": number % COLUMNS + 1}
        graph = columns.graph(row)
        _draw_lanes(figure, lanes[lanes["map"] == graph_index["map"].iloc[row]], graph["position"], panel)
        _draw_relations(figure, graph, panel, in_legend)
        focus = _draw_reason(figure, graph, reasons[row], panel, in_legend) if reasons else graph["position"]
        _draw_users(figure, graph, panel, in_legend)
        _frame(figure, focus, panel)
    figure.update_annotations(font_size=11)
    below = {"yref": "container", "y": 0.0, "yanchor": "bottom"}  # the titles of the panels are where it usually is
    figure.update_layout(legend=below, margin={"t": 100 + 16 * lines, "b": 80})
    return figure


def panel_title(row: pd.Series) -> str:
    """Return the name of a situation, how much rarer it is, its p-value, and what is critical, in short lines."""
    how_rare = f"{row['times_rarer']:.1f} times rarer, {row['graphs']} graphs"
    p = "" if pd.isna(row["p_adjusted"]) else f", adjusted p {row['p_adjusted']:.2g}"
    critical = [
        f"{name} {row[column]:.1f}{UNBROKEN}{unit}"
        for column, (name, unit) in _CRITICAL.items()
        if row["tags"] and np.isfinite(row[column])
    ]
    lines = [
        *wrap(row["situation"], TITLE_WIDTH),
        *wrap(how_rare + p, TITLE_WIDTH),
        *wrap(", ".join(critical), TITLE_WIDTH),
    ]
    lines.append(str(row["graph_id"]))
    return "<br>".join(lines)


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


def _draw_reason(
    figure: Any, graph: dict[str, np.ndarray], situation: str, panel: dict[str, int], in_legend: set[str]
) -> np.ndarray:
    """Ring the road users of the graph that show the situation; return their positions, of all if none does (k, 2)."""
    one = from_parts([graph])
    found = find_patterns(one).patterns
    pattern = next((pattern for pattern in found if describe_pattern(pattern) == situation), None)
    if pattern is None:
        return graph["position"]
    focus = np.asarray(graph["position"][locate_pattern(one, pattern)])
    x, y = focus.T
    marker = {"color": "rgba(0,0,0,0)", "size": 26, "line": {"color": PALETTE[1], "width": 2.5}}
    legend = _legend("what makes it rare", in_legend)
    figure.add_scatter(x=x, y=y, mode="markers", marker=marker, hoverinfo="skip", **legend, **panel)
    return focus


def _draw_users(figure: Any, graph: dict[str, np.ndarray], panel: dict[str, int], in_legend: set[str]) -> None:
    for number, kind in enumerate(ACTOR_TYPES):
        is_type = graph["actor_type"] == number
        if not is_type.any():
            continue
        speed, change = graph["speed"][is_type], graph["lane_change"][is_type]
        hover = [f"{kind} {v:.1f} m/s{', changed lane' if c else ''}" for v, c in zip(speed, change, strict=True)]
        text = [f"{v:.1f}" for v in speed]
        marker = {
            "color": _COLOURS[kind],
            "size": 13,
            "symbol": "arrow",
            "angle": 90.0 - np.degrees(graph["heading"][is_type]),
            "line": {"color": "black", "width": np.where(change, 2.0, 0.0)},
        }
        legend = _legend(kind, in_legend)
        x, y = graph["position"][is_type].T
        look = {"mode": "markers+text", "textposition": "top center", "textfont": {"size": 10}}
        figure.add_scatter(
            x=x, y=y, marker=marker, text=text, hovertext=hover, hoverinfo="text", **look, **legend, **panel
        )


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
