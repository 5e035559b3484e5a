from dataclasses import replace

import numpy as np
import pytest
import torch

from terrarium.influence.gradients.factored import gradients_of
from terrarium.influence.gradients.loss_parts import asked_units, lost_units, scored_units, training_units
from terrarium.influence.similarity.dot_products import Targets, paired_products
from terrarium.kge.data.graph import TEST, TRAIN
from terrarium.kge.models.scorer import score_entities

from .worlds import dot, folded, gradient, part_of, rows_of, world

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
    graph, scorer, trained, answers = world(
        kind, loss, all_answers, model__inverse_relations=reciprocal, model__entity_bias=reciprocal
    )
    train, test = graph.splits[TRAIN][:9], graph.splits[TEST][:4]
    with torch.no_grad():
        ours = gradients_of(scorer, training_units(train, answers, trained, unit), trained)
        asked = gradients_of(scorer, asked_units(test, answers, trained, unit), trained)
    known = graph.splits[TRAIN]
    plain = [gradient(scorer, part_of(scorer, trained, triple, known, unit)) for triple in train]
    wanted = [gradient(scorer, part_of(scorer, trained, triple, known, unit)) for triple in test]
    names = [name for name, _ in scorer.named_parameters()]
    for layers in ([name] for name in names):
        _agree(scorer, trained, ours, asked, plain, wanted, layers)
    _agree(scorer, trained, ours, asked, plain, wanted, names)
    _self_agree(scorer, trained, ours, plain, names)


@pytest.mark.parametrize(("kind", "loss"), [("conve", "bce"), ("complex", "bce"), ("complex", "cross_entropy")])
def test_the_positive_score_alone(kind, loss):
    graph, scorer, trained, answers = world(kind, loss)
    train, test, known = graph.splits[TRAIN][:5], graph.splits[TEST][:3], graph.splits[TRAIN]
    with torch.no_grad():
        ours = gradients_of(scorer, training_units(train, answers, trained, "positive"), trained)
        asked = gradients_of(scorer, asked_units(test, answers, trained, "positive"), trained)
    plain, wanted = (
        [gradient(scorer, part_of(scorer, trained, triple, known, "positive")) for triple in triples]
        for triples in (train, test)
    )
    names = [name for name, _ in scorer.named_parameters()]
    _agree(scorer, trained, ours, asked, plain, wanted, names)
    _self_agree(scorer, trained, ours, plain, names)


def _agree(scorer, trained, ours, asked, plain, wanted, layers):
    with torch.no_grad():
        found = folded(
            Targets(asked, scorer.num_entities, layers).products(ours), trained.sides, len(plain), len(wanted)
        )
    expected = np.array([[dot(*({n: g[n] for n in layers} for g in (a, b))) for b in wanted] for a in plain])
    assert np.allclose(found, expected, rtol=1e-9, atol=1e-12 * max(1.0, np.abs(expected).max())), layers


def _self_agree(scorer, trained, ours, plain, names):
    sides, count = trained.sides, len(plain)
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
    graph, scorer, trained, answers = world(kind)
    train, test = graph.splits[TRAIN][:5], graph.splits[TEST][:3]
    names = [name for name, _ in scorer.named_parameters()]
    with torch.no_grad():
        ours = gradients_of(scorer, training_units(train, answers, trained, "share"), trained)
        asked = gradients_of(scorer, scored_units(test, trained), trained)
    plain = [gradient(scorer, part_of(scorer, trained, triple, graph.splits[TRAIN], "share")) for triple in train]
    wanted = []
    for triple in test:
        rows = [torch.tensor(row) for row in rows_of(triple, trained)]
        value = sum(
            score_entities(scorer(e[None], r[None]), scorer.entity.weight, scorer.bias)[0, t] for e, r, t in rows
        )
        wanted.append(gradient(scorer, -value))
    _agree(scorer, trained, ours, asked, plain, wanted, names)


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_the_loss_of_a_triple_alone(loss):
    graph, scorer, trained, answers = world("complex", loss)
    train, test = graph.splits[TRAIN][:5], graph.splits[TEST][:3]
    with torch.no_grad():
        ours = gradients_of(scorer, training_units(train, answers, trained, "share"), trained)
        asked = gradients_of(scorer, lost_units(test, trained), trained)
    plain = [gradient(scorer, part_of(scorer, trained, triple, graph.splits[TRAIN], "share")) for triple in train]
    unit = "row" if loss == "cross_entropy" else "positive"
    wanted = [gradient(scorer, part_of(scorer, trained, triple, graph.splits[TRAIN][:0], unit)) for triple in test]
    _agree(scorer, trained, ours, asked, plain, wanted, [name for name, _ in scorer.named_parameters()])


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
@pytest.mark.parametrize("unit", ["share", "removal", "row"])
def test_rows_that_count_as_often_as_they_have_answers(loss, unit):
    graph, scorer, trained, answers = world("complex", loss)
    trained = replace(trained, mean_answers=1.7)
    train, test = graph.splits[TRAIN], graph.splits[TEST][:3]
    with torch.no_grad():
        ours = gradients_of(scorer, training_units(train[:9], answers, trained, unit), trained)
        asked = gradients_of(scorer, asked_units(test, answers, trained, unit), trained)
    plain, wanted = (
        [gradient(scorer, part_of(scorer, trained, t, train, unit)) for t in some] for some in (train[:9], test)
    )
    _agree(scorer, trained, ours, asked, plain, wanted, [name for name, _ in scorer.named_parameters()])


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_shares_of_a_row_add_up_to_the_row(loss):
    graph, scorer, trained, answers = world("distmult", loss, model__inverse_relations=False)
    train = graph.splits[TRAIN]
    with torch.no_grad():
        share, row = (
            gradients_of(scorer, training_units(train, answers, trained, unit), trained).errors
            for unit in ("share", "row")
        )
        total = torch.zeros(len(share.dense.full()), graph.num_entities, dtype=torch.float64)
        total.index_add_(0, share.question, share.full(graph.num_entities))
        for place, errors in zip(row.question, row.full(graph.num_entities), strict=True):
            assert torch.allclose(total[place], errors)
