import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from terrarium.hyperbolic.geometry import ball as geometry
from terrarium.hyperbolic.geometry.ball import Layout, cap_margin, detour, distance, from_ball, norm_of_radius, to_ball

radii = arrays(np.float64, (4,), elements=st.floats(0.0, 12.0))
raw = arrays(np.float64, (4, 3), elements=st.floats(-1.0, 1.0)).filter(
    lambda x: bool((np.linalg.norm(x, axis=1) > 1e-3).all())
)


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@given(radii, raw)
def test_distance_is_a_metric(r, x):
    u = unit(x)
    d = distance(r[:, None], u[:, None], r[None], u[None])
    assert np.allclose(np.diag(d), 0.0)
    assert np.allclose(d, d.T)
    assert (d >= 0).all()
    assert (d[:, None, :] <= d[:, :, None] + d[None] + 1e-6).all()


@given(arrays(np.float64, (4,), elements=st.floats(0.0, 4.0)), raw)
def test_distance_is_that_of_the_ball(r, x):
    layout = Layout(r, unit(x))
    p = to_ball(layout)
    square = np.square(p[:, None] - p[None]).sum(-1)
    inside = 1.0 - np.square(p).sum(1)
    expected = np.arccosh(1.0 + 2.0 * square / (inside[:, None] * inside[None]))
    found = distance(r[:, None], layout.direction[:, None], r[None], layout.direction[None])
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-6)


@given(radii, raw)
def test_distance_to_the_origin_is_the_radius(r, x):
    u = unit(x)
    assert np.allclose(distance(r, u, 0.0, u[:1]), r, atol=1e-9)


@given(radii, raw)
def test_detour_is_never_negative_and_zero_on_the_way_to_the_origin(r, x):
    u = unit(x)
    assert (detour(r[:, None], u[:, None], r[None], u[None]) >= -1e-9).all()
    assert np.allclose(detour(r, u, 0.5 * r, u), 0.0, atol=1e-9)


@given(arrays(np.float64, (4,), elements=st.floats(0.01, 8.0)), raw)
def test_from_ball_undoes_to_ball(r, x):
    layout = Layout(r, unit(x))
    again = from_ball(to_ball(layout))
    assert np.allclose(again.radius, r, rtol=1e-9)
    assert np.allclose(again.direction, layout.direction)


def test_siblings_far_out_keep_their_distance():
    angle = 2.0 * np.arcsin(np.sinh(1.0) / np.sinh(33.0))
    u = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    assert distance(33.0, u[0], 33.0, u[1]) == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("radius", [0.0, 20.0, 36.0, 40.0, 700.0])
def test_ball_points_are_strictly_inside(radius):
    u = unit(np.random.default_rng(0).normal(size=(1000, 10)))
    assert (np.linalg.norm(to_ball(Layout(np.full(1000, radius), u)), axis=1) < 1.0).all()


def test_points_outside_the_ball_are_refused():
    with pytest.raises(ValueError, match="row 1 has norm 1"):
        from_ball([[0.0, 0.5], [1.0, 0.0]])


def test_norm_and_radius_are_inverse():
    norm = np.linspace(0.0, 0.999, 50)
    assert np.allclose(geometry.norm_of_radius(geometry.radius_of_norm(norm)), norm)


@given(st.integers(0, 10**6))
def test_the_cap_margin_is_negative_in_the_cap_alone(seed):
    rng = np.random.default_rng(seed)
    r1, r2 = rng.uniform(1.0, 5.0, 2)
    u1, u2 = rng.normal(size=(2, 3))
    u1, u2 = u1 / np.linalg.norm(u1), u2 / np.linalg.norm(u2)
    in_cap = u1 @ u2 >= norm_of_radius(r2) / np.tanh(r1)
    assert (cap_margin(r1, u1, r2, u2) <= 0.0) == in_cap
