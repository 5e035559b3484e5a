import numpy as np
import pytest

from terrarium.scenes.evaluation.neighbors import TooFewNeighborsError, distances, nearest_neighbors


def points(count, centre, seed):
    return np.random.default_rng(seed).normal(size=(count, 3)) + np.array(centre)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_kth_neighbour_is_of_another_scene_and_among_the_candidates():
    vectors, scene = points(60, (0, 0, 0), 0), np.arange(60) // 3
    among = rng().random(60) < 0.5
    away = distances(vectors, vectors)
    away[scene[:, None] == scene[None, :]] = np.inf
    away[:, ~among] = np.inf
    found = nearest_neighbors(vectors, scene, 59).kth_distance(np.arange(60), among, 4)
    assert found == pytest.approx(np.sort(away, axis=1)[:, 3], abs=1e-3)


def test_neighbours_beyond_the_list_are_searched():
    vectors, scene = points(200, (0, 0, 0), 0), np.arange(200) // 4
    among = np.arange(200) % 5 == 0
    whole = nearest_neighbors(vectors, scene, 199).kth_distance(np.arange(200), among, 7)
    short = nearest_neighbors(vectors, scene, 3).kth_distance(np.arange(200), among, 7)
    assert short == pytest.approx(whole, rel=1e-5)


def test_a_missing_neighbour_is_an_error():
    near = nearest_neighbors(points(50, (0, 0, 0), 0), np.arange(50) // 25, 10)
    with pytest.raises(TooFewNeighborsError, match="26 neighbours are needed"):
        near.kth_distance(np.arange(50), np.ones(50, bool), 26)
    with pytest.raises(TooFewNeighborsError):
        near.kth_distance(np.arange(50), np.zeros(50, bool), 1)
    assert np.isfinite(near.kth_distance(np.arange(50), np.ones(50, bool), 25)).all()
