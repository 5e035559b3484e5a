"""Figures of proponents and opponents."""

from __future__ import annotations

import textwrap
from html import escape
from typing import Any

import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.influence.data.named_graph import triple_text
from terrarium.influence.options import ReportingOptions
from terrarium.influence.reporting.graph_layout import LEFT, Position, edge_curves, entity_positions
from terrarium.reporting.theme import GREY, PALETTE, new_figure, note_empty

PROPONENT, OPPONENT, QUERY = PALETTE[0], PALETTE[1], PALETTE[2]
ROW_PX = 58
NAME_LENGTH, LABEL_LENGTH, TITLE_LENGTH = 28, 62, 80
"""Characters shown of an entity's name, a bar's label and a line of the title."""
NAME_MARGIN = 0.45
"""Room for names outside the columns, in distances between them."""


def first_query_figures(scores: pd.DataFrame, reporting: ReportingOptions) -> dict[str, Any]:
    """Return the figures of the first query triple by name: `graph` (its proponents) and `scores` (both sides).

    Args:
        scores: table of the strongest influences, as from `scoring.tables.score_table`.
        reporting: number of proponents to show.
    """
    return {
        "graph": graph_figure(scores, 0, reporting.num_proponents),
        "scores": score_figure(scores, 0, reporting.num_proponents),
    }


def graph_figure(scores: pd.DataFrame, query: int, num_proponents: int) -> Any:
    """Draw a query triple (dashed) and its top proponents as a graph; wider arrows have more influence.

    Args:
        scores: as for `first_query_figures`.
        query: row of the query triple.
        num_proponents: number of proponents to draw.
    """
    rows = scores[(scores["query"] == query) & (scores["side"] == "proponent")].head(num_proponents)
    if rows.empty:
        return _empty("Proponents", scores, query)
    first = rows.iloc[0]
    figure = _titled(f"Proponents of: {triple_text(first, 'query_')}", 0)
    query_ends = (first["query_head"], first["query_tail"])
    pairs = [query_ends, *zip(rows["train_head"], rows["train_tail"], strict=True)]
    positions = entity_positions(pairs, *query_ends)
    query_curve, *curves = edge_curves(pairs, positions)
    dashed = {"color": GREY, "width": 2, "dash": "dash"}
    _add_arrow(figure, query_curve, dashed, first["query_relation_name"], 0.5, "query triple")
    for row, pair, curve in zip(rows.to_dict("records"), pairs[1:], curves, strict=True):
        line = {"color": PROPONENT, "width": 1 + 3 * row["score"] / rows["score"].max()}
        hover = f"{triple_text(row, 'train_')}: {row['score']:.3g}"
        _add_arrow(figure, curve, line, row["train_relation_name"], _label_position(pair, query_ends), hover)
    _add_entities(figure, _entity_names(rows), positions, query_ends)
    y = [position[1] for position in positions.values()]
    figure.update_xaxes(visible=False, range=[-NAME_MARGIN, 1 + NAME_MARGIN], fixedrange=True)
    figure.update_yaxes(visible=False, range=[min(y) - 0.6, max(y) + 0.6], fixedrange=True)
    figure.update_layout(height=figure.layout.margin.t + 20 + int(ROW_PX * (max(y) - min(y) + 1.2)))
    return figure


