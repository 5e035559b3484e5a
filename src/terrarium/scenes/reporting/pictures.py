"""Scenes drawn as pictures: lanes, road users, and the relations of one graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from terrarium.reporting.theme import GREY, LIGHT, PALETTE, new_figure, note_empty
from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.scene_graph import FOLLOWING_LEAD, NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE
from terrarium.sources.traffic.tables import ACTOR_TYPES

_COLOURS = dict(zip(ACTOR_TYPES, (PALETTE[0], PALETTE[1], PALETTE[2], PALETTE[3]), strict=True))
_LINES = {FOLLOWING_LEAD: "solid", NEIGHBOR_VEHICLE: "dash", OPPOSITE_VEHICLE: "dot"}
_NAMES = {FOLLOWING_LEAD: "follows", NEIGHBOR_VEHICLE: "beside", OPPOSITE_VEHICLE: "opposite"}
MARGIN_M, COLUMNS = 20.0, 3


def exemplars(coverage: pd.DataFrame, count: int) -> pd.DataFrame:
    """The largest gaps, no two of one scene."""
    return coverage.drop_duplicates("scene").head(count)


def picture_figure(graphs: Graphs, index: pd.DataFrame, lanes: pd.DataFrame, coverage: pd.DataFrame, count: int) -> Any:
    """A panel for each exemplar of a gap, in metres, north up."""
    chosen = exemplars(coverage, count)
    rows = max(1, -(-len(chosen) // COLUMNS))
    titles = [f"{row.graph_id}, gap {row.score:.2f}" for row in chosen.itertuples()]
    figure = new_figure(
        *("Exemplars of gaps", 120 + 330 * rows), rows=rows, cols=COLUMNS, subplot_titles=titles, vertical_spacing=0.08
    )
    if chosen.empty:
        note_empty(figure, "there is no gap to show")
        return figure
    shown: set[str] = set()
    for number, row in enumerate(chosen["row"]):
        place = {"row": number // COLUMNS + 1, "col": number % COLUMNS + 1}
        graph = graphs.one(int(row))
        _draw_lanes(figure, lanes[lanes["map"] == index["map"].iloc[int(row)]], graph["place"], place)
        _draw_relations(figure, graph, place, shown)
        _draw_users(figure, graph, place, shown)
        _frame(figure, graph["place"], place)
    figure.update_annotations(font_size=11)
    below = {"yref": "container", "y": 0.0, "yanchor": "bottom"}  # titles of panels stand where it is elsewhere
    figure.update_layout(legend=below, margin={"t": 90, "b": 80})
    return figure


def _draw_lanes(figure: Any, lanes: pd.DataFrame, around: np.ndarray, place: dict[str, int]) -> None:
    low, high = around.min(axis=0) - MARGIN_M, around.max(axis=0) + MARGIN_M
    x: list[float | None] = []
    y: list[float | None] = []
    for line_x, line_y in zip(lanes["x_m"], lanes["y_m"], strict=True):
        points = np.stack([np.asarray(line_x, float), np.asarray(line_y, float)], axis=1)
        if (points.max(axis=0) >= low).all() and (points.min(axis=0) <= high).all():
            x += [*points[:, 0], None]
            y += [*points[:, 1], None]
    line = {"color": LIGHT, "width": 6}
    figure.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False, **place)


def _draw_relations(figure: Any, graph: dict[str, np.ndarray], place: dict[str, int], shown: set[str]) -> None:
    for kind, dash in _LINES.items():
        pairs = graph["edge"][graph["relation"] == kind]
        if not len(pairs):
            continue
        ends = graph["place"][pairs]
        gap = np.full((len(ends), 1), None, dtype=object)
        x, y = (np.hstack([ends[:, :, axis].astype(object), gap]).ravel().tolist() for axis in range(2))
        line = {"color": GREY, "dash": dash, "width": 2}
        legend = _legend(_NAMES[kind], shown)
        figure.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", **legend, **place)


def _draw_users(figure: Any, graph: dict[str, np.ndarray], place: dict[str, int], shown: set[str]) -> None:
    for number, kind in enumerate(ACTOR_TYPES):
        here = graph["kind"] == number
        if not here.any():
            continue
        speed, change = graph["speed"][here], graph["lane_change"][here]
        text = [f"{kind} {v:.1f} m/s{', changed lane' if c else ''}" for v, c in zip(speed, change, strict=True)]
        marker = {
            "color": _COLOURS[kind],
            "size": 13,
            "symbol": "arrow",
            "angle": 90.0 - np.degrees(graph["heading"][here]),
            "line": {"color": "black", "width": np.where(change, 2.0, 0.0)},
        }
        legend = _legend(kind, shown)
        x, y = graph["place"][here].T
        figure.add_scatter(x=x, y=y, mode="markers", marker=marker, text=text, hoverinfo="text", **legend, **place)


def _legend(name: str, shown: set[str]) -> dict[str, Any]:
    first = name not in shown
    shown.add(name)
    return {"name": name, "legendgroup": name, "showlegend": first}


def _frame(figure: Any, around: np.ndarray, place: dict[str, int]) -> None:
    middle = (around.min(axis=0) + around.max(axis=0)) / 2
    half = float((around.max(axis=0) - around.min(axis=0)).max()) / 2 + MARGIN_M
    axis = (place["row"] - 1) * COLUMNS + place["col"]
    look = {"showgrid": False, "zeroline": False, **place}
    figure.update_xaxes(range=[middle[0] - half, middle[0] + half], **look)
    figure.update_yaxes(range=[middle[1] - half, middle[1] + half], scaleanchor=f"x{axis if axis > 1 else ''}", **look)
