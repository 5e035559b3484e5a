"""Quality against the largest radius as a figure and a table."""

import numpy as np

from terrarium.hyperbolic.reporting.radius_quality import quality_figure, quality_table
from tests.hyperbolic import tables


def test_every_layout_has_a_line_in_every_panel():
    figure = quality_figure(tables.radius_metrics())
    assert len(figure.data) == 4 * 4
    assert {trace.name for trace in figure.data} == {"rays", "rays, float32", "rays, trained", "rays, trained, float32"}
    assert sum(bool(trace.showlegend) for trace in figure.data) == 4
    for trace in figure.data:
        assert list(trace.x) == [6.0, 34.0]
        assert np.isfinite(np.asarray(trace.y, float)).all()


def test_the_table_has_one_row_per_layout_and_radius():
    table = quality_table(tables.radius_metrics())
    assert table["layout"].tolist() == ["rays", "rays, trained", "rays", "rays, trained"]
    assert table["largest radius"].tolist() == [6.0, 6.0, 34.0, 34.0]
    assert table.loc[2, "ancestor MAP, detour"] == 1.0
    assert table.loc[2, "ancestor MAP, detour, in float32"] == 0.5


def test_nothing_was_measured():
    empty = tables.radius_metrics().iloc[:0]
    assert quality_table(empty).empty
    assert quality_figure(empty).layout.annotations[-1].text == "no radius was measured"


def test_a_metric_that_the_tree_does_not_define_is_left_out():
    """Two taxa are one pair: a rank correlation over it is undefined, and evaluation leaves it out."""
    undefined = tables.radius_metrics().drop(columns="hops_spearman")
    figure = quality_figure(undefined)
    assert len(figure.data) == 3 * 4
    titles = [note.text for note in figure.layout.annotations]
    assert titles == ["ancestor MAP, detour", "ancestor MAP, distance", "edge MAP"]
    table = quality_table(undefined)
    assert "rank correlation of distance and hops" not in table
    assert len(table) == len(quality_table(tables.radius_metrics()))
