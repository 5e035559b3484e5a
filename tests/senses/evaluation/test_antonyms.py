import numpy as np
import pytest

from terrarium.senses.data.relations import RELATIONS
from terrarium.senses.evaluation.antonyms import antonym_metrics, auc
from terrarium.senses.models.vectors import SenseVectors, unit_rows
from tests.senses.lexicon import lexicon, tables
from tests.senses.vectors import DIM, random_baseline


@pytest.fixture
def random():
    return random_baseline()


def test_auc_of_ties_and_of_an_empty_sample():
    rng = np.random.default_rng(0)
    high, low = rng.integers(0, 6, 40) + 1, rng.integers(0, 6, 30)
    expected = ((high[:, None] > low).mean() + (high[:, None] == low).mean() / 2).item()
    assert auc(high, low) == pytest.approx(expected)
    assert np.isnan(auc(high, low[:0]))


def test_random_vectors_tell_antonyms_from_nothing():
    found = []
    for seed in range(8):
        found.append(antonym_metrics(random_baseline(400, seed), lexicon(), np.random.default_rng(seed)))
    assert abs(np.mean([f["antonym_auc_random"] for f in found]) - 0.5) < 0.2
    assert np.mean([f["antonym_opposed_dimensions_held_out"] for f in found]) == pytest.approx(0.5, abs=0.05)
    assert found[0]["polar_dimensions"] == 0.05


def test_reflected_antonyms_are_told_from_everything(random):
    made = tables()
    pairs = made["pairs"][made["pairs"]["relation"] == RELATIONS.index("antonym")]
    made_up = random.senses.copy()
    mirror = np.where(random.polar, -1, 1).astype(np.float32)
    for head, tail in zip(pairs["head_sense"], pairs["tail_sense"], strict=True):
        made_up[head][random.polar] *= 3
        made_up[tail] = made_up[head] * mirror
    scale = np.ones((2 * len(RELATIONS), DIM), np.float32)
    scale[RELATIONS.index("antonym")] = mirror
    vectors = SenseVectors(random.synsets, unit_rows(made_up), scale, scale * 0, random.polar)
    numbers = antonym_metrics(vectors, lexicon(), np.random.default_rng(0))
    assert numbers["antonym_relation_auc_random"] == 1
    assert numbers["antonym_opposed_dimensions_held_out"] == pytest.approx(0.05)
    assert numbers["antonym_polar_energy_held_out"] == pytest.approx(1)
