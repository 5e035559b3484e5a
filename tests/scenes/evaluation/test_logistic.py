import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from terrarium.scenes.evaluation.logistic import fit_logistic

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_regressions_at_once_are_those_one_by_one(make):
    x = (RNG.random((300, 8)) < 0.3) * RNG.random((300, 8))
    labels = x @ RNG.normal(size=(8, 3)) + 0.3 * RNG.normal(size=(300, 3)) > 0.1
    weights = RNG.random((300, 3))
    found = fit_logistic(make(x), labels, 2.0, weights)
    for label in range(3):
        one = LogisticRegression(C=2.0, tol=1e-8, max_iter=1000).fit(x, labels[:, label], weights[:, label])
        assert found[:-1, label] == pytest.approx(one.coef_[0], abs=0.02)
        assert found[-1, label] == pytest.approx(one.intercept_[0], abs=0.02)
