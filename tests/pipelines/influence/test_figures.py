import numpy as np
import pandas as pd
import pytest

from terrarium.influence.reporting.figures import graph_figure, score_figure
from terrarium.influence.reporting.graph_layout import LEFT, RIGHT, curves_of, places_of

EDGES = [("v", "h"), ("v", "h"), ("h", "v"), ("v", "a"), ("b", "h"), ("c", "d"), ("a", "h"), ("b", "b"), ("a", "d")]


def test_entities_have_places_of_their_own_and_stand_opposite():
    places = places_of(EDGES, "v", "h")
    assert len(set(places.values())) == len(places) == 6
    assert places["v"] == (LEFT, 0)
    assert places["h"] == (RIGHT, 0)
    assert places["a"][0] == RIGHT
    assert places["b"][0] == LEFT
    assert set(places_of([("v", "v"), ("v", "x")], "v", "v")) == {"v", "x"}


def test_lines_lead_from_end_to_end_between_the_columns_and_apart():
    places = places_of(EDGES, "v", "h")
    curves = curves_of(EDGES, places)
    for (one, other), curve in zip(EDGES, curves, strict=True):
        assert np.allclose(curve[0], places[one])
        assert np.allclose(curve[-1], places[other])
        assert (curve[:, 0] >= LEFT - 1e-9).all()
        assert (curve[:, 0] <= RIGHT + 1e-9).all()
        assert np.ptp(curve, axis=0).max() > 0.1
    middles = [curve[len(curve) // 2] for curve in curves[:3]]
    assert min(np.abs(a - b).max() for i, a in enumerate(middles) for b in middles[:i]) > 0.1
    assert np.allclose(curves[1][20], curves_of([*EDGES[:1], EDGES[0][::-1]], places)[1][20])


def table():
    """Two triples asked about, the second without proponents; names that need care."""
    rows = [
        ("a", "likes", "t", 3.0, "proponent", 1),
        ("h", "likes", "t", 2.0, "proponent", 2),
        ("a", "knows", "a", 1.0, "proponent", 3),
        ("h", "hates", "a", -1.0, "opponent", 1),
    ]
    names = {"a": "A<b>", "t": "a tail with a name that is far too long for the picture", "h": "head"}
    found = pd.DataFrame(
        [
            {"test": 0, "side": side, "rank": rank, "score": score}
            | {"test_head": "h", "test_relation_name": "likes", "test_tail": "t"}
            | {"train_head": head, "train_relation_name": relation, "train_tail": tail}
            for head, relation, tail, score, side, rank in rows
        ]
    )
    for column in ("test_head", "test_tail", "train_head", "train_tail"):
        found[f"{column}_name"] = found[column].map(names)
    return pd.concat([found, found.query("side == 'opponent'").assign(test=1)], ignore_index=True)


def test_the_picture_has_an_arrow_and_a_relation_for_each_triple():
    plot = graph_figure(table(), 0, 10)
    arrows = [note for note in plot.layout.annotations if note.showarrow]
    labels = [note.text for note in plot.layout.annotations if not note.showarrow]
    assert len(arrows) == 4
    assert sorted(labels) == ["knows", "likes", "likes", "likes"]
    (shown,) = [trace for trace in plot.data if trace.mode == "markers+text"]
    assert set(shown.hovertext) == {"head", "A&lt;b&gt;", table()["test_tail_name"][0]}
    assert max(len(text) for text in shown.text) <= 32 + len("&lt;&gt;")
    assert all(low < value < high for value, (low, high) in ((x, plot.layout.xaxis.range) for x in shown.x))
    assert all(low < value < high for value, (low, high) in ((y, plot.layout.yaxis.range) for y in shown.y))


@pytest.mark.parametrize(("test", "told"), [(1, "no training triple"), (2, "no triple was asked")])
def test_an_empty_picture_says_why(test, told):
    assert told in graph_figure(table(), test, 10).layout.annotations[0].text


def test_bars_show_both_signs():
    plot = score_figure(table(), 0, 10)
    assert [len(trace.x) for trace in plot.data] == [3, 1]
    assert "no triple" in score_figure(table(), 2, 10).layout.annotations[0].text
