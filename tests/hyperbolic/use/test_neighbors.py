"""The search finds the neighbours that comparing all distances finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hyperbolic.geometry.ball import Layout, distance, excess
from terrarium.hyperbolic.use.neighbors import excess_of, nearest_rows, search_table
from tests.hyperbolic.trees import random_layout


def all_distances(layout: Layout, row: int) -> np.ndarray:
    return distance(layout.radius[row], layout.direction[row], layout.radius, layout.direction)


@given(seed=st.integers(0, 1000), size=st.integers(1, 2500), k=st.integers(1, 12), dim=st.integers(2, 11))
def test_the_nearest_are_those_of_a_full_sort(seed, size, k, dim):
    layout = random_layout(np.random.default_rng(seed), size, dim, largest=30.0)
    table, own = search_table(layout), np.array([0, size - 1])
    ends = Layout(layout.radius[own], layout.direction[own])
    rows, found = nearest_rows(table, search_table(ends), own, k)
    for query, row in enumerate(own):
        expected = np.delete(all_distances(layout, row), row)
        count = min(k, size - 1)
        assert np.allclose(found[query, :count], np.sort(expected)[:count], rtol=1e-9, atol=1e-9)
        assert np.allclose(all_distances(layout, row)[rows[query, :count]], found[query, :count], atol=1e-9)
        assert (rows[query, count:] == -1).all()
        assert np.isinf(found[query, count:]).all()


def test_only_allowed_rows_are_neighbours():
    layout = random_layout(np.random.default_rng(0), 50)
    allowed = np.arange(50) % 7 == 3
    rows, _ = nearest_rows(search_table(layout), search_table(layout), np.arange(50), 5, allowed)
    assert (rows[rows >= 0] % 7 == 3).all()


def test_equal_points_come_in_the_order_of_their_rows():
    layout = random_layout(np.random.default_rng(0), 1)
    copies = Layout(np.repeat(layout.radius, 9), np.repeat(layout.direction, 9, axis=0))
    rows, found = nearest_rows(search_table(copies), search_table(layout), np.array([4]), 5)
    assert rows.tolist() == [[0, 1, 2, 3, 5]]
    assert (found == 0).all()


@given(seed=st.integers(0, 1000), size=st.integers(1, 1500))
def test_the_excess_is_that_of_the_geometry(seed, size):
    layout = random_layout(np.random.default_rng(seed), size, largest=20.0)
    expected = excess(layout.radius[0], layout.direction[0], layout.radius, layout.direction)
    assert np.allclose(excess_of(search_table(layout), 0), expected, rtol=1e-9, atol=1e-9)
