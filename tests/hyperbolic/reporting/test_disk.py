import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import norm_of_radius
from terrarium.hyperbolic.layouts.initial import random_directions
from terrarium.hyperbolic.reporting.disk import circular_order, disk_figure, faithfulness, geodesic, sample_rows
from tests.hyperbolic import tables
from tests.hyperbolic.trees import trees


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


@given(trees(), st.integers(1, 50))
def test_the_sample_holds_the_root_and_as_many_as_asked(tree, count):
    labels = np.where(tree.depth > 1, tree.depth, -1).astype(np.int32)
    rows = sample_rows(tree, labels, count)
    assert len(rows) == min(count, len(tree))
    assert rows[0] == 0
    assert (np.diff(rows) > 0).all()


def test_a_small_group_is_drawn_too():
    count = 5000
    parents = np.concatenate([[-1, 0, 0, 1, 2], np.full(count, 3), np.full(2, 4)])
    tree = Hierarchy.from_parents(np.arange(len(parents)), parents)
    labels = np.where(tree.depth == 3, tree.parent, -1).astype(np.int32)
    small = np.flatnonzero(tree.is_ancestor(tree.rows(4), np.arange(len(tree))))
    assert np.isin(small, sample_rows(tree, labels, 60)).all()


def test_like_directions_stand_side_by_side():
    rng = np.random.default_rng(0)
    centre = np.repeat(np.eye(6), 40, axis=0)
    direction = centre + 0.05 * rng.normal(size=centre.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    shuffle = rng.permutation(len(direction))
    angle = circular_order(direction[shuffle])
    group = (np.repeat(np.arange(6), 40)[shuffle])[np.argsort(angle)]
    assert (group != np.roll(group, 1)).sum() == 6
    assert ((angle >= 0.0) & (angle < 2.0 * np.pi)).all()


def test_taxa_beyond_the_landmarks_stand_at_their_nearest():
    direction = random_directions(300, 3, 0)
    angle = circular_order(direction, landmarks=50)
    assert len(np.unique(angle)) > 250


@pytest.mark.parametrize("direction", [np.eye(2)[[0, 0, 0]], np.eye(2)[[0, 1, 0]], np.array([[1.0, 0.0], [-1.0, 0.0]])])
def test_hardly_any_directions(direction):
    angle = circular_order(direction)
    assert np.isfinite(angle).all()
    assert len(np.unique(angle)) <= 2


def test_a_plane_is_kept_wholly_and_chance_is_not():
    rng = np.random.default_rng(0)
    angle, radius = rng.uniform(0.0, 2.0 * np.pi, 200), rng.uniform(0.5, 4.0, 200)
    flat = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert faithfulness(flat, radius, angle) == pytest.approx((1.0, 1.0))
    near, far = faithfulness(random_directions(200, 10, 1), np.full(200, 3.0), angle)
    assert near < 0.2
    assert abs(far) < 0.2


def test_faithfulness_of_a_point_is_undefined():
    assert np.isnan(faithfulness(np.eye(2)[:1], np.ones(1), np.zeros(1))).all()
    assert np.isnan(faithfulness(np.eye(2)[[0, 0, 0]], np.zeros(3), np.zeros(3))).all()


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
    np.testing.assert_allclose(geodesic(point, point), np.broadcast_to(point[:, None], (1, 12, 2)))


def test_edges_are_drawn_between_drawn_taxa():
    figure = disk_figure(tables.vectors(), "order", 1000, 4)
    (edges,) = [trace for trace in figure.data if trace.mode == "lines"]
    assert np.isnan(edges.x.astype(float)).sum() == 120
    assert edges.name == "edges down to depth 4"


def test_the_smallest_trees():
    for levels, branching in ((1, 1), (1, 2), (3, 1)):
        disk_figure(tables.vectors(branching=branching, levels=levels), "order", 10, 3).to_json()
