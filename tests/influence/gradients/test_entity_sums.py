import numpy as np
import pytest
import torch

from terrarium.influence.gradients.entity_sums import EntitySums
from terrarium.influence.scoring.streaming import self_influence
from terrarium.influence.similarity.dot_products import BIAS, ENTITY
from terrarium.kge.data.ancestors import find_parts
from terrarium.kge.data.graph import TEST
from terrarium.kge.models.entities import AncestorSum
from tests.influence.autograd_reference import dot
from tests.influence.contexts import make_context, matrix, own_scorers, reference_gradients, small_graph

KINDS = ["complex", "distmult", "conve"]
ENCODERS = ["ancestors", "words", "ancestors_and_words"]


def any_weights(scorer):
    rng = torch.Generator().manual_seed(3)
    return {n: torch.rand(p.shape, generator=rng, dtype=p.dtype) + 0.1 for n, p in scorer.named_parameters()}


def products(scorer):
    """Weights of matrices that are a product of rows and columns, as the factored form takes them to be."""
    weights = any_weights(scorer)
    factored = {ENTITY, "encoder.projection.weight"}
    return {name: each[:, :1] * each[:1] if name in factored else each for name, each in weights.items()}


def expected(graph, context, scorers):
    """Influences on the test triples and self-influences, by autograd through the sums."""
    influences = own = 0
    for snapshot, scorer in zip(context.snapshots, scorers, strict=True):
        train, queries = (reference_gradients(context, scorer, t) for t in (context.train, graph.splits[TEST]))
        weights, rate = snapshot.preconditioner, snapshot.learning_rate

        def weigh(gradients, weights=weights):
            return {name: g * weights[name] for name, g in gradients.items()} if weights else gradients

        influences = influences + rate * np.array([[dot(weigh(a), b) for b in queries] for a in train])
        own = own + rate * np.array([dot(weigh(a), a) for a in train])
    return influences, own


@pytest.fixture(scope="module", params=[(kind, encoder) for kind in KINDS for encoder in ENCODERS])
def plain(request):
    """Kind, encoder, and influences without a preconditioner by autograd."""
    kind, encoder = request.param
    graph, context = make_context(kind, encoder=encoder)
    return kind, encoder, *expected(graph, context, own_scorers(kind, encoder=encoder))


def close(values, reference):
    return np.allclose(values, reference, rtol=1e-9, atol=1e-9 * np.abs(reference).max())


def test_influence_is_by_own_vectors(plain):
    kind, encoder, influences, own = plain
    graph, context = make_context(kind, encoder=encoder)
    assert close(matrix(context, graph.splits[TEST]), influences)
    assert close(self_influence(context), own)
    _, cosine = make_context(kind, encoder=encoder, attribution__normalization="cosine")
    queries = graph.splits["train"][:6]
    assert close(matrix(cosine, queries), matrix(context, queries) / np.sqrt(np.outer(own, own[:6])))


def test_backward_passes_and_projections_are_by_own_vectors(plain):
    kind, encoder, influences, _ = plain
    graph, context = make_context(kind, encoder=encoder, attribution__method="autograd")
    assert close(matrix(context, graph.splits[TEST]), influences)
    _, rough = make_context(kind, encoder=encoder, attribution__projection_dim=20_000)
    assert np.corrcoef(matrix(rough, graph.splits[TEST]).ravel(), influences.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("form", "weights"), [("exact", any_weights), ("factored", products)])
def test_weights_of_the_optimizer_are_of_own_vectors(kind, form, weights):
    encoder = "ancestors_and_words"
    graph, context = make_context(kind, weights, encoder=encoder, attribution__preconditioner=form)
    influences, own = expected(graph, context, own_scorers(kind, encoder=encoder))
    assert close(matrix(context, graph.splits[TEST]), influences)
    if form == "factored":
        assert close(self_influence(context), own)
        changes = {"attribution__preconditioner": form, "attribution__projection_dim": 20_000}
        _, rough = make_context(kind, weights, encoder=encoder, **changes)
        assert np.corrcoef(matrix(rough, graph.splits[TEST]).ravel(), influences.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("layers", [[ENTITY], [BIAS], [ENTITY, BIAS], ["relation.weight"]])
def test_biases_are_no_sums(layers):
    changes = {"encoder": "ancestors_and_words", "attribution__layers": layers}
    graph, context = make_context("conve", products, attribution__preconditioner="factored", **changes)
    _, exact = make_context("conve", products, attribution__preconditioner="exact", **changes)
    assert close(matrix(context, graph.splits[TEST]), matrix(exact, graph.splits[TEST]))
    _, self_context = make_context(
        "conve", products, attribution__preconditioner="factored", **changes, attribution__output_fn="training_loss"
    )
    assert close(self_influence(self_context), np.diag(matrix(exact, context.train)))


def test_without_relatives_sums_are_plain_embeddings():
    graph = small_graph()
    table = torch.rand(graph.num_entities, 3, dtype=torch.float64)
    none = np.zeros(0, np.int64)
    sums = EntitySums.of(find_parts(graph, own_scorers()[0].options), table)
    assert sums is None
    sums = EntitySums.of((none, none), table)
    assert torch.equal(sums.spread(table), table)
    assert torch.equal(sums.multiply(table.T), table.T)
    assert torch.equal(sums.rows_of(torch.tensor([2, 0])), torch.eye(graph.num_entities, dtype=table.dtype)[[2, 0]])


def test_sums_are_those_of_the_model():
    graph, scorer = small_graph(), own_scorers(encoder="ancestors_and_words")[0]
    parts = find_parts(graph, scorer.options)
    sums = EntitySums.of(parts, scorer.entity_table())
    own = torch.rand(sums.num_vectors, 3, dtype=torch.float64, requires_grad=True)
    table = AncestorSum(parts, graph.num_entities)(own)
    assert torch.allclose(sums.spread(own), table)
    by_table = torch.rand(table.shape, dtype=table.dtype)
    (by_own,) = torch.autograd.grad(table, own, by_table)
    assert torch.allclose(sums.collect(by_table), by_own)
