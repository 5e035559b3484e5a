import numpy as np

from terrarium.senses.models.operators import polar_columns


def test_one_dimension_in_twenty_is_polar_wherever_counting_starts():
    assert polar_columns(0, 128).mean() <= 0.05
    whole = polar_columns(0, 200)
    assert np.array_equal(np.concatenate([polar_columns(0, 64), polar_columns(64, 136)]), whole)
