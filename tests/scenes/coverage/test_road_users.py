import numpy as np

from terrarium.scenes.coverage.road_users import FAR_M, count_surroundings
from tests.scenes.scenery import graphs, graphs_of


def test_road_users_with_the_same_surroundings_have_the_same_counts_and_others_do_not():
    counts = count_surroundings(graphs_of("a>b b>c", "a>b b>c", "a>b a>c"))
    assert np.array_equal(counts[:3], counts[3:6])
    assert len({tuple(row) for row in counts[3:].tolist()}) == 5
    assert counts.std(axis=0).min() > 0.0


def test_the_last_of_a_row_sees_two_steps_ahead():
    near, far = count_surroundings(graphs_of("a>b", "a>b b>c"))[[0, 2]]
    assert not np.array_equal(near, far)


def test_counts_are_finite_and_distances_end_where_relations_do():
    counts = count_surroundings(graphs())
    assert np.isfinite(counts).all()
    assert len(counts) == len(graphs().speed)
    assert graphs().path_length.max() <= FAR_M
