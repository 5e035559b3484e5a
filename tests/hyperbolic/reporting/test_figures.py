import numpy as np
import pandas as pd
import pytest

from terrarium.hyperbolic.reporting import figures
from terrarium.training.history import history_table
from tests.hyperbolic import tables


def traces(figure):
    return {trace.name: trace for trace in figure.data if trace.name}


def notes(figure):
    return [note.text for note in figure.layout.annotations]


def test_the_best_epoch_is_marked():
    shown = traces(figures.loss_figure(tables.history()))
    assert list(shown["best epoch"].x) == [4]
    assert len(shown["loss"].x) == len(shown["learning rate"].x) == 4
    assert shown["learning rate"].yaxis == "y2"


@pytest.mark.parametrize("draw", [figures.loss_figure, figures.norm_figure])
@pytest.mark.parametrize("history", [history_table([], 0), tables.history(0)])
def test_an_empty_history_says_so(draw, history):
    assert notes(draw(history)) == ["no epoch was trained"]


def test_norms_that_a_history_lacks_are_left_out():
    assert "smallest norm" not in traces(figures.norm_figure(tables.history().drop(columns="min_norm")))


def test_radius_against_depth_shows_median_band_and_target():
    vectors = tables.vectors()
    figure = figures.radius_figure(vectors, tables.depths(vectors), 20)
    shown = traces(figure)
    assert len(shown["taxa"].x) == 20
    np.testing.assert_allclose(shown["median"].y, np.tanh(0.25 * np.arange(5)))
    np.testing.assert_allclose(shown["target"].y, np.tanh(0.3 * np.arange(5)))
    np.testing.assert_allclose(next(trace.y for trace in figure.data if trace.name == "median"), 0.5 * np.arange(5))


def test_names_on_hover_are_text_not_markup():
    vectors = tables.vectors().assign(name=tables.NASTY)
    text = traces(figures.radius_figure(vectors, tables.depths(vectors), 5))["taxa"].text
    assert set(text) == {"Virus &lt;b&gt;&amp;&lt;/b&gt; &quot;x&quot; &#x27;y&#x27; &lt;/script&gt;"}


@pytest.mark.parametrize("ranks", [("order",), ("order", "family")])
def test_bars_by_layout_beside_the_tree_and_chance(ranks):
    table = tables.rank_metrics(ranks)
    apart, pure = traces(figures.separation_figure(table)), traces(figures.purity_figure(table))
    for shown in (apart, pure):
        assert {"trained", "inherited", "random"} < shown.keys()
        assert list(shown["trained"].x) == list(ranks)
    assert list(apart["in the tree (hops)"].y) == [1.9] * len(ranks)
    assert list(pure["chance"].y) == [0.2] * len(ranks)


@pytest.mark.parametrize("draw", [figures.separation_figure, figures.purity_figure])
def test_no_rank_and_undefined_numbers(draw):
    assert notes(draw(tables.rank_metrics(()))) == ["no rank has two groups here"]
    draw(tables.rank_metrics().assign(separation=np.nan, purity=np.nan)).to_json()
    assert "largest possible" not in traces(draw(tables.rank_metrics().drop(columns="purity_ceiling")))


def test_figures_do_not_touch_their_input():
    vectors = tables.vectors()
    before = vectors.copy()
    figures.radius_figure(vectors, tables.depths(vectors), 20)
    pd.testing.assert_frame_equal(vectors, before)


def test_what_was_withheld_is_shown_by_layout_and_score():
    table = pd.DataFrame({"layout": ["trained", "trained", "rule"], "score": ["detour", "detour", ""], "f1": 0.5})
    table = table.assign(kind=["leaf", "clade", "leaf"], exact=[0.9, 0.8, 0.0])
    shown = traces(figures.placement_figure(table))
    assert list(shown["leaf"].x) == ["trained, detour", "rule"]
    assert list(shown["clade"].y) == [0.8]
    assert list(traces(figures.link_figure(table))["F1"].y) == [0.5] * 3
