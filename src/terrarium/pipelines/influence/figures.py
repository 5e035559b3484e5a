"""Pictures of what caused a prediction."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.pipelines.influence.tables import sentence
from terrarium.reporting.theme import GREY, PALETTE, new_figure, note_empty

FOR, AGAINST = PALETTE[0], PALETTE[1]


def graph_figure(scores: pd.DataFrame, test: int, edges: int) -> Any:
    """The triple asked about with its strongest proponents as a small graph; wider lines have more influence."""
    rows = scores[(scores["test"] == test) & (scores["side"] == "proponent")].head(edges)
    if rows.empty:
        figure = new_figure("Proponents")
        note_empty(figure, "no triple was asked about")
        return figure
    figure = new_figure(f"Proponents of: {sentence(rows.iloc[0], 'test_')}", height=560)
    places = _layout(rows)
    strongest = rows["score"].abs().max() or 1.0
    for row in rows.to_dict("records"):
        width = 1 + 5 * abs(row["score"]) / strongest
        _edge(figure, places, row, "train_", {"color": FOR if row["score"] >= 0 else AGAINST, "width": width})
    _edge(figure, places, rows.iloc[0].to_dict(), "test_", {"color": GREY, "width": 2, "dash": "dash"})
    names = _names(rows)
    asked = {rows.iloc[0]["test_head"], rows.iloc[0]["test_tail"]}
    figure.add_scatter(
        x=[places[entity][0] for entity in names],
        y=[places[entity][1] for entity in names],
        text=list(names.values()),
        mode="markers+text",
        textposition="top center",
        marker={"size": 12, "color": [PALETTE[2] if entity in asked else GREY for entity in names]},
        hoverinfo="text",
        showlegend=False,
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def score_figure(scores: pd.DataFrame, test: int, edges: int) -> Any:
    """The strongest influences on a triple, for and against."""
    rows = scores[(scores["test"] == test) & (scores["rank"] <= edges)]
    figure = new_figure("Strongest influences", height=160 + 24 * len(rows))
    if rows.empty:
        note_empty(figure, "no triple was asked about")
        return figure
    for side, colour in (("proponent", FOR), ("opponent", AGAINST)):
        own = rows[rows["side"] == side].sort_values("score", ascending=False)
        labels = [f"{sentence(row)} ({row['rank']})" for row in own.to_dict("records")]
        figure.add_bar(x=own["score"], y=labels, name=side, orientation="h", marker_color=colour)
    figure.update_xaxes(title_text="influence")
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def _names(rows: pd.DataFrame) -> dict[str, str]:
    """Names of all entities of the picture, by id."""
    found: dict[str, str] = {}
    for prefix in ("test_", "train_"):
        for end in ("head", "tail"):
            found |= dict(zip(rows[f"{prefix}{end}"], rows[f"{prefix}{end}_name"], strict=True))
    return found


def _layout(rows: pd.DataFrame) -> dict[str, tuple[float, float]]:
    import networkx as nx

    graph = nx.Graph()
    graph.add_edges_from(zip(rows["train_head"], rows["train_tail"], strict=True))
    graph.add_edge(rows.iloc[0]["test_head"], rows.iloc[0]["test_tail"])
    return {entity: (float(x), float(y)) for entity, (x, y) in nx.spring_layout(graph, seed=0).items()}


def _edge(
    figure: Any, places: dict[str, tuple[float, float]], row: dict[Any, Any], prefix: str, line: dict[str, Any]
) -> None:
    (x, y), (to_x, to_y) = places[row[f"{prefix}head"]], places[row[f"{prefix}tail"]]
    told = sentence(row, prefix) if prefix == "test_" else f"{sentence(row)}: {row['score']:.3g}"
    middle_x, middle_y = (x + to_x) / 2, (y + to_y) / 2
    figure.add_scatter(
        x=[x, middle_x, to_x],
        y=[y, middle_y, to_y],
        mode="lines",
        line=line,
        text=told,
        hoverinfo="text",
        showlegend=False,
    )
