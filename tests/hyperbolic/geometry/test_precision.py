"""The precision report and the guarantee of the ball."""

import numpy as np
import pytest

from terrarium.hyperbolic.geometry.ball import Layout, to_ball
from terrarium.hyperbolic.geometry.precision import assert_inside_ball, duplicate_rows, precision_report


def test_report() -> None:
    radius = np.array([0.0, 10.0, 16.0, 35.0, 35.0, 60.0, 60.5])
    direction = np.tile([0.0, 1.0], (7, 1))
    direction[4] = [1.0, 0.0]
    report = precision_report(Layout(radius, direction))
    assert report["past_safe_radius_float64"] == pytest.approx(4 / 7)
    assert report["past_safe_radius_float32"] == pytest.approx(5 / 7)
    assert report["duplicates_float64"] == 1
    assert report["duplicates_float32"] == 2
    assert report["outside_float32"] == pytest.approx(4 / 7)
    assert report["max_radius"] == 60.5
    assert report["max_norm"] < 1.0


def test_duplicates_are_exact() -> None:
    points = np.array([[0.0, 1.0], [-0.0, 1.0], [np.nextafter(0.0, 1.0), 1.0], [0.0, 1.0]])
    assert duplicate_rows(points) == 2


def test_the_export_is_inside() -> None:
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(2000, 10))
    layout = Layout(rng.uniform(0.0, 80.0, 2000), steps / np.linalg.norm(steps, axis=1, keepdims=True))
    assert_inside_ball(to_ball(layout))


def test_the_error_names_the_first_taxa() -> None:
    points = np.array([[0.0, 0.5], [0.8, 0.6000001], [1.0, 0.0]])
    with pytest.raises(ValueError, match=r"2 of 3 rows \(1, 2\) not strictly inside the ball in float64"):
        assert_inside_ball(points)
    with pytest.raises(ValueError, match=r"\(Mus, Rattus\)"):
        assert_inside_ball(points, ["Homo", "Mus", "Rattus"])
    with pytest.raises(ValueError, match=r"7 of 7 rows \(0, 1, 2, 3, 4, …\)"):
        assert_inside_ball(np.ones((7, 2)))


def test_the_dtype_decides() -> None:
    points = np.array([[1.0 - 1e-12, 0.0]])
    assert_inside_ball(points)
    with pytest.raises(ValueError, match="in float32"):
        assert_inside_ball(points.astype(np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(value: float) -> None:
    with pytest.raises(ValueError, match=r"1 of 2 rows \(1\) not finite"):
        assert_inside_ball(np.array([[0.0, 0.0], [value, 0.0]]))


@pytest.mark.parametrize("points", [np.zeros(3), np.zeros((2, 2), int)])
def test_only_tables_of_floats(points: np.ndarray) -> None:
    with pytest.raises(TypeError, match="2-d array of floats"):
        assert_inside_ball(points)
