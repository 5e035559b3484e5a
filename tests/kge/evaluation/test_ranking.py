import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.evaluation.ranking import (
    ScoresNotFiniteError,
    rank_triples,
    realistic_ranks,
    require_finite,
    score_batches,
)
from terrarium.kge.models.scorer import build_scorer
from tests.kge.evaluation.oracle import rank
from tests.kge.evaluation.oracle import ranks as brute
from tests.kge.graphs import options, random_graph


def made(graph, **changes):
    chosen = options(**changes)
    model = build_scorer(chosen.model, graph.num_entities, graph.num_relations).eval()
    if model.bias is not None:
        torch.nn.init.normal_(model.bias)
    return model, chosen.evaluation


def score_of(model):
    """A triple's score by the model's definition, one at a time; heads by the inverse relation if the model has one."""
    with torch.no_grad():
        table = model.entity.weight.numpy()
        bias = np.zeros(len(table)) if model.bias is None else model.bias.numpy()
        queries = {
            (e, r): model(torch.tensor([e]), torch.tensor([r]))[0].numpy()
            for e in range(model.num_entities)
            for r in range(len(model.relation.weight))
        }
    forward = lambda h, r, t: float(queries[h, r] @ table[t] + bias[t])  # noqa: E731
    backward = lambda h, r, t: float(queries[t, r + model.num_relations] @ table[h] + bias[h])  # noqa: E731
    return forward, backward if model.options.inverse_relations else forward


@pytest.mark.parametrize("kind", ["conve", "complex", "distmult"])
@pytest.mark.parametrize("reciprocal", [True, False])
def test_ranks_of_both_sides_equal_the_plain_loops(kind, reciprocal):
    graph = random_graph()
    model, evaluation = made(graph, model__name=kind, model__inverse_relations=reciprocal, evaluation__batch_size=7)
    test = graph.splits["test"]
    found = rank_triples(model, test, KnownAnswers(graph.known_triples, graph.num_relations), evaluation)
    forward, backward = score_of(model)
    tails = brute(forward, test, graph.known_triples, graph.num_entities)[:, 1]
    heads = brute(backward, test, graph.known_triples, graph.num_entities)[:, 0]
    assert np.allclose(found, np.stack([heads, tails], axis=1), atol=1e-6)


def test_the_size_of_batches_changes_nothing():
    graph = random_graph()
    known = KnownAnswers(graph.known_triples, graph.num_relations)
    model, evaluation = made(graph)
    whole = rank_triples(model, graph.splits["test"], known, evaluation)
    for size in (1, 3):
        small = evaluation.model_copy(update={"batch_size": size})
        assert np.array_equal(rank_triples(model, graph.splits["test"], known, small), whole)


def test_test_triples_are_in_the_filter():
    """Two test answers of one question: neither pushes the other down."""
    graph = random_graph()
    model, evaluation = made(graph, model__name="distmult")
    triples = np.array([[0, 0, 1], [0, 0, 2]])
    ranks = rank_triples(model, triples, KnownAnswers(triples, graph.num_relations), evaluation)
    alone = [
        rank_triples(model, t[None], KnownAnswers(t[None], graph.num_relations), evaluation)[0, 1] for t in triples
    ]
    assert min(alone) == ranks[:, 1].min()
    assert ranks[:, 1].max() == max(alone) - 1


def test_half_precision_ranks_alike_and_double_is_taken():
    graph = random_graph()
    known = KnownAnswers(graph.known_triples, graph.num_relations)
    model, evaluation = made(graph)
    whole = rank_triples(model, graph.splits["test"], known, evaluation)
    half = evaluation.model_copy(update={"precision": "bf16-mixed"})
    assert np.corrcoef(rank_triples(model, graph.splits["test"], known, half).ravel(), whole.ravel())[0, 1] > 0.98
    double = evaluation.model_copy(update={"precision": "64-true"})
    assert np.allclose(rank_triples(model.double(), graph.splits["test"], known, double), whole, atol=1)


@pytest.mark.parametrize("reciprocal", [True, False])
def test_scores_are_compared_in_32_bits_under_a_mixed_precision(reciprocal):
    """In 16 bits many of a thousand scores are the same number, and equal scores share a place."""
    graph = random_graph(entities=1000)
    model, evaluation = made(graph, model__inverse_relations=reciprocal, evaluation__precision="bf16-mixed")
    for side in (0, 2):
        for _, values in score_batches(model, graph.splits["test"], side, evaluation):
            assert values.dtype == torch.float32
            assert all(len(torch.unique(row)) > 900 for row in values)


def test_weights_that_are_no_numbers_are_an_error():
    graph = random_graph()
    model, evaluation = made(graph)
    with torch.no_grad():
        model.entity.weight[3] = torch.nan
    with pytest.raises(ScoresNotFiniteError):
        rank_triples(model, graph.splits["test"], KnownAnswers(graph.known_triples, graph.num_relations), evaluation)


def ours(scores, targets, others):
    row = [i for i, known in enumerate(others) for _ in known]
    entity = [e for known in others for e in known]
    parts = (torch.tensor(part, dtype=torch.long) for part in (targets, row, entity))
    return realistic_ranks(torch.tensor(scores, dtype=torch.float64), *parts).tolist()


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_ranks_equal_the_plain_loops_also_with_ties(seed, levels):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, size=(4, 9)).astype(float)
    targets = rng.integers(0, 9, size=4).tolist()
    others = [rng.permutation(9)[: rng.integers(0, 6)].tolist() for _ in range(4)]
    expected = [rank(s, t, set(o)) for s, t, o in zip(scores, targets, others, strict=True)]
    assert ours(scores.copy(), targets, others) == expected


def test_a_constant_scorer_gets_the_middle_rank():
    assert ours(np.zeros((1, 101)), [7], [[]]) == [51.0]
    assert ours(np.zeros((1, 101)), [7], [[7, *range(20, 40)]]) == [41.0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_an_error_and_no_perfect_rank(value):
    scores = torch.zeros(2, 5)
    assert require_finite(scores) is scores
    scores[1, 3] = value
    with pytest.raises(ScoresNotFiniteError, match="scores are not finite"):
        require_finite(scores)


def test_pykeens_evaluator_gives_the_same_ranks():
    """PyKEEN's realistic ranks of the same scores, where PyKEEN is installed (the extra oracle)."""
    theirs_of = pytest.importorskip("pykeen.evaluation.ranks", reason="PyKEEN is not installed", exc_type=ImportError)
    generator = torch.Generator().manual_seed(0)
    scores = torch.randint(0, 6, (8, 30), generator=generator).double()
    target = torch.randint(0, 30, (8,), generator=generator)
    row = torch.repeat_interleave(torch.arange(8), 4)
    entity = torch.randint(0, 30, (32,), generator=generator)
    masked = scores.clone()
    masked[row, entity] = torch.nan
    own = scores[torch.arange(8), target]
    masked[torch.arange(8), target] = own
    theirs = theirs_of.Ranks.from_scores(own[:, None], masked).realistic
    assert torch.allclose(theirs.double(), realistic_ranks(scores, target, row, entity), atol=1e-6)
