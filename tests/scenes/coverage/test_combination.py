import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.scenes.coverage.combination import FAR_TAIL, MAX_EVIDENCE, Combination, tail_evidence
from terrarium.scenes.coverage.comparison import Comparison

SCENE = np.repeat(np.arange(60), 20)


def comparison():
    return Comparison(SCENE < 30, np.zeros((1200, 0), bool), SCENE)


def noise(seed, shift):
    """A detector that sees only noise, but for graphs 0 to 19, if these are in the query."""
    values = np.random.default_rng(seed).normal(size=1200)
    values[:20] += shift

    def detector(compared):
        return values[compared.is_query][:, None]

    return detector


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=50), st.integers(0, 99))
def test_evidence_grows_with_the_score_even_beyond_the_null(scores, seed):
    null = np.random.default_rng(seed).normal(size=500)
    ordered = np.sort(np.array(scores))
    evidence = tail_evidence(ordered, null)
    assert (np.diff(evidence) >= -1e-9).all()
    assert (evidence >= -1e-9).all()


def test_evidence_within_the_null_is_minus_log_of_its_tail():
    null = np.arange(999.0)
    assert tail_evidence(np.array([0.0, 500.0]), null) == pytest.approx(-np.log([1.0, 0.5]))
    limit = np.quantile(null, 1 - FAR_TAIL)
    assert tail_evidence(np.array([limit + 1e-9]), null) == pytest.approx(-np.log(FAR_TAIL), abs=1e-6)


def test_two_weak_detectors_that_agree_are_stronger_together():
    scores = Combination((noise(0, 1.5), noise(1, 1.5)), seed=0)(comparison())[:, 0]
    alone = noise(0, 1.5)(comparison())[:, 0]

    def rank(values):
        return (values[:20, None] > values[None, 20:]).mean()

    assert rank(scores) > rank(alone)


def test_a_detector_that_is_certain_does_not_decide_alone():
    """Beyond the limit, what the other detector says orders the graphs."""
    certain, other = noise(0, 1e6), noise(1, 0.0)
    scores = Combination((certain, other), seed=0)(comparison())[:20, 0]
    assert np.array_equal(np.argsort(scores), np.argsort(other(comparison())[:20, 0]))
    assert scores.max() <= 2 * MAX_EVIDENCE


def test_a_detector_without_scores_is_left_out_and_nothing_is_left_of_none():
    def silent(compared):
        return np.full((int(compared.is_query.sum()), 1), np.nan)

    assert np.array_equal(
        Combination((noise(0, 1.0), silent), 0)(comparison()), Combination((noise(0, 1.0),), 0)(comparison())
    )
    assert np.isnan(Combination((silent,), 0)(comparison())).all()


def test_the_null_is_what_scores_are_when_nothing_is_missing():
    combined = Combination((noise(0, 0.0), noise(1, 0.0)), seed=0)
    null, scores = combined.null_scores(comparison()), combined(comparison())[:, 0]
    assert np.quantile(null, 0.95) == pytest.approx(np.quantile(scores, 0.95), rel=0.25)
