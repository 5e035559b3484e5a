"""The rule for ancestors is the best one, and its precision and recall are counted, not assumed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hyperbolic.use.calibration import calibrate
from tests.hyperbolic.trees import random_tree


def exact_score(tree):
    return lambda row: np.where(tree.is_ancestor(np.arange(len(tree)), row), 0.0, 1.0)


def noisy_score(tree, seed):
    noise = np.random.default_rng(seed).normal(size=(len(tree), len(tree)))
    return lambda row: exact_score(tree)(row) + noise[row]


@given(seed=st.integers(0, 200), size=st.integers(2, 60))
def test_a_score_that_knows_the_ancestors_gets_a_perfect_rule(seed, size):
    tree = random_tree(np.random.default_rng(seed), size)
    rule = calibrate(tree, {"exact": exact_score(tree)})
    assert rule.precision == rule.recall == rule.f1 == 1.0
    assert rule.threshold < 1.0
    assert rule.probability(np.array([0.0, 1.0, 5.0])) == pytest.approx(
        [1.0, rule.probability(np.array([1.0]))[0], 0.0]
    )


def test_the_better_score_is_chosen():
    tree = random_tree(np.random.default_rng(1), 200)
    rule = calibrate(tree, {"noise": noisy_score(tree, 0), "exact": exact_score(tree)})
    assert rule.score == "exact"


@given(seed=st.integers(0, 50))
def test_precision_and_recall_are_those_of_nodes_that_did_not_choose_the_threshold(seed):
    tree = random_tree(np.random.default_rng(seed), 80)
    score = noisy_score(tree, seed)
    rule = calibrate(tree, {"noisy": score}, seed=seed)
    drawn = 1 + np.random.default_rng(seed).choice(79, 79, replace=False)
    hits = passed = true = 0
    for row in drawn[39:]:
        passes = (score(row) <= rule.threshold) & (np.arange(80) != row)
        above = tree.is_ancestor(np.arange(80), row)
        hits, passed, true = hits + (passes & above).sum(), passed + passes.sum(), true + above.sum()
    assert rule.precision == pytest.approx(hits / passed)
    assert rule.recall == pytest.approx(hits / true)


@given(seed=st.integers(0, 50))
def test_probabilities_fall_with_the_score_and_are_calibrated_on_the_whole(seed):
    tree = random_tree(np.random.default_rng(seed), 60)
    score = noisy_score(tree, seed)
    rule = calibrate(tree, {"noisy": score})
    grid = rule.probability(np.linspace(-5, 5, 50))
    assert (np.diff(grid) <= 1e-12).all()
    assert (grid >= 0).all()
    assert (grid <= 1).all()
