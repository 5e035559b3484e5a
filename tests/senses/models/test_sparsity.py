import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terrarium.senses.models.sparsity import count_kept, largest_entries, small_fraction, zero_fraction


@given(st.integers(2, 60), st.floats(0, 0.95))
def test_the_support_has_the_zeros_asked_for_and_keeps_the_largest(dim, share):
    table = torch.from_numpy(np.random.default_rng(0).standard_normal((20, dim)))
    kept = largest_entries(table, count_kept(dim, share))
    assert (kept.sum(1) == count_kept(dim, share)).all()
    assert (
        table.abs().masked_fill(~kept, torch.inf).min(1).values >= table.abs().masked_fill(kept, 0).max(1).values
    ).all()


def test_shares_of_zeros():
    assert zero_fraction(np.array([[0.0, 1.0], [0.005, 0.0]])) == 0.5
    assert small_fraction(np.array([[0.0, 1.0], [0.005, 0.0]])) == 0.75
    noise = np.random.default_rng(0).normal(0, 0.01, 100_000)
    assert small_fraction(noise) == pytest.approx(0.683, abs=0.005)
    assert zero_fraction(noise) == 0
