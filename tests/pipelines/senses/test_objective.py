import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terrarium.senses.models.sparsity import exact_zero_share, kept_entries, small_share, support
from terrarium.senses.training import losses as objective


def rows(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_link_loss_is_cross_entropy_over_all_answers():
    queries, tails, negatives = (
        objective.normalise(rows(*shape, seed=i)) for i, shape in enumerate([(4, 6), (4, 6), (9, 6)])
    )
    wrong = torch.tensor([0.3, 0.9, -0.2, 0.1], dtype=torch.float64)
    has = torch.tensor([True, False, True, False])
    found = objective.link_losses(queries, tails, negatives, wrong, has, 7.0)
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
    assert objective.opposition_losses(a, opposed, polar, 0.3).item() == 0
    assert objective.opposition_losses(a, same, polar, 0.3).item() == pytest.approx(0.3 + 0.64)
    assert objective.opposition_losses(a, elsewhere, polar, 0.3).item() == pytest.approx(0.3 + 0.64 + 0.36)


def test_the_taxonomy_loss_is_zero_at_its_target():
    a, b = objective.normalise(rows(5, 4)), objective.normalise(rows(5, 4, seed=1))
    assert torch.allclose(objective.taxonomy_losses(a, b, (a * b).sum(1)), torch.zeros(5, dtype=torch.float64))


def test_one_dimension_in_twenty_is_polar_wherever_counting_starts():
    assert objective.polar_columns(0, 128).mean() <= 0.05
    whole = objective.polar_columns(0, 200)
    assert np.array_equal(np.concatenate([objective.polar_columns(0, 64), objective.polar_columns(64, 136)]), whole)


def test_polarity_rewards_opposite_signs_up_to_a_bound():
    column = torch.tensor([0])
    one = torch.tensor([[1.0, 0.0]])
    assert objective.polarity_losses(one, -one, column).item() == pytest.approx(-0.5)
    assert objective.polarity_losses(3 * one, -3 * one, column).item() == pytest.approx(-0.5)
    assert objective.polarity_losses(one, one, column).item() == pytest.approx(2)


def test_consistency_by_sign():
    words = torch.tensor([[0.5], [0.5], [0.5]])
    found = objective.consistency_losses(words, torch.zeros(3, dtype=torch.long), torch.tensor([1, -1, 0]))
    assert found.tolist() == pytest.approx([-0.05, 0.6, 1.0])


@given(st.integers(2, 60), st.floats(0, 0.95))
def test_the_support_has_the_zeros_asked_for_and_keeps_the_largest(dim, share):
    table = rows(20, dim)
    kept = support(table, kept_entries(dim, share))
    assert (kept.sum(1) == kept_entries(dim, share)).all()
    assert (
        table.abs().masked_fill(~kept, torch.inf).min(1).values >= table.abs().masked_fill(kept, 0).max(1).values
    ).all()


def test_shares_of_zeros():
    assert exact_zero_share(np.array([[0.0, 1.0], [0.005, 0.0]])) == 0.5
    assert small_share(np.array([[0.0, 1.0], [0.005, 0.0]])) == 0.75
    noise = np.random.default_rng(0).normal(0, 0.01, 100_000)
    assert small_share(noise) == pytest.approx(0.683, abs=0.005)
    assert exact_zero_share(noise) == 0


def test_the_direction_loss_is_logistic_in_the_difference():
    right, wrong = torch.tensor([0.5, 0.1]), torch.tensor([0.1, 0.5])
    expected = -torch.nn.functional.logsigmoid(10 * (right - wrong))
    assert torch.allclose(objective.direction_losses(right, wrong, 10.0), expected)
