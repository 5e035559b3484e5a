import pytest
import torch

from terrarium.kge.training.losses import BatchAnswers, LossSpec, chunked_mean_loss, mean_loss, n3_penalty, query_losses

ROWS, ENTITIES, DIM = 7, 23, 5


def answers():
    """Rows with one to four right answers, each row weighted by how many it has."""
    generator = torch.Generator().manual_seed(0)
    row = torch.repeat_interleave(torch.arange(ROWS), torch.arange(ROWS) % 4 + 1)
    entity = torch.cat([torch.randperm(ENTITIES, generator=generator)[: k % 4 + 1] for k in range(ROWS)])
    count = torch.arange(ROWS) % 4 + 1
    return BatchAnswers(row, entity, count, count / count.float().mean())


def dense(given, kind, smoothing):
    """Targets as a matrix."""
    target = torch.zeros(ROWS, ENTITIES, dtype=torch.float64)
    target[given.row, given.entity] = 1.0
    if kind == "cross_entropy":
        target = target / target.sum(1, keepdim=True)
    return (1 - smoothing) * target + smoothing / ENTITIES


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_closed_forms_equal_the_dense_losses_and_their_gradients(smoothing):
    given = answers()
    scores = torch.randn(ROWS, ENTITIES, dtype=torch.float64, requires_grad=True)
    functional = torch.nn.functional
    whole = {
        "bce": functional.binary_cross_entropy_with_logits(
            scores, dense(given, "bce", smoothing), reduction="none"
        ).mean(1),
        "cross_entropy": functional.cross_entropy(scores, dense(given, "cross_entropy", smoothing), reduction="none"),
    }
    for kind, expected in whole.items():
        found = query_losses(scores, given, kind, smoothing)
        assert torch.allclose(found, expected, atol=1e-12)
        gradients = [torch.autograd.grad(loss.sum(), scores)[0] for loss in (found, expected)]
        assert torch.allclose(*gradients, atol=1e-12)


@pytest.mark.parametrize("kind", ["bce", "cross_entropy"])
@pytest.mark.parametrize("chunk", [1, 4, 22, 23, 1000])
@pytest.mark.parametrize("biased", [True, False])
def test_chunks_give_the_same_value_and_gradients(kind, chunk, biased):
    given = answers()
    torch.manual_seed(1)
    query, entity = torch.randn(ROWS, DIM, requires_grad=True), torch.randn(ENTITIES, DIM, requires_grad=True)
    bias = torch.randn(ENTITIES, requires_grad=True) if biased else None
    inputs = [part for part in (query, entity, bias) if part is not None]
    whole = mean_loss(torch.nn.functional.linear(query, entity, bias), given, LossSpec(kind, 0.1)) * 3
    pieces = chunked_mean_loss(query, entity, bias, given, LossSpec(kind, 0.1), chunk) * 3
    assert pieces.item() == pytest.approx(whole.item(), rel=1e-5)
    for ours, theirs in zip(torch.autograd.grad(pieces, inputs), torch.autograd.grad(whole, inputs), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)


def test_rows_weighted_by_their_answers_are_a_softmax_for_each_answer():
    given = answers()
    scores = torch.randn(ROWS, ENTITIES, dtype=torch.float64, requires_grad=True)
    apart = torch.nn.functional.cross_entropy(scores[given.row], given.entity)
    together = mean_loss(scores, given, LossSpec("cross_entropy", 0.0))
    assert torch.allclose(together, apart)
    assert torch.allclose(*(torch.autograd.grad(loss, scores)[0] for loss in (together, apart)))


def test_chunks_never_keep_the_scores():
    query, entity = torch.randn(ROWS, DIM, requires_grad=True), torch.randn(ENTITIES, DIM, requires_grad=True)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        chunked_mean_loss(query, entity, None, answers(), LossSpec("bce", 0.1), 4)
    assert max(kept) < ROWS * ENTITIES


def test_the_penalty_is_the_mean_of_cubes():
    given = BatchAnswers(
        torch.tensor([0, 0, 1]), torch.tensor([0, 1, 2]), torch.tensor([2, 1]), torch.tensor([1.5, 0.5])
    )
    head, relation, tail = torch.full((2, 1), 2.0), torch.full((2, 1), 1.0), torch.tensor([[1.0], [3.0], [2.0]])
    assert n3_penalty(head, relation, tail, given).item() == pytest.approx(
        (1.5 * (8 + 1 + (1 + 27) / 2) + 0.5 * (8 + 1 + 8)) / 2
    )
