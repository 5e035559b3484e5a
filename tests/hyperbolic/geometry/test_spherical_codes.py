import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import betainc

from terrarium.hyperbolic.geometry import spherical_codes
from terrarium.hyperbolic.geometry.spherical_codes import code_size, smallest_angle, spherical_code


@pytest.mark.parametrize("dim", [2, 3, 10])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 12, 40, 200])
def test_rows_are_unit_and_the_same_every_time(count, dim):
    code = spherical_code(count, dim)
    assert code.shape == (count, dim)
    assert np.allclose(np.linalg.norm(code, axis=1), 1.0)
    again = spherical_code.__wrapped__(count, dim)
    assert (code == again).all()


@pytest.mark.parametrize(
    ("count", "angle"), [(2, np.pi), (3, np.arccos(-1 / 2)), (11, np.arccos(-1 / 10)), (20, np.pi / 2)]
)
def test_small_codes_are_best_possible(count, angle):
    assert smallest_angle(spherical_code(count, 10)) == pytest.approx(angle, abs=1e-7)


@pytest.mark.parametrize("count", [40, 300])
def test_large_codes_stand_further_apart_than_random_points(count):
    random = np.random.default_rng(0).normal(size=(count, 10))
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    assert smallest_angle(spherical_code(count, 10)) > 1.5 * smallest_angle(random)


def _packing_bound(count, dim):
    """The angle at which `count` caps of half that angle would fill the sphere."""

    def filled(angle):
        return count * 0.5 * betainc((dim - 1) / 2.0, 0.5, np.sin(angle / 2.0) ** 2) - 1.0

    return brentq(filled, 1e-9, np.pi)


@pytest.mark.parametrize("dim", [2, 3, 4, 5, 6, 8, 10])
@pytest.mark.parametrize("count", [50, 300, 1000, 3000])
def test_codes_of_any_size_and_dimension_come_near_the_densest_packing(count, dim):
    assert 0.4 < smallest_angle(spherical_code(count, dim)) / _packing_bound(count, dim) <= 1.0 + 1e-9


@pytest.mark.parametrize(("dim", "count"), [(4, 24), (7, 126), (8, 240), (9, 306), (10, 500)])
def test_as_many_points_as_are_known_stand_60_degrees_apart(dim, count):
    assert smallest_angle(spherical_code(count, dim)) == pytest.approx(np.pi / 3.0)
    assert smallest_angle(spherical_code(count + 1, dim)) < np.pi / 3.0


@pytest.mark.parametrize("dim", range(4, 17))
@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_no_code_is_worse_than_repelled_points(dim, share):
    count = int(share * len(spherical_codes._quadruple_code(dim)))
    found = smallest_angle(spherical_code(count, dim))
    assert found >= smallest_angle(spherical_codes._repelled(count, dim)) - 1e-9


def test_smallest_angle_is_that_of_the_closest_pair():
    code = spherical_code(60, 4)
    cosine = code @ code.T - 2.0 * np.eye(60)
    assert smallest_angle(code) == pytest.approx(np.arccos(cosine.max()))
    assert smallest_angle(code[:1]) == np.pi


def test_sizes_cover_the_count_and_are_few():
    sizes = [code_size(count, 10) for count in range(1, 50_000)]
    assert all(size >= count for count, size in enumerate(sizes, start=1))
    assert all(size <= (1.2 if count <= 800 else 1.5) * count + 1 for count, size in enumerate(sizes, start=1))
    assert len(set(sizes)) < 60


def test_a_code_cannot_be_overwritten():
    with pytest.raises(ValueError, match="read-only"):
        spherical_code(5, 3)[0] = 0.0
