import numpy as np
import pytest

from terrarium.hyperbolic.geometry.ball import norm_of_radius, radius_of_norm
from terrarium.hyperbolic.layouts.targets import target_radii
from terrarium.hyperbolic.options import FeatureOptions

DEPTHS = np.arange(39)


def radii(depths, schedule="linear", max_depth=None):
    return target_radii(depths, FeatureOptions(radius_schedule=schedule, root_norm=0.1, leaf_norm=0.95), max_depth)


def test_linear_is_the_documents_formula():
    assert np.allclose(norm_of_radius(radii(DEPTHS, "linear")), 0.1 + 0.85 * DEPTHS / 38)


def test_logarithmic_is_the_documents_formula():
    expected = 0.1 + 0.85 * np.log(1 + DEPTHS) / np.log(39)
    assert np.allclose(norm_of_radius(radii(DEPTHS, "logarithmic")), expected)


def test_hyperbolic_has_equal_steps():
    steps = np.diff(radii(DEPTHS, "hyperbolic"))
    assert np.allclose(steps, steps[0])


@pytest.mark.parametrize("schedule", ["linear", "logarithmic", "hyperbolic"])
def test_all_grow_from_the_root_to_the_leaf_norm(schedule):
    radius = radii(DEPTHS, schedule)
    assert radius[0] == pytest.approx(radius_of_norm(0.1))
    assert radius[-1] == pytest.approx(radius_of_norm(0.95))
    assert (np.diff(radius) > 0).all()


def test_the_deepest_level_can_be_given():
    assert np.allclose(radii([3], "linear", max_depth=38), radii(DEPTHS, "linear")[3])
