import numpy as np
import pytest

from terrarium.scenes.evaluation.neighbors import distances, nearest_neighbors


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


def test_beyond_the_list_the_distance_is_that_of_its_end():
    near = nearest_neighbors(points(50, (0, 0, 0), 0), np.arange(50), 10)
    assert near.kth_distance(np.arange(50), np.zeros(50, bool), 1) == pytest.approx(near.distance[:, -1])
