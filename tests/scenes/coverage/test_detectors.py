import numpy as np
import pytest

from terrarium.scenes.coverage import detectors
from terrarium.scenes.coverage.comparison import Comparison


def test_a_classifier_estimates_the_log_density_ratio():
    """Of two normal distributions that differ in their mean it is linear: mean (x - mean / 2)."""
    x, asking = np.random.default_rng(6).normal(size=(20000, 3)), np.arange(20000) // 40 % 2 == 0
    x[asking, 0] += 1.5
    split = Comparison(asking, np.zeros((20000, 0), bool), np.arange(20000) // 40)
    score = detectors.query_log_odds(x, split, np.arange(20000), 1.0)[:, 0]
    wanted = 1.5 * (x[:, 0] - 0.75)
    assert np.abs(score - wanted).mean() < 0.1
    assert score == pytest.approx(wanted, abs=0.3)


def test_a_side_that_is_missing_has_no_score():
    """Every graph of the other half has the archetype, so nothing is left of it."""
    asking = np.arange(40) % 2 == 0
    split = Comparison(asking, np.ones((40, 1), bool), np.arange(40))
    score = detectors.query_log_odds(np.random.default_rng(0).normal(size=(40, 2)), split, np.arange(40), 1.0)
    assert np.isnan(score[:, 0]).all()
    assert np.isfinite(score[:, 1]).all()


def test_the_novelty_of_a_pattern_is_its_formula():
    """Pattern 0 in two asking scenes and none of the other half, pattern 1 in all."""
    has = detectors.sparse.csr_array(np.array([[1, 1], [1, 1], [0, 1], [0, 1], [0, 1]], float))
    split = Comparison(np.array([True, True, True, False, False]), np.zeros((5, 1), bool), np.arange(5))
    score = detectors.PatternNovelty(has)(split)[:, 1]
    assert score == pytest.approx([np.log(1.5 / 0.5), np.log(1.5 / 0.5), np.log(2.5 / 2.5)])


def test_a_pattern_that_explains_a_graph_is_its_most_novel_one_and_the_first_of_equals():
    has = detectors.sparse.csr_array(np.array([[1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 0, 1, 0]], float))
    split = Comparison(np.array([True, True, True, False]), np.zeros((4, 0), bool), np.arange(4))
    assert detectors.PatternNovelty(has).explain(split).tolist() == [0, 0, 2]
