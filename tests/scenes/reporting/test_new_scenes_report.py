import pandas as pd

from terrarium.scenes.reporting.new_scenes_report import novelty_figure, summarize_scenes, write_report
from tests.scenes.scenery import options, tables


def results():
    index = tables()["index"].head(6)
    novelty = index[["graph_id", "scene", "time_s"]].assign(
        row=range(6), distance=[0.6, 0.5, 0.4, 0.3, 0.2, 0.1], novelty_p=[0.01, 0.04, 0.06, 0.3, 0.5, 1.0]
    )
    nearest = novelty[["graph_id", "scene"]].assign(rank=1, nearest_scene=["a", "b", "b", "b", "a", "b"])
    return novelty, nearest


def test_a_scene_is_as_novel_as_its_most_novel_graph():
    novelty, nearest = results()
    (row,) = summarize_scenes(novelty.assign(scene="s"), nearest.assign(scene="s")).to_dict("records")
    assert row == {
        "scene": "s",
        "graphs": 6,
        "novel_graphs": 2,
        "most_novel_graph": novelty["graph_id"].iloc[0],
        "novelty_p": 0.01,
        "nearest_scene": "b",
    }
    both = summarize_scenes(novelty.assign(scene=list("xyxyxy")), nearest.assign(scene=list("xyxyxy")))
    assert isinstance(both, pd.DataFrame)
    assert both["scene"].tolist() == ["x", "y"]


def test_the_report_shows_each_scene_and_its_picture():
    novelty, nearest = results()
    chosen, made = options(), tables()
    figure = novelty_figure(made["graphs"], made["index"], made["lanes"], novelty, chosen.reporting)
    page = write_report(novelty, nearest, figure, chosen.embed)
    assert str(novelty["scene"].iloc[0]) in page
    assert page.count('<figure role="img"') == 1
