from dataclasses import replace

import numpy as np
import pytest
import torch

from terrarium.influence.gradients.factored import compute_gradients
from terrarium.influence.gradients.loss_parts import loss_parts, query_parts, score_parts, training_parts
from terrarium.influence.similarity.dot_products import FactoredQueryGradients, PairedProducts
from terrarium.kge.data.graph import TEST, TRAIN
from terrarium.kge.models.scorer import score_entities
from tests.influence.autograd_reference import dot, folded, gradient, part_of, rows_of, small_setting

CASES = [
    (kind, loss, unit, all_answers, reciprocal)
    for kind in ("conve", "complex", "distmult")
    for loss in ("bce", "cross_entropy")
    for unit in ("removal", "share", "row")
    for all_answers, reciprocal in ((True, True), (True, False), (False, True))
    if all_answers or unit == "share"
]


@pytest.mark.parametrize(("kind", "loss", "unit", "all_answers", "reciprocal"), CASES)
def test_products_are_those_of_autograd_on_every_layer(kind, loss, unit, all_answers, reciprocal):
    graph, scorer, spec, answers = small_setting(
        kind, loss, all_answers, model__inverse_relations=reciprocal, model__entity_bias=reciprocal
    )
    train, test = graph.splits[TRAIN][:9], graph.splits[TEST][:4]
    with torch.no_grad():
        training = compute_gradients(scorer, training_parts(train, answers, spec, unit), spec)
        queries = compute_gradients(scorer, query_parts(test, answers, spec, unit), spec)
    known = graph.splits[TRAIN]
    train_grads = [gradient(scorer, part_of(scorer, spec, triple, known, unit)) for triple in train]
    query_grads = [gradient(scorer, part_of(scorer, spec, triple, known, unit)) for triple in test]
    names = _names(scorer)
    for layers in ([name] for name in names):
        _agree(scorer, spec, training, queries, train_grads, query_grads, layers)
    _agree(scorer, spec, training, queries, train_grads, query_grads, names)
    _self_agree(scorer, spec, training, train_grads, names)


@pytest.mark.parametrize(("kind", "loss"), [("conve", "bce"), ("complex", "bce"), ("complex", "cross_entropy")])
def test_the_positive_score_alone(kind, loss):
    graph, scorer, spec, answers = small_setting(kind, loss)
    train, test, known = graph.splits[TRAIN][:5], graph.splits[TEST][:3], graph.splits[TRAIN]
    with torch.no_grad():
        training = compute_gradients(scorer, training_parts(train, answers, spec, "positive"), spec)
        queries = compute_gradients(scorer, query_parts(test, answers, spec, "positive"), spec)
    train_grads, query_grads = (
        [gradient(scorer, part_of(scorer, spec, triple, known, "positive")) for triple in triples]
        for triples in (train, test)
    )
    names = _names(scorer)
    _agree(scorer, spec, training, queries, train_grads, query_grads, names)
    _self_agree(scorer, spec, training, train_grads, names)


def _names(scorer):
    return [name for name, _ in scorer.named_parameters()]


def _agree(scorer, spec, training, queries, train_grads, query_grads, layers):
    with torch.no_grad():
        products = folded(
            FactoredQueryGradients(queries, scorer.num_entities, layers).part_products(training),
            spec.directions,
            len(train_grads),
            len(query_grads),
        )
    expected = np.array([[dot(*({n: g[n] for n in layers} for g in (a, b))) for b in query_grads] for a in train_grads])
    assert np.allclose(products, expected, rtol=1e-9, atol=1e-12 * max(1.0, np.abs(expected).max())), layers


def _self_agree(scorer, spec, training, train_grads, names):
    sides, count = spec.directions, len(train_grads)
    place = torch.arange(count)
    with torch.no_grad():
        paired = PairedProducts(training, scorer.num_entities, names)
        products = sum(
            paired.multiply(place + a * count, place + b * count) for a in range(sides) for b in range(sides)
        )
    assert np.allclose(products.numpy(), [dot(g, g) for g in train_grads], rtol=1e-9)


@pytest.mark.parametrize("kind", ["conve", "complex"])
def test_scores_in_place_of_a_loss(kind):
    graph, scorer, spec, answers = small_setting(kind)
    train, test = graph.splits[TRAIN][:5], graph.splits[TEST][:3]
    names = _names(scorer)
    with torch.no_grad():
        training = compute_gradients(scorer, training_parts(train, answers, spec, "share"), spec)
        queries = compute_gradients(scorer, score_parts(test, spec), spec)
    train_grads = [gradient(scorer, part_of(scorer, spec, triple, graph.splits[TRAIN], "share")) for triple in train]
    query_grads = []
    for triple in test:
        rows = [torch.tensor(row) for row in rows_of(triple, spec)]
        value = sum(
            score_entities(scorer(e[None], r[None]), scorer.entity.weight, scorer.bias)[0, t] for e, r, t in rows
        )
        query_grads.append(gradient(scorer, -value))
    _agree(scorer, spec, training, queries, train_grads, query_grads, names)


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_the_loss_of_a_triple_alone(loss):
    graph, scorer, spec, answers = small_setting("complex", loss)
    train, test = graph.splits[TRAIN][:5], graph.splits[TEST][:3]
    with torch.no_grad():
        training = compute_gradients(scorer, training_parts(train, answers, spec, "share"), spec)
        queries = compute_gradients(scorer, loss_parts(test, spec), spec)
    train_grads = [gradient(scorer, part_of(scorer, spec, triple, graph.splits[TRAIN], "share")) for triple in train]
    unit = "row" if loss == "cross_entropy" else "positive"
    query_grads = [gradient(scorer, part_of(scorer, spec, triple, graph.splits[TRAIN][:0], unit)) for triple in test]
    _agree(
        scorer,
        spec,
        training,
        queries,
        train_grads,
        query_grads,
        [name for name, _ in scorer.named_parameters()],
    )


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
@pytest.mark.parametrize("unit", ["share", "removal", "row"])
def test_rows_that_count_as_often_as_they_have_answers(loss, unit):
    graph, scorer, spec, answers = small_setting("complex", loss)
    spec = replace(spec, mean_answers=1.7)
    train, test = graph.splits[TRAIN], graph.splits[TEST][:3]
    with torch.no_grad():
        training = compute_gradients(scorer, training_parts(train[:9], answers, spec, unit), spec)
        queries = compute_gradients(scorer, query_parts(test, answers, spec, unit), spec)
    train_grads, query_grads = (
        [gradient(scorer, part_of(scorer, spec, t, train, unit)) for t in some] for some in (train[:9], test)
    )
    _agree(
        scorer,
        spec,
        training,
        queries,
        train_grads,
        query_grads,
        [name for name, _ in scorer.named_parameters()],
    )


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_shares_of_a_row_add_up_to_the_row(loss):
    graph, scorer, spec, answers = small_setting("distmult", loss, model__inverse_relations=False)
    train = graph.splits[TRAIN]
    with torch.no_grad():
        share, row = (
            compute_gradients(scorer, training_parts(train, answers, spec, unit), spec).scores
            for unit in ("share", "row")
        )
        total = torch.zeros(len(share.predictions.dense()), graph.num_entities, dtype=torch.float64)
        total.index_add_(0, share.query, share.dense(graph.num_entities))
        for place, errors in zip(row.query, row.dense(graph.num_entities), strict=True):
            assert torch.allclose(total[place], errors)
