import numpy as np
import pytest

from terrarium.scenes.coverage.comparison import Comparison
from terrarium.scenes.coverage.permutation_test import gap_scores, gap_statistics, p_values, subsample_equally
from terrarium.scenes.evaluation.neighbors import nearest_neighbors


def points(count, centre, seed):
    return np.random.default_rng(seed).normal(size=(count, 3)) + np.array(centre)


def rng(seed=0):
    return np.random.default_rng(seed)


def sources(recorded, scene, share=0.0, rare=0.0):
    """The first archetype has `share` of the recorded and `rare` of the simulated graphs, in a third of the scenes."""
    labels = np.zeros((len(scene), 2), bool)
    labels[:, 0] = rng(8).random(len(scene)) < np.where(scene % 3 == 0, np.where(recorded, 3 * share, 3 * rare), 0.0)
    return Comparison(recorded, labels, scene)


def test_points_in_a_hole_have_the_largest_gaps():
    vectors = np.concatenate([points(250, (0, 0, 0), 0), points(200, (0, 0, 0), 1), points(50, (6, 0, 0), 2)])
    recorded = np.arange(500) >= 250
    gap, covered = gap_scores(nearest_neighbors(vectors, np.arange(500) % 250 // 5, 400), recorded, 5, rng())
    assert (gap[200:] > np.quantile(gap[:200], 0.95)).mean() > 0.9
    assert covered[:200].mean() > 0.9
    assert covered[200:].mean() < 0.1


def test_sets_are_subsampled_to_one_size():
    one = np.arange(100) < 30
    fewer, other = subsample_equally(one, ~one, rng())
    assert (fewer.sum(), other.sum()) == (30, 30)
    assert np.array_equal(fewer, one)
    assert not (other & one).any()


def test_a_larger_set_alone_makes_no_gap():
    """Of one distribution, four times as many recorded graphs: distances within them would be shorter."""
    vectors, scene = points(1000, (0, 0, 0), 5), np.arange(1000) // 10
    recorded = scene >= 20
    gap, _ = gap_scores(nearest_neighbors(vectors, scene, 900), recorded, 5, rng())
    assert gap.mean() == pytest.approx(0.0, abs=0.03)


def test_shuffles_of_scenes_tell_two_sources_from_one():
    scene = np.repeat(np.arange(40), 10)
    recorded = scene >= 20
    alike, other = points(400, (0, 0, 0), 3), points(400, (0, 0, 0), 3)
    other[recorded] += 2.0
    for vectors, differ in ((alike, False), (other, True)):
        near, given = nearest_neighbors(vectors, scene, 300), sources(recorded, scene)
        p = p_values(near, given, gap_statistics(near, given, 5, rng()), 5, 60, rng())
        assert (p.mean_gap < 0.05, p.coverage < 0.05) == (differ, differ)
    assert p.mean_gap == pytest.approx(1 / 61)
    assert np.isnan(p.archetype_gaps).all()


def test_an_archetype_that_simulation_has_less_of_is_certain_even_if_its_scenes_move_with_it():
    scene = np.repeat(np.arange(120), 10)
    vectors, recorded = points(1200, (0, 0, 0), 4), scene >= 60
    for rare, certain in ((0.02, True), (0.2, False)):
        given = sources(recorded, scene, share=0.2, rare=rare)
        near = nearest_neighbors(vectors, scene, 100)
        observed = gap_statistics(near, given, 5, rng())
        p = p_values(near, given, observed, 5, 99, rng())
        assert (p.differences[0] < 0.02) == certain
        assert observed.differences[0] == pytest.approx(0.2 - rare, abs=0.05)


def test_p_values_of_alike_sources_are_spread_evenly():
    scene = np.repeat(np.arange(20), 5)
    found = []
    for seed in range(40):
        near = nearest_neighbors(points(100, (0, 0, 0), seed), scene, 60)
        given = sources(rng(seed).permutation(20)[scene] < 10, scene)
        found.append(p_values(near, given, gap_statistics(near, given, 3, rng(seed)), 3, 19, rng(seed + 99)).mean_gap)
    assert 0.35 < np.mean(found) < 0.7
    assert np.mean(np.array(found) <= 0.05) < 0.2
