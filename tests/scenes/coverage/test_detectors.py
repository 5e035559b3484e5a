import numpy as np
import pytest

from terrarium.scenes.coverage import detectors
from terrarium.scenes.coverage.deletion_test import RandomSplit
from terrarium.scenes.graphs.archetypes import NAMES
from tests.scenes.scenery import graphs_of


def labels():
    """The first archetype is a region of its own, the second one is anywhere."""
    table = np.zeros((1000, len(NAMES)), bool)
    table[:, 0] = np.random.default_rng(1).random(1000) < 0.2
    table[:, 1] = np.random.default_rng(5).random(1000) < 0.3
    return table


def vectors():
    return np.random.default_rng(4).normal(size=(1000, 3)) + 5.0 * labels()[:, :1] * np.array([1.0, 0.0, 0.0])


def test_a_classifier_estimates_the_log_density_ratio():
    """Of two normal distributions that differ in their mean it is linear: mean (x - mean / 2)."""
    x, asking = np.random.default_rng(6).normal(size=(20000, 3)), np.arange(20000) // 40 % 2 == 0
    x[asking, 0] += 1.5
    split = RandomSplit(asking, np.zeros((20000, 0), bool), np.arange(20000) // 40)
    score = detectors.query_log_odds(x, split, np.arange(20000), 1.0)[:, 0]
    wanted = 1.5 * (x[:, 0] - 0.75)
    assert np.abs(score - wanted).mean() < 0.1
    assert score == pytest.approx(wanted, abs=0.3)


def test_a_side_that_is_missing_has_no_score():
    """Every graph of the other half has the archetype, so nothing is left of it."""
    asking = np.arange(40) % 2 == 0
    split = RandomSplit(asking, np.ones((40, 1), bool), np.arange(40))
    score = detectors.query_log_odds(np.random.default_rng(0).normal(size=(40, 2)), split, np.arange(40), 1.0)
    assert np.isnan(score[:, 0]).all()
    assert np.isfinite(score[:, 1]).all()


def test_the_novelty_of_a_pattern_is_its_formula():
    """Pattern 0 in two asking scenes and none of the other half, pattern 1 in all."""
    has = detectors.sparse.csr_array(np.array([[1, 1], [1, 1], [0, 1], [0, 1], [0, 1]], float))
    split = RandomSplit(np.array([True, True, True, False, False]), np.zeros((5, 1), bool), np.arange(5))
    score = detectors.PatternNovelty(has)(split)[:, 1]
    assert score == pytest.approx([np.log(1.5 / 0.5), np.log(1.5 / 0.5), np.log(2.5 / 2.5)])


def test_patterns_are_types_pairs_and_surroundings():
    given = graphs_of("a>b", "a>b", "a=b")
    table = detectors.pattern_table(given).toarray()
    assert np.array_equal(table[0], table[1])
    assert table.sum(axis=1).tolist() == [5.0, 5.0, 3.0]
    assert (table[0] * table[2]).sum() == 1.0
    assert given.graph_of_nodes.tolist() == [0, 0, 1, 1, 2, 2]
