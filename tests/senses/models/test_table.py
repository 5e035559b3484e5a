import numpy as np
import pytest
import torch

from terrarium.senses.data.relations import ANTONYM, RELATIONS
from terrarium.senses.models.operators import query
from terrarium.senses.models.table import SenseTable


def table(dim=40, zeros=0.5, synsets=30, offsets=4, device="cpu"):
    start = np.random.default_rng(0).standard_normal((synsets, dim)).astype(np.float32)
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    return SenseTable(start, offsets, zeros, device)


def codes(made):
    return made.codes(torch.arange(made.synsets))


def columns(count, rows=30):
    drawn = np.random.default_rng(count).standard_normal((rows, count)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def placed(made, rows, gradient):
    """A gradient of the whole table that is zero elsewhere."""
    return torch.zeros_like(made.rows).index_copy(0, rows, gradient)


def descend(made, steps=5):
    """A few steps against arbitrary gradients."""
    for i in range(steps):
        generator = torch.Generator().manual_seed(i)
        rows = torch.randperm(len(made.rows), generator=generator)[:12]
        made.step(rows, placed(made, rows, torch.randn(12, made.dim, generator=generator)), 0.1, 1.0)
        made.step_relations(torch.randn(*made.maps.shape, generator=generator), 0.01)
    made.select_entries()


def test_codes_have_length_one_and_the_zeros_asked_for():
    made = table(zeros=0.6)
    descend(made)
    found = codes(made)
    assert torch.allclose(found.norm(dim=1), torch.ones(30))
    assert ((found == 0).sum(1) == 24).all()


def test_a_row_moves_along_the_sphere_by_adagrad():
    made = table(zeros=0.0)
    before = made.rows.clone()
    gradient = torch.randn(1, 40, generator=torch.Generator().manual_seed(1))
    whole = placed(made, torch.tensor([3]), gradient)
    made.step(torch.tensor([3]), whole, 0.1, 0.0)
    assert (whole == 0).all()
    x = before[3]
    tangent = gradient[0] - (gradient[0] @ x) * x
    expected = x - 0.1 * tangent / tangent.norm()
    assert torch.allclose(made.rows[3], expected / expected.norm(), atol=1e-6)
    assert torch.equal(made.rows[:3], before[:3])


def test_offsets_shrink_to_zero_without_a_gradient_and_the_row_for_none_stays():
    made = table()
    made.step(torch.tensor([31, 34]), torch.ones_like(made.rows), 0.1, 0.0)
    assert made.rows[31].norm() > 0
    assert (made.rows[34] == 0).all()
    before = made.rows[31].norm()
    made.step(torch.tensor([31]), torch.zeros_like(made.rows), 0.1, 5.0)
    assert made.rows[31].norm() < before


def test_antonymy_stays_a_reflection():
    made = table()
    descend(made)
    assert torch.equal(made.maps[ANTONYM, 1:], torch.diag(1 - 2 * made.polar.float()))
    assert (made.maps[ANTONYM + len(RELATIONS), 0] == 0).all()
    antonym = torch.full((30,), ANTONYM)
    reflected = query(codes(made), antonym, made.maps)
    assert torch.allclose(query(reflected, antonym, made.maps), codes(made), atol=1e-6)


@pytest.mark.parametrize("zeros", [0.0, 0.55])
def test_new_columns_do_not_disturb_the_function(zeros):
    made = table(dim=128, zeros=zeros)
    descend(made)
    relation = torch.zeros(30, dtype=torch.long)
    before, queries = codes(made), query(codes(made), relation, made.maps)
    made.grow(columns(64), 0.001)
    after, again = codes(made), query(codes(made), relation, made.maps)
    assert made.dim == 192
    assert (after @ after.T - before @ before.T).abs().max() < 0.003
    assert (again @ after.T - queries @ before.T).abs().max() < 0.003
    assert made.kept[:, 128:].double().mean() == pytest.approx(1 - zeros, abs=0.01)


def test_the_optimisers_state_outlives_growth_and_pruning():
    made = table()
    descend(made)
    state = made.state().tensors
    made.grow(columns(20), 0.001)
    grown = made.state().tensors
    assert np.array_equal(grown["row_sum"], state["row_sum"])
    assert np.array_equal(grown["maps_sum"][:, :41, :40], state["maps_sum"])
    assert (grown["maps_sum"][:, 41:] == 0).all()
    assert (grown["maps_sum"][..., 40:] == 0).all()
    keep = np.ones(60, bool)
    keep[::7] = False
    made.prune(keep)
    pruned = made.state().tensors
    assert np.array_equal(pruned["row_sum"], state["row_sum"])
    assert np.array_equal(pruned["maps_sum"], grown["maps_sum"][:, np.append(True, keep)][..., keep])
    assert made.dim == int(keep.sum())
    assert torch.allclose(codes(made).norm(dim=1), torch.ones(30))
    descend(made)


@pytest.mark.parametrize("device", ["cpu", "meta", "cuda"])
def test_growth_and_pruning_stay_on_the_device_and_in_the_dtype(device):
    """PyTorch refuses to join a tensor on the meta device with one in memory."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    made = table(device=device)
    made.grow(columns(8), 0.001)
    made.prune(np.arange(48) % 5 > 0)
    tensors = {name: value for name, value in vars(made).items() if isinstance(value, torch.Tensor)}
    assert len(tensors) == 7
    for name, value in tensors.items():
        assert value.device.type == device, name
        assert value.dtype in {torch.float32, torch.bool}, name
    assert made.dim == 38


def test_pruning_columns_of_zeros_changes_nothing():
    made = table(zeros=0.0)
    made.rows[:, 10:20] = 0
    made.rows[:30] = torch.nn.functional.normalize(made.rows[:30], dim=1)
    made.select_entries()
    before = codes(made)
    keep = np.ones(40, bool)
    keep[10:20] = False
    made.prune(keep)
    after = codes(made)
    assert torch.allclose(before @ before.T, after @ after.T, atol=1e-6)


def test_each_growth_has_zeros_of_its_own():
    made = table(zeros=0.9)
    made.grow(columns(10), 0.001)
    made.grow(columns(20), 0.001)
    for first, last, kept in ((0, 40, 4), (40, 50, 1), (50, 70, 2)):
        assert (made.kept[:, first:last].sum(1) == kept).all()
    made.prune(np.arange(70) < 40)
    assert (made.kept.sum(1) == 4).all()


def test_a_state_is_taken_up_at_its_own_dimension():
    made, other = table(), table(dim=12)
    descend(made)
    made.grow(columns(16), 0.001)
    other.load(made.state())
    assert other.state().equals(made.state())
    assert torch.equal(codes(other), codes(made))
    descend(made)
    descend(other)
    assert other.state().equals(made.state())


def test_energy_is_one_on_average_and_density_the_share_of_rows():
    made = table(zeros=0.5)
    assert made.column_energy().mean() == pytest.approx(1)
    assert made.column_density().mean() == pytest.approx(0.5)
