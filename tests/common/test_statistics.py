import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from terrarium.common.statistics import pearson, spearman

SAMPLES = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=30)


@given(SAMPLES)
def test_correlations_equal_those_of_scipy(rows):
    a, b = np.array(rows, np.float64).T
    assume(np.ptp(a) > 0 and np.ptp(b) > 0)
    assert pearson(a, b) == float(stats.pearsonr(a, b).statistic)
    assert spearman(a, b) == float(stats.spearmanr(a, b).statistic)


@pytest.mark.parametrize("correlation", [pearson, spearman])
@pytest.mark.parametrize("constant", [[], [1.0], [2.0, 2.0, 2.0]])
def test_correlations_with_a_constant_are_zero(correlation, constant):
    other = np.arange(len(constant), dtype=np.float64)
    assert correlation(constant, other) == correlation(other, constant) == 0.0


def test_ranks_ignore_the_scale():
    a = np.array([1.0, 2.0, 3.0, 4.0])
    assert spearman(a, np.exp(a)) == pytest.approx(1.0)
    assert pearson(a, np.exp(a)) < 1.0
    assert pearson(a.astype(np.float32), (-a).tolist()) == pytest.approx(-1.0)
