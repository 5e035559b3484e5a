import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.reporting.explorer.points import principal_plane, view_gap
from tests.reporting.explorer import maps


def moved(position, first, second):
    """The places after the translation of a point to the origin, by complex numbers."""
    z, c = (np.tanh(r / 2) * np.exp(1j * a) for r, a in (position.T, (first, second)))
    return (z - c) / (1 - np.conj(c) * z)


@given(st.floats(0, 6), st.floats(-10, 10))
def test_the_gap_to_the_rim_is_that_of_the_translation(radius, angle):
    position = maps.disk(max_radius=6.0).position
    directions = np.stack([1 - np.tanh(position[:, 0] / 2), np.cos(position[:, 1]), np.sin(position[:, 1])])
    np.testing.assert_allclose(
        view_gap(directions, radius, angle), 1 - np.abs(moved(position, radius, angle)) ** 2, atol=1e-9
    )


@given(st.floats(7, 30))
def test_a_point_in_the_middle_of_the_view_is_seen_however_far_out_it_is(radius):
    directions = np.array([[2 / (np.exp(radius) + 1)], [np.cos(1.0)], [np.sin(1.0)]])
    np.testing.assert_allclose(view_gap(directions, radius, 1.0), 1.0, atol=1e-2 if radius > 25 else 1e-6)


def test_all_points_are_shown_where_there_is_room_for_them():
    assert len(maps.disk().visible(0, 0, 1, maps.NODES)) == maps.NODES


@pytest.mark.parametrize("limit", [1, 10, 60])
def test_of_too_many_points_the_heaviest_that_are_seen_stay(limit):
    points = maps.disk()
    shown = points.visible(0.0, 0.0, 1.0, limit)
    assert len(shown) == limit
    assert points.weight[shown].min() >= np.delete(points.weight, shown).max()
    assert (np.diff(shown) > 0).all()


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(1, 50))
def test_a_map_shows_what_is_within_its_frame(x, y, scale):
    points = maps.plane()
    shown = points.visible(x, y, scale, 150)
    inside = (np.abs(points.position - [x, y]) < 1 / scale).all(axis=1)
    assert inside[shown].all()
    assert len(shown) == min(150, inside.sum())


@given(st.integers(0, maps.NODES - 1))
def test_a_node_is_told_with_its_path_and_children(row):
    points, tree = maps.disk(), maps.tree()
    node = points.node(row)
    assert [entry["row"] for entry in node["path"]] == tree.ancestors(row).tolist()
    assert {entry["row"] for entry in node["children"]} == set(tree.children(row).tolist())
    distances = [entry["distance"] for entry in node["neighbours"]]
    assert distances == sorted(distances)
    assert row not in [entry["row"] for entry in node["neighbours"]]


def test_a_search_puts_the_shortest_beginnings_first_and_offers_near_spellings():
    points = maps.disk()
    found = [entry["name"] for entry in points.search("NODE 1")]
    assert found[0] == "node 1"
    assert set(found[1:11]) == {f"node {i}" for i in range(10, 20)}
    assert [entry["name"] for entry in points.search("de 120")] == ["node 120"]
    assert "node 77" in [entry["name"] for entry in points.search("nodee 77")]
    assert points.search("nothing like it") == []


def test_columns_are_classes_by_size_and_numbers():
    points = maps.disk()
    about = {column["name"]: column for column in points.describe()["columns"]}
    assert about["rank"]["classes"] == ["rank 4", "rank 3", "rank 2", "rank 1", "rank 0"]
    assert (about["depth"]["low"], about["depth"]["high"]) == (0.0, 4.0)
    assert "id" not in about, "every value occurs once"
    codes = points.values("rank")
    names = np.array(about["rank"]["classes"])[codes.astype(int)]
    np.testing.assert_array_equal(names, points.details["rank"])
    with pytest.raises(KeyError):
        points.values("size")


def test_absent_values_have_no_colour():
    points = maps.plane()
    points.details.loc[3, ["side", "height"]] = None
    assert np.isnan(points.values("side")[3])
    assert np.isnan(points.values("height")[3])
    assert points.node(3)["values"] == []


@given(st.integers(1, 6), st.integers(1, 30))
def test_a_plane_keeps_the_largest_variance(dim, count):
    vectors = np.random.default_rng(dim).normal(size=(count, dim)) * np.arange(1, dim + 1)
    flat = principal_plane(vectors)
    assert flat.shape == (count, 2)
    assert np.abs(flat).max() <= 1.0 + 1e-12
    assert flat[:, 0].var() >= flat[:, 1].var() - 1e-12


def test_a_plane_of_two_dimensions_keeps_all_distances():
    vectors = np.random.default_rng(0).normal(size=(50, 2))
    flat = principal_plane(vectors)
    ratio = np.linalg.norm(flat[1:] - flat[0], axis=1) / np.linalg.norm(vectors[1:] - vectors[0], axis=1)
    np.testing.assert_allclose(ratio, ratio[0])


def test_names_that_are_numbers_are_found_as_well():
    points = maps.plane()
    object.__setattr__(points, "names", pd.Series(np.arange(200)))
    assert points.search("150")[0]["name"] == "150"
