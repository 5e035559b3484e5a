import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.reporting.disk_map import disk_map, embedded_disk
from tests.hyperbolic import tables
from tests.reporting.explorer import maps


@given(st.integers(3, 6), st.floats(1.0, 34.0))
def test_radii_keep_their_ratios_and_children_stay_in_the_sector_of_their_parent(dim, max_radius):
    points, tree = maps.disk(dim, max_radius), maps.tree()
    radius, angle = points.position.T
    kept = points.details["radius"].to_numpy()
    np.testing.assert_allclose(radius / radius.max(), kept / kept.max(), rtol=1e-5)
    for row in np.flatnonzero(tree.end - np.arange(len(tree)) > 1):
        below = tree.below(row)
        outside = np.setdiff1d(np.arange(len(tree)), np.append(below, tree.ancestors(row)))
        leaves_outside = outside[tree.end[outside] == outside + 1]
        low, high = angle[below].min(), angle[below].max()
        assert not ((angle[leaves_outside] > low) & (angle[leaves_outside] < high)).any()
        assert low < angle[row] < high


def test_two_dimensions_are_drawn_as_they_are():
    tree = maps.tree()
    rng = np.random.default_rng(0)
    direction = rng.normal(size=(len(tree), 2))
    layout = Layout(rng.uniform(0, 9, len(tree)), direction / np.linalg.norm(direction, axis=1, keepdims=True))
    nodes = tables.vectors()[["id", "name", "rank"]]
    points = disk_map(nodes, tree, layout, "flat")
    radius, angle = points.position.T
    np.testing.assert_array_equal(radius, layout.radius)
    np.testing.assert_allclose(np.stack([np.cos(angle), np.sin(angle)], axis=1), layout.direction, atol=1e-12)


def test_groups_of_a_rank_are_a_colour():
    table = tables.vectors()
    whole = maps.disk()
    assert whole.coloured[1:] == ["rank", "depth", "radius"]
    assert whole.coloured[0].endswith(" above")
    assert len(table) == len(whole)


@pytest.mark.parametrize("points", [20, 1000])
def test_a_report_embeds_some_of_the_points_with_a_closed_tree(points):
    table = tables.vectors()
    page = embedded_disk(table, "auto", points, "Walk")
    assert tables.NASTY not in page.replace("<\\/script", ""), "names are inside the coded data"
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert len(page) < 150_000
