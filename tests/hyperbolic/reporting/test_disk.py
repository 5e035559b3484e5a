import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hyperbolic.geometry.ball import norm_of_radius
from terrarium.hyperbolic.reporting.disk import VISIBLE_RADIUS, disk_figure, geodesic
from tests.hyperbolic import tables


def points(figure):
    return [trace for trace in figure.data if trace.mode == "markers"]


def places(figure):
    x, y = (np.concatenate([trace[axis] for trace in points(figure)]) for axis in "xy")
    return sorted(zip(x, y, strict=True))


def test_every_taxon_keeps_its_radius():
    vectors = tables.vectors()
    *groups, root = points(disk_figure(vectors, "order", 1000, 4))
    radius = np.concatenate([np.hypot(trace.x, trace.y) for trace in groups])
    np.testing.assert_allclose(np.sort(radius), np.sort(norm_of_radius(vectors["radius"])), atol=1e-4)
    assert [root.name, len(root.x)] == ["taxon 0 (root)", 1]


def test_the_largest_groups_are_coloured_and_the_rest_is_grey():
    shown = points(disk_figure(tables.vectors(), "order", 1000, 4))
    assert [trace.name for trace in shown[:1]] == ["other or no order"]
    assert len(shown) == 1 + 4 + 1
    assert len({trace.marker.color for trace in shown}) == len(shown)


@pytest.mark.parametrize("groups", [1, 30])
def test_more_groups_than_there_are_colours(groups):
    shown = points(disk_figure(tables.vectors(branching=3), "family", 1000, groups))
    assert len(shown) == 1 + min(groups, 27) + 1


def test_a_rank_that_nobody_has():
    shown = points(disk_figure(tables.vectors(), "tribe", 1000, 4))
    assert [trace.name for trace in shown] == ["no tribe", "taxon 0 (root)"]


def test_names_are_text_not_markup():
    figure = disk_figure(tables.vectors(), "class", 1000, 4)
    written = [text for trace in points(figure) for text in (*trace.text, trace.name)]
    assert not any("<b>" in text or "</script>" in text for text in written)
    assert any("Virus &lt;b&gt;" in text for text in written)


def test_rows_may_come_in_any_order():
    vectors = tables.vectors()
    one, other = (disk_figure(table, "order", 30, 3) for table in (vectors, vectors.sample(frac=1.0, random_state=1)))
    assert one.to_json() == other.to_json()


def test_the_figure_does_not_depend_on_names_or_groups():
    vectors = tables.vectors()
    one = disk_figure(vectors, "order", 1000, 4)
    other = disk_figure(vectors.assign(rank="no rank", name="same"), "order", 1000, 4)
    assert places(one) == places(other)


@given(st.integers(0, 10_000))
def test_geodesics_join_their_ends_and_meet_the_rim_at_right_angles(seed):
    rng = np.random.default_rng(seed)
    turn, length = rng.uniform(0.0, 2.0 * np.pi, (2, 5)), rng.uniform(0.0, 0.99, (2, 5))
    a, b = (r[:, None] * np.stack([np.cos(t), np.sin(t)], axis=1) for r, t in zip(length, turn, strict=True))
    curve = geodesic(a, b, steps=9)
    np.testing.assert_allclose(curve[:, 0], a, atol=1e-9)
    np.testing.assert_allclose(curve[:, -1], b, atol=1e-9)
    steps = np.linalg.norm(np.diff(curve, axis=1), axis=2) / np.sqrt(
        (1.0 - np.square(curve[:, 1:]).sum(axis=2)) * (1.0 - np.square(curve[:, :-1]).sum(axis=2))
    )
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), rtol=1e-6, atol=1e-9)


def test_a_geodesic_of_no_length():
    point = np.array([[0.3, 0.2]])
    np.testing.assert_allclose(geodesic(point, point), np.broadcast_to(point[:, None], (1, 8, 2)))


def test_edges_are_drawn_between_drawn_taxa():
    figure = disk_figure(tables.vectors(), "order", 1000, 4)
    (edges,) = [trace for trace in figure.data if trace.mode == "lines"]
    assert np.isnan(edges.x.astype(float)).sum() == 120
    assert edges.name == "edges"


def test_the_smallest_trees():
    for levels, branching in ((1, 1), (1, 2), (3, 1)):
        disk_figure(tables.vectors(branching=branching, levels=levels), "order", 10, 3).to_json()


def test_radii_beyond_what_is_visible_are_drawn_to_scale():
    vectors = tables.vectors()
    far = vectors.assign(radius=10.0 * vectors["radius"])
    *groups, _ = points(disk_figure(far, "order", 1000, 4))
    drawn = np.sort(np.concatenate([np.hypot(trace.x, trace.y) for trace in groups]))
    scale = VISIBLE_RADIUS / far["radius"].max()
    np.testing.assert_allclose(drawn, np.sort(norm_of_radius(scale * far["radius"])), atol=1e-4)
    assert "drawn at 20%" in disk_figure(far, "order", 1000, 4).layout.title.text


def test_the_groups_are_named_around_the_disk_and_no_name_covers_another():
    figure = disk_figure(tables.vectors(), "family", 1000, 12)
    names = figure.layout.annotations
    assert len(names) == 12
    assert len({name.text for name in names}) == 12
    for side in (-1.0, 1.0):
        heights = np.sort([np.arcsin(np.clip(name.y / 1.04, -1.0, 1.0)) for name in names if name.x * side > 0.0])
        assert (np.diff(heights) > 0.09).all()


def test_an_automatic_rank_colours_the_disk():
    assert "coloured by class" in disk_figure(tables.vectors(), "auto", 1000, 4).layout.title.text
