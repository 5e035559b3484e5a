import numpy as np
import pytest
import torch

from terrarium.senses.models.operators import fit_maps, identity_maps, normalize, polar_columns, query

ROWS, DIM = 4000, 6


@pytest.fixture
def rows():
    drawn = np.random.default_rng(0).standard_normal((ROWS, DIM)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_one_dimension_in_twenty_is_polar_wherever_counting_starts():
    assert polar_columns(0, 128).mean() <= 0.05
    whole = polar_columns(0, 200)
    assert np.array_equal(np.concatenate([polar_columns(0, 64), polar_columns(64, 136)]), whole)


def test_each_head_is_moved_by_the_map_of_its_own_relation(rows):
    random = np.random.default_rng(1)
    maps, relation = random.standard_normal((4, 1 + DIM, DIM)).astype(np.float32), random.integers(0, 4, ROWS)
    found = query(torch.from_numpy(rows), torch.from_numpy(relation), torch.from_numpy(maps))
    for head, number, own in list(zip(rows, relation, found, strict=True))[:200]:
        expected = torch.from_numpy(head @ maps[number, 1:] + maps[number, 0])
        assert torch.allclose(own, normalize(expected), atol=1e-5)
    none = torch.zeros(0, DIM), torch.zeros(0, dtype=torch.long)
    assert query(*none, torch.from_numpy(maps)).shape == (0, DIM)


def test_least_squares_find_a_rotation_and_leave_relations_without_links_alone(rows):
    """The first half of the rows are heads; their tails are the same rows, rotated."""
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((DIM, DIM)))[0].astype(np.float32)
    both, link = np.concatenate([rows, rows @ turn]), np.arange(ROWS)
    maps = fit_maps(both, link, link + ROWS, np.ones(ROWS, np.int64), 3)
    assert np.allclose(maps[1, 1:], turn, atol=0.1)
    assert np.array_equal(maps[[0, 2]], identity_maps(2, DIM))


def test_a_relation_of_a_single_link_stays_near_the_identity(rows):
    one = np.array([0])
    difference = fit_maps(rows, one, one + 1, one, 1) - identity_maps(1, DIM)
    assert 0 < np.linalg.norm(difference) < 0.4
