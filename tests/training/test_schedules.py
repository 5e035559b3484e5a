import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.training.schedules import cosine_rate, geometric_rate

RATES = st.floats(1e-5, 1.0)


@given(RATES, RATES, st.integers(2, 50))
def test_geometric_rates_start_and_end_as_given_with_one_ratio(first, last, epochs):
    rates = [geometric_rate(first, last, epoch, epochs) for epoch in range(1, epochs + 1)]
    assert rates[0] == first
    assert rates[-1] == pytest.approx(last)
    ratios = [after / before for before, after in itertools.pairwise(rates)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))


def test_a_single_epoch_has_the_first_geometric_rate():
    assert geometric_rate(0.2, 0.01, 1, 1) == 0.2


@given(RATES, st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_cosine_rates_fall_from_the_rate_to_its_minimum(rate, min_ratio, early, late):
    early, late = sorted((early, late))
    assert cosine_rate(rate, min_ratio, 0.0) == pytest.approx(rate)
    assert cosine_rate(rate, min_ratio, 0.5) == pytest.approx(rate * (1.0 + min_ratio) / 2.0)
    assert cosine_rate(rate, min_ratio, 1.0) == pytest.approx(rate * min_ratio)
    assert cosine_rate(rate, min_ratio, late) <= cosine_rate(rate, min_ratio, early) + 1e-12


def test_cosine_rates_stay_at_the_minimum_after_the_end():
    assert cosine_rate(0.1, 0.01, 1.5) == cosine_rate(0.1, 0.01, 1.0)


def test_geometric_rates_stay_at_the_last_one_after_the_end():
    assert geometric_rate(0.2, 0.01, 9, 5) == geometric_rate(0.2, 0.01, 5, 5) == pytest.approx(0.01)
