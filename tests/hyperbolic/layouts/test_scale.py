import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.common.vectors import normalize_rows
from terrarium.hyperbolic.geometry.ball import distance
from terrarium.hyperbolic.layouts.scale import ROUNDING, solve_scale


@given(root=st.floats(1e-6, 1e6), start=st.floats(1e-3, 1e3))
def test_the_root_of_an_increasing_function_is_found_from_anywhere(root, start):
    assert solve_scale(lambda scale: np.log(scale / root), start) == pytest.approx(root, rel=1e-4)


@pytest.mark.parametrize("radius", [20.0, 30.0, 34.0])
def test_rounding_moves_a_point_by_about_the_shortest_edge(radius):
    exact = normalize_rows(np.random.default_rng(0).normal(size=(200, 10)).astype(np.longdouble))
    error = np.linalg.norm((exact - exact.astype(np.float64)).astype(np.float64), axis=1)
    moved = error * np.sinh(radius)
    assert 0.2 < moved.mean() / (ROUNDING * np.sinh(radius)) < 5.0
    assert distance(radius, exact[0], radius, exact[0]) == 0.0
