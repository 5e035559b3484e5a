import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from terrarium.influence.data.checkpoints import Snapshot, Training
from terrarium.influence.options import Options
from terrarium.influence.scoring import streaming
from terrarium.influence.scoring.streaming import (
    UnknownLayerError,
    World,
    blocks,
    influences,
    self_influences,
    self_influences_of_asked,
)
from terrarium.influence.scoring.topk import strongest
from terrarium.kge.data.graph import TEST, TRAIN
from terrarium.kge.options import TrainingOptions
from tests.kge.graphs import options, random_graph
from tests.test_parameters import changed, parameters

from .worlds import dot, gradient, part_of, scorer_of


def influence_options(**changes):
    return Options.model_validate(changed(parameters("test")["influence"], changes))


def made(kind="complex", scale=None, reciprocal=True, targets="KvsAll", loss="cross_entropy", **changes):
    """Two checkpoints with different rates, and the world of influence in them."""
    graph = random_graph(entities=14, relations=3, sizes=(60, 5, 6))
    weighted = {"features__precondition": "none" if scale is None else "exact"}
    chosen = influence_options(**{"evaluation__precision": "64-true", "features__measure": "part"} | weighted | changes)
    scorers = [scorer_of(graph, kind, seed, model__inverse_relations=reciprocal) for seed in (1, 2)]
    scales = [{} if scale is None else scale(scorer) for scorer in scorers]
    snapshots = [Snapshot(e, r, s, d) for e, r, s, d in zip((1, 4), (0.5, 0.25), scorers, scales, strict=True)]
    trained = options(
        training__loss__name=loss, training__train_type=targets, training__loss__label_smoothing=0.1
    ).training
    training = Training(scorers[0].options, TrainingOptions.model_validate(trained.model_dump()))
    return graph, World.of(snapshots, training, graph, chosen.features, chosen.evaluation)


def matrix(world, tests):
    """(n, T) in the order of the training triples."""
    found = np.full((len(world.train), len(tests)), np.nan)
    for places, values in influences(world, tests):
        found[places] = values.detach().numpy()
    assert np.isfinite(found).all()
    return found


def plain(graph, world, weight=None):
    """The same by autograd, a triple at a time."""
    tests, known, unit = graph.splits[TEST], graph.splits[TRAIN], world.features.unit
    total = 0
    for snapshot in world.snapshots:
        rows, columns = (
            [gradient(snapshot.scorer, part_of(snapshot.scorer, world.trained, t, known, unit)) for t in triples]
            for triples in (world.train, tests)
        )
        if weight is not None:
            columns = [{name: g[name] * snapshot.scale[name] for name in g} for g in columns]
        total = total + snapshot.rate * np.array([[dot(a, b) for b in columns] for a in rows])
    return total


