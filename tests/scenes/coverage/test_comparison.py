import numpy as np

from terrarium.scenes.coverage.comparison import Comparison


def comparison():
    scene = np.repeat(np.arange(10), 3)
    return Comparison(scene < 4, np.arange(30)[:, None] % 2 == 0, scene, ("even",))


def test_what_remains_is_the_reference_without_what_is_deleted_and_last_all_of_it():
    given = comparison()
    remaining = given.remaining
    assert remaining.shape == (30, 2)
    assert (remaining[:, 1] == ~given.is_query).all()
    assert not remaining[given.labels[:, 0], 0].any()
    assert given.without_deletions.remaining.shape == (30, 1)


def test_permutations_move_whole_scenes_and_keep_their_numbers():
    given = comparison()
    permuted = given.permuted(np.random.default_rng(1))
    assert permuted.num_scenes == given.num_scenes == (4, 6)
    of_scene = permuted.is_query.reshape(10, 3)
    assert (of_scene == of_scene[:, :1]).all()
    assert not np.array_equal(permuted.is_query, given.is_query)
    assert permuted.labels is given.labels
