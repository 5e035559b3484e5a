import numpy as np
import pytest

from terrarium.scenes.evaluation.baselines import wl_vectors
from tests.scenes.scenery import graphs_of


def test_the_kernel_does_not_see_the_order_of_nodes_and_sees_relations():
    given = graphs_of("a>b b>c", "c>a a>b", "a>b a>c", "a=b b=c", "a>b a>c", "a=b b=c")
    rooted = wl_vectors(given, 2, np.arange(6)).toarray()
    vectors = rooted / np.linalg.norm(rooted, axis=1, keepdims=True)
    assert np.allclose(vectors[0], vectors[1])
    assert vectors[0] @ vectors[2] < 0.99
    assert vectors[0] @ vectors[3] < 0.7
    flat = wl_vectors(given, 0, np.arange(6)).toarray()
    assert np.allclose(flat[0], flat[3])
    assert flat[0] ** 2 == pytest.approx([3.0])
