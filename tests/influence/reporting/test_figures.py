import pandas as pd
import pytest

from terrarium.influence.reporting.figures import graph_figure, score_figure


def table():
    """Two query triples, the second without proponents; names that need care."""
    rows = [
        ("a", "likes", "t", 3.0, "proponent", 1),
        ("h", "likes", "t", 2.0, "proponent", 2),
        ("a", "knows", "a", 1.0, "proponent", 3),
        ("h", "hates", "a", -1.0, "opponent", 1),
    ]
    names = {"a": "A<b>", "t": "a tail with a name that is far too long for the picture", "h": "head"}
    found = pd.DataFrame(
        [
            {"query": 0, "side": side, "rank": rank, "score": score}
            | {"query_head": "h", "query_relation_name": "likes", "query_tail": "t"}
            | {"train_head": head, "train_relation_name": relation, "train_tail": tail}
            for head, relation, tail, score, side, rank in rows
        ]
    )
    for column in ("query_head", "query_tail", "train_head", "train_tail"):
        found[f"{column}_name"] = found[column].map(names)
    return pd.concat([found, found.query("side == 'opponent'").assign(query=1)], ignore_index=True)


def test_the_picture_has_an_arrow_and_a_relation_for_each_triple():
    plot = graph_figure(table(), 0, 10)
    arrows = [note for note in plot.layout.annotations if note.showarrow]
    labels = [note.text for note in plot.layout.annotations if not note.showarrow]
    assert len(arrows) == 4
    assert sorted(labels) == ["knows", "likes", "likes", "likes"]
    (shown,) = [trace for trace in plot.data if trace.mode == "markers+text"]
    assert set(shown.hovertext) == {"head", "A&lt;b&gt;", table()["query_tail_name"][0]}
    assert max(len(text) for text in shown.text) <= 32 + len("&lt;&gt;")
    assert all(low < value < high for value, (low, high) in ((x, plot.layout.xaxis.range) for x in shown.x))
    assert all(low < value < high for value, (low, high) in ((y, plot.layout.yaxis.range) for y in shown.y))


@pytest.mark.parametrize(("query", "message"), [(1, "no training triple"), (2, "no query triple")])
def test_an_empty_picture_says_why(query, message):
    assert message in graph_figure(table(), query, 10).layout.annotations[0].text


def test_bars_show_both_signs():
    plot = score_figure(table(), 0, 10)
    assert [len(trace.x) for trace in plot.data] == [3, 1]
    assert "no query triple" in score_figure(table(), 2, 10).layout.annotations[0].text
