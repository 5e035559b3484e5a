import numpy as np
import pytest
from scipy import sparse

from terrarium.scenes.evaluation.matrices import standardize

RNG = np.random.default_rng(0)


def test_sparse_columns_are_scaled_like_dense_ones_and_keep_their_zeros():
    x = (RNG.random((50, 4)) < 0.3) * RNG.random((50, 4))
    there, plain = standardize(sparse.csr_array(x))[0].toarray(), standardize(x)[0]
    assert np.diff(there, axis=0) == pytest.approx(np.diff(plain, axis=0))
    assert np.array_equal(there == 0.0, x == 0.0)
