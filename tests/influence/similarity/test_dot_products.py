from dataclasses import replace

import numpy as np
import pytest
import torch

from terrarium.influence.gradients.factored import compute_gradients
from terrarium.influence.gradients.loss_parts import loss_parts, query_parts, score_parts, training_parts
from terrarium.influence.similarity.dot_products import FactoredQueryGradients, paired_products
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
        ours = compute_gradients(scorer, training_parts(train, answers, spec, unit), spec)
        asked = compute_gradients(scorer, query_parts(test, answers, spec, unit), spec)
    known = graph.splits[TRAIN]
    plain = [gradient(scorer, part_of(scorer, spec, triple, known, unit)) for triple in train]
    wanted = [gradient(scorer, part_of(scorer, spec, triple, known, unit)) for triple in test]
    names = [name for name, _ in scorer.named_parameters()]
    for layers in ([name] for name in names):
        _agree(scorer, spec, ours, asked, plain, wanted, layers)
    _agree(scorer, spec, ours, asked, plain, wanted, names)
    _self_agree(scorer, spec, ours, plain, names)


@pytest.mark.parametrize(("kind", "loss"), [("conve", "bce"), ("complex", "bce"), ("complex", "cross_entropy")])
def test_the_positive_score_alone(kind, loss):
    graph, scorer, spec, answers = small_setting(kind, loss)
    train, test, known = graph.splits[TRAIN][:5], graph.splits[TEST][:3], graph.splits[TRAIN]
    with torch.no_grad():
        ours = compute_gradients(scorer, training_parts(train, answers, spec, "positive"), spec)
        asked = compute_gradients(scorer, query_parts(test, answers, spec, "positive"), spec)
    plain, wanted = (
        [gradient(scorer, part_of(scorer, spec, triple, known, "positive")) for triple in triples]
        for triples in (train, test)
    )
    names = [name for name, _ in scorer.named_parameters()]
    _agree(scorer, spec, ours, asked, plain, wanted, names)
    _self_agree(scorer, spec, ours, plain, names)


def _agree(scorer, spec, ours, asked, plain, wanted, layers):
    with torch.no_grad():
        found = folded(
            FactoredQueryGradients(asked, scorer.num_entities, layers).part_products(ours),
            spec.directions,
            len(plain),
            len(wanted),
        )
    expected = np.array([[dot(*({n: g[n] for n in layers} for g in (a, b))) for b in wanted] for a in plain])
    assert np.allclose(found, expected, rtol=1e-9, atol=1e-12 * max(1.0, np.abs(expected).max())), layers


def _self_agree(scorer, spec, ours, plain, names):
    sides, count = spec.directions, len(plain)
    place = torch.arange(count)
    with torch.no_grad():
        found = sum(
            paired_products(ours, place + a * count, place + b * count, scorer.num_entities, set(names))
            for a in range(sides)
            for b in range(sides)
        )
    assert np.allclose(found.numpy(), [dot(g, g) for g in plain], rtol=1e-9)


@pytest.mark.parametrize("kind", ["conve", "complex"])
def test_scores_in_place_of_a_loss(kind):
    graph, scorer, spec, answers = small_setting(kind)
    train, test = graph.splits[TRAIN][:5], graph.splits[TEST][:3]
    names = [name for name, _ in scorer.named_parameters()]
    with torch.no_grad():
        ours = compute_gradients(scorer, training_parts(train, answers, spec, "share"), spec)
        asked = compute_gradients(scorer, score_parts(test, spec), spec)
    plain = [gradient(scorer, part_of(scorer, spec, triple, graph.splits[TRAIN], "share")) for triple in train]
    wanted = []
    for triple in test:
        rows = [torch.tensor(row) for row in rows_of(triple, spec)]
        value = sum(
            score_entities(scorer(e[None], r[None]), scorer.entity.weight, scorer.bias)[0, t] for e, r, t in rows
        )
        wanted.append(gradient(scorer, -value))
    _agree(scorer, spec, ours, asked, plain, wanted, names)


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_the_loss_of_a_triple_alone(loss):
    graph, scorer, spec, answers = small_setting("complex", loss)
    train, test = graph.splits[TRAIN][:5], graph.splits[TEST][:3]
    with torch.no_grad():
        ours = compute_gradients(scorer, training_parts(train, answers, spec, "share"), spec)
        asked = compute_gradients(scorer, loss_parts(test, spec), spec)
    plain = [gradient(scorer, part_of(scorer, spec, triple, graph.splits[TRAIN], "share")) for triple in train]
    unit = "row" if loss == "cross_entropy" else "positive"
    wanted = [gradient(scorer, part_of(scorer, spec, triple, graph.splits[TRAIN][:0], unit)) for triple in test]
    _agree(scorer, spec, ours, asked, plain, wanted, [name for name, _ in scorer.named_parameters()])


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
@pytest.mark.parametrize("unit", ["share", "removal", "row"])
def test_rows_that_count_as_often_as_they_have_answers(loss, unit):
    graph, scorer, spec, answers = small_setting("complex", loss)
    spec = replace(spec, mean_answers=1.7)
    train, test = graph.splits[TRAIN], graph.splits[TEST][:3]
    with torch.no_grad():
        ours = compute_gradients(scorer, training_parts(train[:9], answers, spec, unit), spec)
        asked = compute_gradients(scorer, query_parts(test, answers, spec, unit), spec)
    plain, wanted = (
        [gradient(scorer, part_of(scorer, spec, t, train, unit)) for t in some] for some in (train[:9], test)
    )
    _agree(scorer, spec, ours, asked, plain, wanted, [name for name, _ in scorer.named_parameters()])


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