def score_figure(scores: pd.DataFrame, query: int, num_proponents: int) -> Any:
    """Draw the influences of the top proponents and opponents of a query triple as bars.

    Args:
        scores: as for `first_query_figures`.
        query: row of the query triple.
        num_proponents: number of proponents, and of opponents, to draw.
    """
    rows = scores[(scores["query"] == query) & (scores["rank"] <= num_proponents)]
    if rows.empty:
        return _empty("Strongest influences", scores, query)
    figure = _titled(f"Strongest influences on: {triple_text(rows.iloc[0], 'query_')}", 40)
    figure.update_layout(height=figure.layout.margin.t + 110 + 24 * len(rows))
    for side, colour in (("proponent", PROPONENT), ("opponent", OPPONENT)):
        own = rows[rows["side"] == side].sort_values("score", ascending=side == "opponent").to_dict("records")
        figure.add_bar(
            x=[row["score"] for row in own],
            y=[f"{_shorten(triple_text(row, 'train_'), LABEL_LENGTH)} ({row['rank']})" for row in own],
            name=side,
            orientation="h",
            marker_color=colour,
            hovertext=[escape(triple_text(row, "train_")) for row in own],
        )
    figure.update_layout(legend={"y": -60 / figure.layout.height, "yanchor": "top"})
    figure.update_xaxes(title_text="influence")
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def _empty(title: str, scores: pd.DataFrame, query: int) -> Any:
    figure = new_figure(title)
    has_scores = bool((scores["query"] == query).any())
    note_empty(figure, "no training triple of this sign" if has_scores else "there is no query triple")
    return figure


def _titled(title: str, legend_px: int) -> Any:
    """Return a figure whose title has lines of its own, away from the buttons, and room for a legend below the plot."""
    lines = textwrap.wrap(escape(title), TITLE_LENGTH)
    figure = new_figure("<br>".join(lines))
    figure.update_layout(
        margin={"l": 10, "r": 45, "t": 30 + 22 * len(lines), "b": 10 + legend_px},
        title={"x": 0, "xref": "container", "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 10, "l": 10}},
        modebar={"orientation": "v"},
    )
    return figure


def _add_arrow(
    figure: Any, curve: Float64Array, line: dict[str, Any], relation: str, label_position: float, hover: str
) -> None:
    """Add a curve with an arrowhead, and the relation's name at a fraction of its length."""
    figure.add_scatter(
        x=curve[:, 0], y=curve[:, 1], mode="lines", line=line, text=escape(hover), hoverinfo="text", showlegend=False
    )
    (x, y), (from_x, from_y) = curve[-1], curve[-5]
    style = {"arrowhead": 2, "arrowwidth": max(1.5, line["width"] / 2), "arrowcolor": line["color"], "standoff": 7}
    ends = {"x": x, "y": y, "ax": from_x, "ay": from_y, "xref": "x", "yref": "y", "axref": "x", "ayref": "y"}
    figure.add_annotation(**ends, **style, text="", showarrow=True)
    x, y = curve[int(label_position * (len(curve) - 1))]
    figure.add_annotation(
        x=x,
        y=y,
        text=escape(_shorten(relation, NAME_LENGTH)),
        showarrow=False,
        bgcolor="rgba(255,255,255,0.85)",
        font={"size": 11, "color": line["color"]},
    )


def _label_position(pair: tuple[str, str], query_ends: tuple[str, str]) -> float:
    """Return where the relation's name is: away from the query's entities, where many curves meet."""
    if pair[0] == pair[1] or (pair[0] in query_ends) == (pair[1] in query_ends):
        return 0.5
    return 0.62 if pair[0] in query_ends else 0.38


def _add_entities(
    figure: Any, names: dict[str, str], positions: dict[str, Position], query_ends: tuple[str, str]
) -> None:
    figure.add_scatter(
        x=[positions[entity][0] for entity in names],
        y=[positions[entity][1] for entity in names],
        text=[escape(_shorten(name, NAME_LENGTH)) for name in names.values()],
        mode="markers+text",
        textposition=[f"middle {'left' if positions[entity][0] == LEFT else 'right'}" for entity in names],
        marker={"size": 12, "color": [QUERY if entity in query_ends else GREY for entity in names]},
        hovertext=[escape(name) for name in names.values()],
        hoverinfo="text",
        showlegend=False,
        cliponaxis=False,
    )


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _entity_names(rows: pd.DataFrame) -> dict[str, str]:
    """Return the names of all entities in the figure by id."""
    names: dict[str, str] = {}
    for column in ("query_head", "query_tail", "train_head", "train_tail"):
        names |= dict(zip(rows[column], rows[f"{column}_name"], strict=True))
    return names
