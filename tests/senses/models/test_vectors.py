import numpy as np
import pytest

from terrarium.senses.models.vectors import truncate_by_pca, with_zeros
from tests.senses.vectors import DIM, random_baseline, with_relations


@pytest.fixture
def random():
    return random_baseline()


def test_variants_keep_length_one(random):
    for share in (0.0, 0.5, 0.9):
        cut = with_zeros(random, share)
        assert np.allclose(np.linalg.norm(cut.synsets, axis=1), 1, atol=1e-5)
        assert (cut.synsets == 0).mean() == pytest.approx(share, abs=0.02)
    assert np.allclose(np.linalg.norm(truncate_by_pca(random, 5).senses, axis=1), 1, atol=1e-5)


def test_pca_of_all_directions_keeps_all_cosines(random):
    whole = truncate_by_pca(random, DIM)
    assert np.allclose(whole.synsets @ whole.synsets.T, random.synsets @ random.synsets.T, atol=1e-4)


def test_without_relations_a_query_is_the_head(random):
    assert random.queries(random.synsets, "hypernym") is random.synsets
    queries = with_relations(random).queries(random.synsets, "hypernym", inverse=True)
    assert np.allclose(queries, random.synsets, atol=1e-6)
