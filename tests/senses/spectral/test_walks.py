import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from terrarium.senses.spectral.walks import walk_shares


@given(
    size=st.integers(2, 12),
    seed=st.integers(0, 99),
    restart=st.floats(0.05, 0.9),
    tolerance=st.sampled_from([1e-3, 1e-6, 1e-9]),
)
@settings(max_examples=40, deadline=None)
def test_shares_are_personalised_pagerank_within_the_tolerance(size, seed, restart, tolerance):
    rng = np.random.default_rng(seed)
    weights = rng.random((size, size)) * (rng.random((size, size)) < 0.5)
    weights = weights + weights.T + np.diag(np.full(size, 0.01))
    graph = csr_array(weights)
    steps = weights / weights.sum(axis=1, keepdims=True)
    exact = restart * np.linalg.inv(np.eye(size) - (1 - restart) * steps)
    shares = walk_shares(graph, size - 1, restart=restart, tolerance=tolerance).toarray()
    assert shares.shape == (size - 1, size)
    missing = exact[:-1] - shares
    assert (missing > -1e-5).all()
    assert (missing.sum(axis=1) <= tolerance * np.diff(graph.indptr).sum() + 1e-5).all()


def test_a_row_without_links_stays_where_it_is():
    shares = walk_shares(csr_array(np.zeros((2, 2))), 2, restart=0.25, tolerance=1e-3).toarray()
    assert np.allclose(shares, 0.25 * np.eye(2))


def test_more_shares_than_the_first_buffer_holds_are_kept():
    size = 400
    graph = csr_array(np.ones((size, size)))
    shares = walk_shares(graph, size, restart=0.5, tolerance=1e-9)
    assert shares.nnz == size * size
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-3)
