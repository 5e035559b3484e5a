import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from terrarium.influence.scoring.streaming import self_influences
from terrarium.influence.similarity.dot_products import BIAS, ENTITY
from terrarium.influence.similarity.factored_preconditioner import factors
from terrarium.kge.data.graph import TEST, TRAIN

from .test_streaming import made, matrix, plain

POSITIVE = st.floats(0.1, 10)


@given(arrays(float, 5, elements=POSITIVE), arrays(float, 3, elements=POSITIVE))
def test_a_product_is_found_again(rows, columns):
    weights = torch.from_numpy(np.outer(rows, columns))
    left, right = factors(weights)
    assert torch.allclose(torch.outer(left, right), weights.sqrt())


def test_squares_keep_their_sums():
    weights = torch.rand(6, 4, dtype=torch.float64) + 0.1
    squares = torch.outer(*factors(weights)).pow(-4)
    assert torch.allclose(squares.sum(0), weights.pow(-2).sum(0))
    assert torch.allclose(squares.sum(1), weights.pow(-2).sum(1))


def products_of(scorer):
    """Weights that are products, the bias the entities' last column, as the factored form takes them to be."""
    rng = torch.Generator().manual_seed(3)
    found = {}
    for name, parameter in scorer.named_parameters():
        shape = parameter.shape
        found[name] = torch.rand(shape, generator=rng, dtype=parameter.dtype) + 0.1
        if parameter.dim() == 2 and name != "relation.weight":
            found[name] = found[name][:, :1] * found[name][:1]
    found[BIAS] = found[ENTITY][:, 0] * 0.7
    return found


@pytest.mark.parametrize("kind", ["complex", "conve"])
@pytest.mark.parametrize("unit", ["share", "removal", "row"])
def test_equals_autograd_where_the_weights_are_products(kind, unit):
    graph, world = made(kind, products_of, features__precondition="factored", features__unit=unit)
    assert np.allclose(matrix(world, graph.splits[TEST]), plain(graph, world, "scale"), rtol=1e-8)


@pytest.mark.parametrize("kind", ["distmult", "conve"])
def test_self_influence_cosine_and_projection_have_the_same_weights(kind):
    weighted = {"features__precondition": "factored", "features__measure": "part"}
    graph, world = made(kind, products_of, **weighted)
    tests = graph.splits[TRAIN][:6]
    found = matrix(world, tests)
    own = np.concatenate([v.numpy()[np.argsort(p)] for p, v in self_influences(world)])
    assert np.allclose(own[:6], np.diag(found))
    _, world = made(kind, products_of, features__normalise="cosine", **weighted)
    lengths = np.sqrt(own[:, None] * own[:6])
    assert np.allclose(matrix(world, tests), found / lengths)
    _, world = made(kind, products_of, features__projection=20_000, **weighted)
    assert np.corrcoef(matrix(world, tests).ravel(), found.ravel())[0, 1] > 0.98


def test_without_a_bias_layer_entities_alone_are_weighted():
    graph, world = made("complex", products_of, features__precondition="factored", features__layers=[ENTITY])
    everything = plain(graph, world, "scale")
    assert not np.allclose(matrix(world, graph.splits[TEST]), everything)
