from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terrarium.influence.options import AttributionOptions
from terrarium.influence.scoring.streaming import self_influence
from terrarium.influence.similarity.fisher import SMALL_GRAPH, FisherInverse, uses_fisher
from terrarium.kge.data.graph import TEST, TRAIN
from tests.influence.contexts import influence_options, make_context, matrix

FISHER = {"attribution__hessian": "empirical_fisher"}


@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(1, 8), st.floats(0.1, 10))
def test_it_is_the_inverse_in_the_space_of_parameters(seed, num_train, num_parameters, damping):
    rng = np.random.default_rng(seed)
    train, query = rng.normal(size=(num_train, num_parameters)), rng.normal(size=(3, num_parameters))
    scale = damping * np.square(train).sum(axis=1).mean()
    inverse = np.linalg.inv(np.eye(num_parameters) + train.T @ train / scale)
    products = torch.from_numpy(train @ train.T)
    found = FisherInverse(damping).multiply(torch.from_numpy(train @ query.T), lambda: products)
    assert np.allclose(found.numpy(), train @ inverse @ query.T)


def test_products_that_are_all_zero_change_nothing():
    influences = torch.ones(3, 2)
    assert torch.equal(FisherInverse(1.0).multiply(influences, lambda: torch.zeros(3, 3)), influences)


def test_products_are_computed_once():
    inverse, calls = FisherInverse(1.0), []
    for _ in range(2):
        inverse.multiply(torch.ones(2, 1), lambda: calls.append(0) or torch.eye(2))
    assert len(calls) == 1


@pytest.mark.parametrize("kind", ["complex", "conve"])
def test_influences_are_multiplied_by_the_inverse_of_those_between_training_triples_at_the_last_epoch(kind):
    graph, plain = make_context(kind)
    _, context = make_context(kind, **FISHER, attribution__damping=0.5)
    last = replace(plain, snapshots=plain.snapshots[-1:])
    kernel, products = matrix(last, graph.splits[TRAIN]), matrix(plain, graph.splits[TEST])
    scale = 0.5 * self_influence(last).mean()
    expected = np.linalg.solve(np.eye(len(kernel)) + kernel / scale, products)
    assert np.allclose(matrix(context, graph.splits[TEST]), expected)


def test_much_damping_leaves_the_dot_products():
    graph, plain = make_context()
    _, context = make_context(**FISHER, attribution__damping=1e9)
    assert np.allclose(matrix(context, graph.splits[TEST]), matrix(plain, graph.splits[TEST]))


def test_a_repeated_triple_shares_its_influence():
    train = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    query = torch.tensor([[1.0, 1.0]], dtype=torch.float64)
    found = FisherInverse(0.01).multiply(train @ query.T, lambda: train @ train.T)[:, 0]
    assert found[0] == pytest.approx(found[1])
    assert found[0] + found[1] == pytest.approx(float(found[2]), rel=0.01)


def attribution(**changes):
    return influence_options(**changes).attribution


def test_auto_is_for_small_graphs_and_closed_forms():
    assert uses_fisher(attribution(), SMALL_GRAPH)
    assert not uses_fisher(attribution(), SMALL_GRAPH + 1)
    assert not uses_fisher(attribution(attribution__hessian="none"), 1)
    by_passes = {"attribution__method": "autograd", "attribution__preconditioner": "none"}
    assert not uses_fisher(attribution(**by_passes), 1)
    with pytest.raises(ValueError, match="hessian to none"):
        AttributionOptions.model_validate(attribution(**by_passes).model_dump() | {"hessian": "empirical_fisher"})
