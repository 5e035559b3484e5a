import numpy as np
import pandas as pd
import pytest

from terrarium.pipelines.scenes.archetypes import NAMES
from terrarium.pipelines.scenes.coverage import (
    OneSourceError,
    classifier_scores,
    coverage_share,
    gap_scores,
    known_holes,
    permutation_p,
    report,
)

from .scenery import options


def points(count, centre, seed):
    return np.random.default_rng(seed).normal(size=(count, 3)) + np.array(centre)


def test_points_in_a_hole_have_the_largest_gaps():
    simulated = points(300, (0, 0, 0), 0)
    recorded = np.concatenate([points(200, (0, 0, 0), 1), points(50, (6, 0, 0), 2)])
    scene = np.arange(250) % 25
    score = gap_scores(recorded, scene, simulated, recorded, scene, 5)
    assert (score[200:] > np.quantile(score[:200], 0.95)).mean() > 0.9
    assert coverage_share(recorded[:200], scene[:200], simulated, 5) > 0.9
    assert coverage_share(recorded[200:], scene[200:], simulated, 5) < 0.1


def test_shuffles_of_scenes_tell_two_sources_from_one():
    scene = np.repeat(np.arange(40), 10)
    recorded = scene >= 20
    alike, other = points(400, (0, 0, 0), 3), points(400, (0, 0, 0), 3)
    other[recorded] += 2.0
    rng = np.random.default_rng(0)
    assert permutation_p(alike, scene, recorded, 5, 50, rng)[1] > 0.05
    gap, p = permutation_p(other, scene, recorded, 5, 50, rng)
    assert (gap > 0, p) == (True, pytest.approx(1 / 51))
    assert np.isnan(permutation_p(other, scene, recorded, 5, 0, rng)[1])


def test_a_deleted_region_is_found_again_and_chance_finds_its_share():
    labels = np.zeros((1000, len(NAMES)), bool)
    labels[::4, 0] = True
    labels[:, 1] = np.random.default_rng(5).random(1000) < 0.3
    vectors = points(1000, (0, 0, 0), 4)
    vectors[labels[:, 0]] += np.array([5.0, 0.0, 0.0])
    chosen = options(evaluation__coverage__strength=1.0).evaluation.coverage
    found = known_holes(vectors, labels, np.arange(1000) % 50, chosen, 10, np.random.default_rng(0))
    for measure in ("recall", "neighbour_recall"):
        recall = found.set_index("archetype")[measure]
        assert recall[NAMES[0]] > 0.95
        assert recall[NAMES[1]] < 0.25
    assert len(found) == 2


def test_a_classifier_estimates_the_log_density_ratio():
    """Of two normal distributions that differ in their mean it is linear: mean (x - mean / 2)."""
    vectors, recorded = points(4000, (0, 0, 0), 6), np.arange(4000) % 2 == 0
    vectors[recorded, 0] += 1.5
    score = classifier_scores(vectors, np.arange(4000) % 40, recorded, 1.0)
    assert score == pytest.approx(1.5 * (vectors[:, 0] - 0.75), abs=0.6)


def test_scenes_of_one_source_are_told():
    table = pd.DataFrame({"graph_id": ["a"], "scene": ["s"], "source": ["simulation"], "part": ["train"], "x0": [1.0]})
    labels = pd.DataFrame(np.zeros((1, len(NAMES)), bool), columns=list(NAMES))
    with pytest.raises(OneSourceError, match="no graph is of the source 'real'"):
        report(table, labels, options().evaluation)