@pytest.mark.parametrize("kind", ["complex", "conve"])
@pytest.mark.parametrize("method", ["closed_form", "backward"])
def test_influence_is_the_sum_over_checkpoints_whatever_the_blocks(kind, method, monkeypatch):
    graph, world = made(kind, features__method=method)
    monkeypatch.setattr("terrarium.influence.scoring.streaming.bytes_of_triple", lambda *_: 512_000_000 // 7)
    assert max(len(block) for block in blocks(world, None, 0)) == 7
    assert np.allclose(matrix(world, graph.splits[TEST]), plain(graph, world), rtol=1e-8)


def test_the_end_with_more_entities_leads():
    stars = [[h, 0, t] for h in (0, 1) for t in range(2, 9)] + [[h, 1, t] for h in range(2, 9) for t in (0, 1)]
    _, world = made()
    mixed = np.random.default_rng(0).permutation(np.array(stars))
    order = streaming._by_question(mixed, world.trained)
    assert (np.diff(mixed[order][:, 1]) >= 0).all()
    tails, heads = (mixed[order][mixed[order][:, 1] == relation] for relation in (0, 1))
    assert (np.diff(tails[:, 2]) >= 0).all()
    assert (np.diff(heads[:, 0]) >= 0).all()


@pytest.mark.parametrize("loss", ["cross_entropy", "bce"])
@pytest.mark.parametrize("method", ["closed_form", "backward"])
def test_the_positive_score_alone_is_the_documents_loss(method, loss):
    graph, world = made("complex", loss=loss, features__method=method, features__unit="positive")
    assert np.allclose(matrix(world, graph.splits[TEST]), plain(graph, world), rtol=1e-8)


@pytest.mark.parametrize("kind", ["distmult", "conve"])
def test_weights_of_the_optimiser_multiply_every_number(kind):
    def drawn(scorer):
        rng = torch.Generator().manual_seed(3)
        return {n: torch.rand(p.shape, generator=rng, dtype=p.dtype) + 0.1 for n, p in scorer.named_parameters()}

    graph, world = made(kind, drawn)
    assert np.allclose(matrix(world, graph.splits[TEST]), plain(graph, world, "scale"), rtol=1e-8)


def test_cosine_is_one_with_itself_and_agrees_with_products():
    graph, world = made("conve", features__normalise="cosine", features__unit="share")
    tests = graph.splits[TRAIN][:6]
    found = matrix(world, tests)
    assert np.allclose(np.diag(found[:6]), 1)
    assert np.abs(found).max() <= 1 + 1e-9
    _, raw = made("conve", features__unit="share")
    products = matrix(raw, tests)
    own = np.concatenate([v.numpy()[np.argsort(p)] for p, v in self_influences(raw)])
    assert np.allclose(found, products / np.sqrt(np.outer(own, own[:6])))
    assert np.allclose(self_influences_of_asked(raw, tests).numpy(), own[:6])


def test_projections_come_close():
    graph, exact = made("conve")
    _, rough = made("conve", features__projection=20000)
    expected, found = matrix(exact, graph.splits[TEST]), matrix(rough, graph.splits[TEST])
    assert np.corrcoef(expected.ravel(), found.ravel())[0, 1] > 0.99


def test_a_choice_of_layers_is_by_name():
    graph, world = made("conve", features__layers=["encoder.projection.weight"])
    assert matrix(world, graph.splits[TEST]).shape == (60, 6)
    with pytest.raises(UnknownLayerError, match=r"no layer 'fc': choose from bias, entity\.weight"):
        made("conve", features__layers=["fc"])


def test_the_strongest_are_those_of_the_whole_matrix():
    graph, world = made()
    whole = matrix(world, graph.splits[TEST])
    found = strongest(influences(world, graph.splits[TEST]), 5)
    order = np.argsort(whole, axis=0, kind="stable")
    assert np.allclose(found.proponent_scores, np.sort(whole, axis=0)[::-1][:5].T)
    assert np.allclose(found.opponent_scores, np.sort(whole, axis=0)[:5].T)
    assert (found.proponents == order[::-1][:5].T).all()
    with pytest.raises(ValueError, match="no training triples"):
        strongest([], 5)


def test_proponents_and_opponents_have_their_sign():
    graph, world = made()
    whole = matrix(world, graph.splits[TEST])
    sides = strongest(influences(world, graph.splits[TEST]), 60).sides
    for name, sign in (("proponent", 1), ("opponent", -1)):
        places, values, counted = sides[name]
        assert (counted.sum(axis=1) == (sign * whole > 0).sum(axis=0)).all()
        assert (sign * values[counted] > 0).all()
        for place, own, column in zip(places, counted, whole.T, strict=True):
            assert set(place[own]) == set(np.flatnonzero(sign * column > 0))


WAYS = {
    "plain": {},
    "cosine": {"normalise": "cosine"},
    "projection": {"projection": 400},
    "factored": {"precondition": "factored"},
    "factored projection": {"precondition": "factored", "projection": 400},
}


@pytest.fixture(scope="module")
def small():
    return made("distmult", lambda scorer: {n: torch.ones_like(p) for n, p in scorer.named_parameters()})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "mixed"])
def test_every_precision_goes_every_way(small, precision, way):
    graph, world = small
    features = world.features.model_copy(update={"precondition": "none"} | WAYS[way])

    def found(name, dtype):
        evaluation = world.evaluation.model_copy(update={"precision": name})
        snapshots = [replace(one, scorer=copy.deepcopy(one.scorer).to(dtype)) for one in world.snapshots]
        own = replace(world, snapshots=snapshots, features=features, evaluation=evaluation)
        best = strongest(influences(own, graph.splits[TEST]), 60)
        return best.proponent_scores, np.concatenate([values.double().numpy() for _, values in self_influences(own)])

    exact, rough = found("64-true", torch.float64), found(precision, torch.float32)
    assert rough[0].dtype == np.float64
    assert all(np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.99 for a, b in zip(exact, rough, strict=True))
    assert all(len(np.unique(row)) == len(row) for row in rough[0])


def test_bfloat16_keeps_the_order_of_most():
    graph, world = made("conve", evaluation__precision="32-true")
    _, half = made("conve", evaluation__precision="bf16-mixed")
    for snapshot in half.snapshots:
        snapshot.scorer.float()
    exact, found = matrix(world, graph.splits[TEST]), matrix(half, graph.splits[TEST])
    assert np.corrcoef(exact.ravel(), found.ravel())[0, 1] > 0.98
