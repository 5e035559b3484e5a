import numpy as np
import pytest

from terrarium.senses.evaluation.antonym_pairs import SensePairs
from terrarium.senses.evaluation.antonyms import (
    antonym_metrics,
    auc,
    build_antonym_task,
    opposition_score,
    vector_features,
)
from terrarium.senses.models.vectors import unit_rows
from tests.senses.lexicon import lexicon
from tests.senses.vectors import random_baseline


@pytest.fixture(scope="module")
def task():
    return build_antonym_task(lexicon(), np.random.default_rng(0))


def test_auc_of_ties_and_of_an_empty_sample():
    rng = np.random.default_rng(0)
    high, low = rng.integers(0, 6, 40) + 1, rng.integers(0, 6, 30)
    expected = ((high[:, None] > low).mean() + (high[:, None] == low).mean() / 2).item()
    assert auc(high, low) == pytest.approx(expected)
    assert np.isnan(auc(high, low[:0]))


def test_random_vectors_oppose_on_half_of_the_dimensions(task):
    numbers = antonym_metrics(random_baseline(400), task)
    assert numbers["antonym_opposed_dimensions_held_out"] == pytest.approx(0.5, abs=0.1)
    assert numbers["polar_dimensions"] == 0.05


def test_the_better_sign_of_the_cosine_is_reported(task):
    numbers = antonym_metrics(random_baseline(), task)
    cosines = [value for name, value in numbers.items() if name.startswith("antonym_cosine_auc") and np.isfinite(value)]
    assert all(value >= 0.5 for value in cosines)


def test_pairs_near_the_opposite_ends_of_a_trained_antonym_are_opposed():
    rows = np.zeros((6, 3), np.float32)
    rows[[0, 2, 4], 0], rows[[1, 3], 1], rows[5, 2] = 1, 1, 1
    rows[2:4, 2] = 0.3
    vectors = random_baseline(3)
    vectors = type(vectors)(rows, unit_rows(rows), None, np.zeros(3, bool))
    trained = SensePairs(np.array([0]), np.array([1]))
    pairs = SensePairs(np.array([2, 3, 2, 0]), np.array([3, 2, 4, 1]))
    opposed, swapped, alike, itself = opposition_score(vectors, pairs, trained)
    assert opposed == pytest.approx(swapped)
    assert opposed > 0.8
    assert alike < 0
    assert itself <= 0, "a trained pair does not count as its own evidence"


def test_a_pair_that_differs_as_trained_antonyms_do_is_analogous():
    """The differences of pairs 0 to 3 are parallel; that of the last pair is orthogonal to them."""
    rows = np.random.default_rng(0).standard_normal((10, 4)).astype(np.float32)
    rows[:8:2, 0] = rows[1:8:2, 0] + np.arange(1, 5)
    rows[:8:2, 1:] = rows[1:8:2, 1:]
    rows[8, 1:], rows[8, 0] = rows[9, 1:] + 1, rows[9, 0]
    vectors = type(random_baseline(4))(rows, rows, None, np.zeros(4, bool))
    trained = SensePairs(np.array([0, 2, 4]), np.array([1, 3, 5]))
    pairs = SensePairs(np.array([6, 7, 8]), np.array([7, 6, 9]))
    assert vector_features(vectors, pairs, trained)[:, -1] == pytest.approx([1, 1, 0], abs=1e-5)
