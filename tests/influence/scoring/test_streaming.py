import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from terrarium.influence.scoring import streaming
from terrarium.influence.scoring.context import UnknownLayerError
from terrarium.influence.scoring.messages import effectless_options
from terrarium.influence.scoring.streaming import (
    influence_matrix,
    query_self_influence,
    self_influence,
    split_blocks,
    stream_influence,
)
from terrarium.influence.scoring.topk import select_top_k
from terrarium.kge.data.graph import TEST, TRAIN
from tests.influence.contexts import make_context, matrix, reference_matrix


@pytest.mark.parametrize("kind", ["complex", "conve"])
@pytest.mark.parametrize("method", ["closed_form", "autograd"])
def test_influence_is_the_sum_over_checkpoints_whatever_the_blocks(kind, method, monkeypatch):
    graph, context = make_context(kind, attribution__method=method)
    monkeypatch.setattr("terrarium.influence.scoring.streaming.bytes_per_triple", lambda *_: 512_000_000 // 7)
    assert max(len(block) for block in split_blocks(context, None, 0)) == 7
    assert np.allclose(matrix(context, graph.splits[TEST]), reference_matrix(graph, context), rtol=1e-8)


@pytest.mark.parametrize("method", ["closed_form", "autograd"])
def test_triples_that_only_shape_embeddings_have_no_influence(method):
    graph, context = make_context(attribution__method=method)
    trained = np.arange(60) % 3 > 0
    chosen, order = replace(context, is_trained=trained), np.random.default_rng(0).permutation(60)[:20]
    every, own = matrix(context, graph.splits[TEST]), self_influence(context)
    assert np.allclose(matrix(chosen, graph.splits[TEST]), every * trained[:, None])
    assert np.allclose(influence_matrix(chosen, graph.splits[TEST], order), (every * trained[:, None])[order])
    assert np.allclose(self_influence(chosen, order), (own * trained)[order])


def test_the_end_with_more_entities_leads():
    stars = [[h, 0, t] for h in (0, 1) for t in range(2, 9)] + [[h, 1, t] for h in range(2, 9) for t in (0, 1)]
    _, context = make_context()
    mixed = np.random.default_rng(0).permutation(np.array(stars))
    order = streaming._order_by_query(mixed, context.loss_spec)
    assert (np.diff(mixed[order][:, 1]) >= 0).all()
    tails, heads = (mixed[order][mixed[order][:, 1] == relation] for relation in (0, 1))
    assert (np.diff(tails[:, 2]) >= 0).all()
    assert (np.diff(heads[:, 0]) >= 0).all()


@pytest.mark.parametrize("loss", ["cross_entropy", "bce"])
@pytest.mark.parametrize("method", ["closed_form", "autograd"])
def test_the_positive_score_alone_is_the_documents_loss(method, loss):
    graph, context = make_context(
        "complex", loss=loss, attribution__method=method, attribution__attribution_unit="positive"
    )
    assert np.allclose(matrix(context, graph.splits[TEST]), reference_matrix(graph, context), rtol=1e-8)


@pytest.mark.parametrize("kind", ["distmult", "conve"])
def test_weights_of_the_optimiser_multiply_every_number(kind):
    def drawn(scorer):
        rng = torch.Generator().manual_seed(3)
        return {n: torch.rand(p.shape, generator=rng, dtype=p.dtype) + 0.1 for n, p in scorer.named_parameters()}

    graph, context = make_context(kind, drawn)
    assert np.allclose(
        matrix(context, graph.splits[TEST]), reference_matrix(graph, context, preconditioned=True), rtol=1e-8
    )


@pytest.mark.parametrize("kind", ["complex", "distmult"])
@pytest.mark.parametrize("method", ["closed_form", "autograd"])
@pytest.mark.parametrize(("train_type", "unit"), [("1vsAll", "row"), ("KvsAll", "share"), ("KvsAll", "removal")])
def test_the_penalty_of_a_row_belongs_to_its_triples(kind, method, train_type, unit):
    graph, context = make_context(
        kind,
        train_type=train_type,
        n3_weight=0.3,
        query_weight="by_num_answers",
        attribution__method=method,
        attribution__attribution_unit=unit,
    )
    assert context.loss_spec.n3_weight == 0.3
    assert np.allclose(matrix(context, graph.splits[TEST]), reference_matrix(graph, context), rtol=1e-8)


@pytest.mark.parametrize("changes", [{"loss": "bce"}, {"inverse": False}])
def test_where_the_penalty_has_no_closed_form_it_is_left_out(changes):
    _, context = make_context(n3_weight=0.3, **changes)
    assert context.loss_spec.n3_weight == 0
    assert any("N3 penalty is left out" in line for line in effectless_options(context))


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_fp16_encodes_queries_alone_so_that_no_sum_overflows(monkeypatch, loss):
    """A CPU imitates fp16; weights of the preconditioner as large as Adagrad's would overflow in it."""

    def large(scorer):
        return {name: torch.full_like(parameter, 1e5) for name, parameter in scorer.named_parameters()}

    def computed(precision):
        graph, context = make_context("conve", large, loss=loss, scoring__precision=precision)
        attribution = context.attribution.model_copy(update={"preconditioner": "factored"})
        return matrix(replace(context, attribution=attribution), graph.splits[TEST])

    exact = computed("32-true")
    monkeypatch.setattr(
        "terrarium.influence.scoring.context.autocast_context",
        lambda *_: torch.autocast("cpu", torch.float16),
    )
    assert np.corrcoef(computed("16-mixed").ravel(), exact.ravel())[0, 1] > 0.999


def test_influences_that_are_not_finite_are_refused():
    with pytest.raises(streaming.InfluenceNotFiniteError, match="precision to 32-true"):
        streaming.require_finite(torch.tensor([1.0, torch.inf]))


def test_cosine_is_one_with_itself_and_agrees_with_products():
    graph, context = make_context("conve", attribution__normalization="cosine", attribution__attribution_unit="share")
    queries = graph.splits[TRAIN][:6]
    found = matrix(context, queries)
    assert np.allclose(np.diag(found[:6]), 1)
    assert np.abs(found).max() <= 1 + 1e-9
    _, raw = make_context("conve", attribution__attribution_unit="share")
    products = matrix(raw, queries)
    own = self_influence(raw)
    assert np.allclose(found, products / np.sqrt(np.outer(own, own[:6])))
    assert np.allclose(query_self_influence(raw, queries), own[:6])


def test_projections_come_close():
    graph, exact = make_context("conve")
    _, rough = make_context("conve", attribution__projection_dim=20000)
    expected, found = matrix(exact, graph.splits[TEST]), matrix(rough, graph.splits[TEST])
    assert np.corrcoef(expected.ravel(), found.ravel())[0, 1] > 0.99


def test_a_choice_of_layers_is_by_name():
    graph, context = make_context("conve", attribution__layers=["encoder.projection.weight"])
    assert matrix(context, graph.splits[TEST]).shape == (60, 6)
    with pytest.raises(UnknownLayerError, match=r"no layer 'fc': choose from bias, entity\.weight"):
        make_context("conve", attribution__layers=["fc"])


def test_the_strongest_are_those_of_the_whole_matrix():
    graph, context = make_context()
    whole = matrix(context, graph.splits[TEST])
    found = select_top_k(stream_influence(context, graph.splits[TEST]), 5)
    order = np.argsort(whole, axis=0, kind="stable")
    assert np.allclose(found.proponents.score, np.sort(whole, axis=0)[::-1][:5].T)
    assert np.allclose(found.opponents.score, np.sort(whole, axis=0)[:5].T)
    assert (found.proponents.index == order[::-1][:5].T).all()
    with pytest.raises(ValueError, match="no training triples"):
        select_top_k([], 5)


def test_proponents_and_opponents_have_their_sign():
    graph, context = make_context()
    whole = matrix(context, graph.splits[TEST])
    sides = select_top_k(stream_influence(context, graph.splits[TEST]), 60).sides
    for name, sign in (("proponent", 1), ("opponent", -1)):
        ranking = sides[name]
        assert (ranking.counts.sum(axis=1) == (sign * whole > 0).sum(axis=0)).all()
        assert (sign * ranking.score[ranking.counts] > 0).all()
        for index, counts, column in zip(ranking.index, ranking.counts, whole.T, strict=True):
            assert set(index[counts]) == set(np.flatnonzero(sign * column > 0))


METHODS = {
    "plain": {},
    "cosine": {"normalization": "cosine"},
    "projection": {"projection_dim": 400},
    "factored": {"preconditioner": "factored"},
    "factored projection": {"preconditioner": "factored", "projection_dim": 400},
}


def ones(scorer):
    return {name: torch.ones_like(parameter) for name, parameter in scorer.named_parameters()}


@pytest.fixture(scope="module", params=["lookup", "ancestors_and_words"])
def small(request):
    return make_context("distmult", ones, encoder=request.param)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "mixed"])
