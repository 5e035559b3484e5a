import pytest
import torch

from terrarium.senses.models.operators import normalize
from terrarium.senses.training import losses


def rows(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_link_loss_is_cross_entropy_over_all_answers():
    queries, tails, negatives = (normalize(rows(*shape, seed=i)) for i, shape in enumerate([(4, 6), (4, 6), (9, 6)]))
    wrong = torch.tensor([0.3, 0.9, -0.2, 0.1], dtype=torch.float64)
    has = torch.tensor([True, False, True, False])
    found = losses.link_losses(queries, tails, negatives, wrong, has, 7.0)
    for i in range(4):
        scores = [queries[i] @ tails[i], *(queries[i] @ negative for negative in negatives)]
        if has[i]:
            scores.append(wrong[i])
        expected = torch.nn.functional.cross_entropy(7.0 * torch.stack(scores)[None], torch.tensor([0]))
        assert found[i] == pytest.approx(expected.item())


def test_opposition_is_bounded_and_stays_on_polar_dimensions():
    polar = torch.tensor([False, False, True])
    a = torch.tensor([[0.6, 0.0, 0.8]])
    same, opposed, elsewhere = a, a * torch.tensor([1.0, 1.0, -1.0]), a * torch.tensor([-1.0, 1.0, 1.0])
    assert losses.antonym_losses(a, opposed, polar, 0.3).item() == 0
    assert losses.antonym_losses(a, same, polar, 0.3).item() == pytest.approx(0.3 + 0.64)
    assert losses.antonym_losses(a, elsewhere, polar, 0.3).item() == pytest.approx(0.3 + 0.64 + 0.36)


def test_the_taxonomy_loss_is_zero_at_its_target():
    a, b = normalize(rows(5, 4)), normalize(rows(5, 4, seed=1))
    assert torch.allclose(losses.taxonomy_losses(a, b, (a * b).sum(1)), torch.zeros(5, dtype=torch.float64))


def test_polarity_rewards_opposite_signs_up_to_a_bound():
    column = torch.tensor([0])
    one = torch.tensor([[1.0, 0.0]])
    assert losses.polarity_losses(one, -one, column).item() == pytest.approx(-0.5)
    assert losses.polarity_losses(3 * one, -3 * one, column).item() == pytest.approx(-0.5)
    assert losses.polarity_losses(one, one, column).item() == pytest.approx(2)


def test_consistency_by_sign():
    words = torch.tensor([[0.5], [0.5], [0.5]])
    found = losses.consistency_losses(words, torch.zeros(3, dtype=torch.long), torch.tensor([1, -1, 0]))
    assert found.tolist() == pytest.approx([-0.05, 0.6, 1.0])


def test_the_direction_loss_is_logistic_in_the_difference():
    right, wrong = torch.tensor([0.5, 0.1]), torch.tensor([0.1, 0.5])
    expected = -torch.nn.functional.logsigmoid(10 * (right - wrong))
    assert torch.allclose(losses.direction_losses(right, wrong, 10.0), expected)
