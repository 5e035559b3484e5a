"""Pictures of what caused a prediction."""

from __future__ import annotations

import textwrap
from html import escape
from typing import Any

import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.influence.reporting.graph_layout import LEFT, Place, curves_of, places_of
from terrarium.influence.scoring.tables import sentence
from terrarium.reporting.theme import GREY, PALETTE, new_figure, note_empty

FOR, AGAINST, ASKED = PALETTE[0], PALETTE[1], PALETTE[2]
ROW_PX, NAME, LABEL, TITLE = 58, 28, 62, 80
"""Height of a row, and how many letters of a name, a bar's label and a line of a title are shown."""
SIDE = 0.45
"""Room for names beside the columns, in widths between them."""


def graph_figure(scores: pd.DataFrame, test: int, edges: int) -> Any:
    """The triple asked about, dashed, and its strongest proponents as a graph; wider arrows have more influence."""
    rows = scores[(scores["test"] == test) & (scores["side"] == "proponent")].head(edges)
    if rows.empty:
        return _empty("Proponents", scores, test)
    asked = rows.iloc[0]
    figure = _titled(f"Proponents of: {sentence(asked, 'test_')}", 0)
    pairs = [
        (asked["test_head"], asked["test_tail"]),
        *zip(rows["train_head"], rows["train_tail"], strict=True),
    ]
    places = places_of(pairs, *pairs[0])
    own, *others = curves_of(pairs, places)
    _arrow(figure, own, {"color": GREY, "width": 2, "dash": "dash"}, asked["test_relation_name"], 0.5, "asked about")
    for row, pair, curve in zip(rows.to_dict("records"), pairs[1:], others, strict=True):
        width = 1 + 3 * row["score"] / rows["score"].max()
        told = f"{sentence(row)}: {row['score']:.3g}"
        _arrow(figure, curve, {"color": FOR, "width": width}, row["train_relation_name"], _at(pair, pairs[0]), told)
    _entities(figure, _names(rows), places, pairs[0])
    span = [place[1] for place in places.values()]
    figure.update_xaxes(visible=False, range=[-SIDE, 1 + SIDE], fixedrange=True)
    figure.update_yaxes(visible=False, range=[min(span) - 0.6, max(span) + 0.6], fixedrange=True)
    figure.update_layout(height=figure.layout.margin.t + 20 + int(ROW_PX * (max(span) - min(span) + 1.2)))
    return figure


def score_figure(scores: pd.DataFrame, test: int, edges: int) -> Any:
    """The strongest influences on a triple, for and against."""
    rows = scores[(scores["test"] == test) & (scores["rank"] <= edges)]
    if rows.empty:
        return _empty("Strongest influences", scores, test)
    figure = _titled(f"Strongest influences on: {sentence(rows.iloc[0], 'test_')}", 40)
    figure.update_layout(height=figure.layout.margin.t + 110 + 24 * len(rows))
    for side, colour in (("proponent", FOR), ("opponent", AGAINST)):
        own = rows[rows["side"] == side].sort_values("score", ascending=side == "opponent").to_dict("records")
        labels = [f"{_short(sentence(row), LABEL)} ({row['rank']})" for row in own]
        figure.add_bar(
            x=[row["score"] for row in own],
            y=labels,
            name=side,
            orientation="h",
            marker_color=colour,
            hovertext=[escape(sentence(row)) for row in own],
        )
    figure.update_layout(legend={"y": -60 / figure.layout.height, "yanchor": "top"})
    figure.update_xaxes(title_text="influence")
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def _empty(title: str, scores: pd.DataFrame, test: int) -> Any:
    figure = new_figure(title)
    asked = bool((scores["test"] == test).any())
    note_empty(figure, "no training triple of this sign" if asked else "no triple was asked about")
    return figure


def _titled(title: str, below: int) -> Any:
    """A figure whose title has lines of its own, away from the buttons; `below`: room below the plot for a legend."""
    lines = textwrap.wrap(escape(title), TITLE)
    figure = new_figure("<br>".join(lines))
    figure.update_layout(
        margin={"l": 10, "r": 45, "t": 30 + 22 * len(lines), "b": 10 + below},
        title={"x": 0, "xref": "container", "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 10, "l": 10}},
        modebar={"orientation": "v"},
    )
    return figure


def _arrow(figure: Any, curve: Float64Array, line: dict[str, Any], relation: str, at: float, told: str) -> None:
    """A line with its head, and its relation's name at a share of its length."""
    figure.add_scatter(
        x=curve[:, 0], y=curve[:, 1], mode="lines", line=line, text=escape(told), hoverinfo="text", showlegend=False
    )
    (x, y), (from_x, from_y) = curve[-1], curve[-5]
    drawn = {"arrowhead": 2, "arrowwidth": max(1.5, line["width"] / 2), "arrowcolor": line["color"], "standoff": 7}
    ends = {"x": x, "y": y, "ax": from_x, "ay": from_y, "xref": "x", "yref": "y", "axref": "x", "ayref": "y"}
    figure.add_annotation(**ends, **drawn, text="", showarrow=True)
    x, y = curve[int(at * (len(curve) - 1))]
    figure.add_annotation(
        x=x,
        y=y,
        text=escape(_short(relation, NAME)),
        showarrow=False,
        bgcolor="rgba(255,255,255,0.85)",
        font={"size": 11, "color": line["color"]},
    )


def _at(pair: tuple[str, str], asked: tuple[str, str]) -> float:
    """Where the relation's name stands: away from the entities asked about, where many lines meet."""
    if pair[0] == pair[1] or (pair[0] in asked) == (pair[1] in asked):
        return 0.5
    return 0.62 if pair[0] in asked else 0.38


def _entities(figure: Any, names: dict[str, str], places: dict[str, Place], asked: tuple[str, str]) -> None:
    figure.add_scatter(
        x=[places[entity][0] for entity in names],
        y=[places[entity][1] for entity in names],
        text=[escape(_short(name, NAME)) for name in names.values()],
        mode="markers+text",
        textposition=[f"middle {'left' if places[entity][0] == LEFT else 'right'}" for entity in names],
        marker={"size": 12, "color": [ASKED if entity in asked else GREY for entity in names]},
        hovertext=[escape(name) for name in names.values()],
        hoverinfo="text",
        showlegend=False,
        cliponaxis=False,
    )


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def _names(rows: pd.DataFrame) -> dict[str, str]:
    """Names of all entities of the picture, by id."""
    found: dict[str, str] = {}
    for prefix in ("test_", "train_"):
        for end in ("head", "tail"):
            found |= dict(zip(rows[f"{prefix}{end}"], rows[f"{prefix}{end}_name"], strict=True))
    return found