def test_every_precision_goes_every_way(small, precision, method):
    graph, context = small
    attribution = context.attribution.model_copy(update={"preconditioner": "none"} | METHODS[method])

    def found(name, dtype):
        scoring = context.scoring.model_copy(update={"precision": name})
        snapshots = [replace(one, scorer=copy.deepcopy(one.scorer).to(dtype)) for one in context.snapshots]
        own = replace(context, snapshots=snapshots, attribution=attribution, scoring=scoring)
        best = select_top_k(stream_influence(own, graph.splits[TEST]), 60)
        return best.proponents.score, self_influence(own)

    exact, rough = found("64-true", torch.float64), found(precision, torch.float32)
    assert rough[0].dtype == np.float64
    assert all(np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.99 for a, b in zip(exact, rough, strict=True))
    assert all(len(np.unique(row)) == len(row) for row in rough[0])


def test_bfloat16_keeps_the_order_of_most():
    graph, context = make_context("conve", scoring__precision="32-true")
    _, half = make_context("conve", scoring__precision="bf16-mixed")
    for snapshot in half.snapshots:
        snapshot.scorer.float()
    exact, found = matrix(context, graph.splits[TEST]), matrix(half, graph.splits[TEST])
    assert np.corrcoef(exact.ravel(), found.ravel())[0, 1] > 0.98
