import numpy as np
import pytest

from terrarium.hyperbolic.geometry.ball import norm_of_radius, radius_of_norm
from terrarium.hyperbolic.layouts.targets import target_radii

DEPTHS = np.arange(39)


def test_linear_is_the_documents_formula():
    assert np.allclose(norm_of_radius(target_radii(DEPTHS, "linear", 0.1, 0.95)), 0.1 + 0.85 * DEPTHS / 38)


def test_logarithmic_is_the_documents_formula():
    expected = 0.1 + 0.85 * np.log(1 + DEPTHS) / np.log(39)
    assert np.allclose(norm_of_radius(target_radii(DEPTHS, "logarithmic", 0.1, 0.95)), expected)


def test_hyperbolic_has_equal_steps():
    steps = np.diff(target_radii(DEPTHS, "hyperbolic", 0.1, 0.95))
    assert np.allclose(steps, steps[0])


@pytest.mark.parametrize("schedule", ["linear", "logarithmic", "hyperbolic"])
def test_all_grow_from_the_root_to_the_leaf_norm(schedule):
    radius = target_radii(DEPTHS, schedule, 0.1, 0.95)
    assert radius[0] == pytest.approx(radius_of_norm(0.1))
    assert radius[-1] == pytest.approx(radius_of_norm(0.95))
    assert (np.diff(radius) > 0).all()


def test_the_deepest_level_can_be_given():
    assert np.allclose(target_radii([3], "linear", 0.1, 0.95, deepest=38), target_radii(DEPTHS, "linear", 0.1, 0.95)[3])
