"""The cost of an epoch is its own, and exponents are those of known costs."""

import time

import numpy as np
import pytest

from benchmarks import scale

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def allocate(size):
    """An epoch that takes time and memory in proportion to a size."""
    kept = np.ones(size * 1_000)

    def epoch():
        end = time.process_time() + size * 1e-6
        while time.process_time() < end:
            kept.sum()

    return epoch


def test_exponents_are_slopes_over_a_factor_of_ten():
    assert scale._exponent(3.0, None) == ""
    assert scale._exponent(20.0, 2.0) == "1.00"
    assert scale._exponent(200.0, 2.0) == "2.00"


def test_time_and_memory_are_those_of_the_epoch():
    small, large = (scale.cost_of_epoch(allocate, size) for size in (1_000, 20_000))
    assert 0.02 <= large["epoch"] < 1.0
    assert large["memory"] - small["memory"] == pytest.approx(19 * 8.0, rel=0.2)


def test_a_family_whose_epoch_fails_stops_the_benchmark(capfd):
    with pytest.raises(SystemExit, match="size 5 has failed"):
        scale.cost_of_epoch(lambda size: None, 5)
    assert "TypeError" in capfd.readouterr().err
