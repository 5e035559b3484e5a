"""The report on new scenes; its text is in new_scenes.html.j2."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.reporting.page import render_page
from terrarium.scenes.options import EmbedOptions, ReportingOptions
from terrarium.scenes.reporting.exemplars import draw_graphs
from terrarium.training.checkpointing.state import State

_NOVEL_BELOW = 0.05


def novelty_figure(
    graphs: State, graph_index: pd.DataFrame, lanes: pd.DataFrame, novelty: pd.DataFrame, reporting: ReportingOptions
) -> Any:
    """Draw the most novel graph of each of the most novel scenes.

    Args:
        graphs: the new graphs in columns.
        graph_index: their table, with the column map.
        lanes: columns map, x_m and y_m.
        novelty: see `measure_novelty`.
        reporting: number of exemplars.
    """
    chosen = novelty.drop_duplicates("scene").head(reporting.num_exemplars)
    titles = [f"{row.graph_id}, p {row.novelty_p:.4f}" for row in chosen.itertuples()]
    panels = dict(zip(chosen["row"].tolist(), titles, strict=True))
    return draw_graphs("Most novel graphs", graphs, graph_index, lanes, panels)


def write_report(novelty: pd.DataFrame, nearest: pd.DataFrame, figure_scenes: Any, embed: EmbedOptions) -> str:
    """Render the report as one HTML page: novelty and nearest scenes of each new scene.

    Args:
        novelty: see `measure_novelty`.
        nearest: see `find_nearest`.
        figure_scenes: see `novelty_figure`.
        embed: options.
    """
    return render_page(
        "scenes/reporting/new_scenes.html.j2",
        title="New traffic scenes",
        scenes=summarize_scenes(novelty, nearest),
        graphs=len(novelty),
        embed=embed,
        figure_scenes=figure_scenes,
    )


def summarize_scenes(novelty: pd.DataFrame, nearest: pd.DataFrame) -> pd.DataFrame:
    """Return one row per new scene, the most novel first.

    Args:
        novelty: see `measure_novelty`.
        nearest: see `find_nearest`.

    Returns:
        Columns scene, graphs, novel_graphs (p below 0.05), most_novel_graph, novelty_p (of that graph) and
        nearest_scene (the known scene that is most often the nearest of its graphs).
    """
    first = nearest[nearest["rank"] == 1]
    commonest = first.groupby("scene")["nearest_scene"].agg(lambda names: names.mode().iloc[0])
    by_scene = novelty.groupby("scene", sort=False)
    table = by_scene.agg(
        graphs=("graph_id", "size"),
        novel_graphs=("novelty_p", lambda p: int((p < _NOVEL_BELOW).sum())),
        most_novel_graph=("graph_id", "first"),
        novelty_p=("novelty_p", "first"),
    ).reset_index()
    return table.assign(nearest_scene=table["scene"].map(commonest))
