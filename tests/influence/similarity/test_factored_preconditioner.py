import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from terrarium.influence.scoring.streaming import self_influence
from terrarium.influence.similarity.dot_products import BIAS, ENTITY
from terrarium.influence.similarity.factored_preconditioner import root_factors
from terrarium.kge.data.graph import TEST, TRAIN
from tests.influence.contexts import make_context, matrix, reference_matrix

POSITIVE = st.floats(0.1, 10)


@given(arrays(float, 5, elements=POSITIVE), arrays(float, 3, elements=POSITIVE))
def test_a_product_is_found_again(rows, columns):
    weights = torch.from_numpy(np.outer(rows, columns))
    left, right = root_factors(weights)
    assert torch.allclose(torch.outer(left, right), weights.sqrt())


def test_squares_keep_their_sums():
    weights = torch.rand(6, 4, dtype=torch.float64) + 0.1
    squares = torch.outer(*root_factors(weights)).pow(-4)
    assert torch.allclose(squares.sum(0), weights.pow(-2).sum(0))
    assert torch.allclose(squares.sum(1), weights.pow(-2).sum(1))


def products_of(scorer):
    """Weights that are products, the bias the entities' last column, as the factored form takes them to be."""
    rng = torch.Generator().manual_seed(3)
    values = {}
    for name, parameter in scorer.named_parameters():
        shape = parameter.shape
        values[name] = torch.rand(shape, generator=rng, dtype=parameter.dtype) + 0.1
        if parameter.dim() == 2 and name != "relation.weight":
            values[name] = values[name][:, :1] * values[name][:1]
    values[BIAS] = values[ENTITY][:, 0] * 0.7
    return values


@pytest.mark.parametrize("kind", ["complex", "conve"])
@pytest.mark.parametrize("unit", ["share", "removal", "row"])
def test_equals_autograd_where_the_weights_are_products(kind, unit):
    graph, context = make_context(
        kind, products_of, attribution__preconditioner="factored", attribution__attribution_unit=unit
    )
    assert np.allclose(
        matrix(context, graph.splits[TEST]), reference_matrix(graph, context, preconditioned=True), rtol=1e-8
    )


@pytest.mark.parametrize("kind", ["distmult", "conve"])
def test_self_influence_cosine_and_projection_have_the_same_weights(kind):
    weighted = {"attribution__preconditioner": "factored", "attribution__output_fn": "training_loss"}
    graph, context = make_context(kind, products_of, **weighted)
    queries = graph.splits[TRAIN][:6]
    values = matrix(context, queries)
    own = self_influence(context)
    assert np.allclose(own[:6], np.diag(values))
    _, context = make_context(kind, products_of, attribution__normalization="cosine", **weighted)
    lengths = np.sqrt(own[:, None] * own[:6])
    assert np.allclose(matrix(context, queries), values / lengths)
    _, context = make_context(kind, products_of, attribution__projection_dim=20_000, **weighted)
    assert np.corrcoef(matrix(context, queries).ravel(), values.ravel())[0, 1] > 0.98


def test_without_a_bias_layer_entities_alone_are_weighted():
    graph, context = make_context(
        "complex", products_of, attribution__preconditioner="factored", attribution__layers=[ENTITY]
    )
    everything = reference_matrix(graph, context, preconditioned=True)
    assert not np.allclose(matrix(context, graph.splits[TEST]), everything)
