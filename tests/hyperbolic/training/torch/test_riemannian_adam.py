import numpy as np
import torch

from terrarium.hyperbolic.geometry.ball import distance
from terrarium.hyperbolic.training.torch.riemannian_adam import RiemannianRowAdam
from tests.hyperbolic.trees import random_layout


def sparse(rows, values, size):
    return torch.sparse_coo_tensor(torch.tensor([rows]), torch.tensor(values), size, check_invariants=False)


def test_rows_without_gradient_stay_and_the_step_has_the_length_of_the_rate():
    layout = random_layout(np.random.default_rng(0), 6, 3, 2.0)
    radius = torch.nn.Parameter(torch.tensor(layout.radius)[:, None])
    direction = torch.nn.Parameter(torch.tensor(layout.direction))
    optimizer = RiemannianRowAdam(radius, direction, lr=0.1, max_radius=34.0, train_radius=True)
    radius.grad = sparse([1, 4, 5], [[1.0], [-2.0], [0.0]], (6, 1)).double()
    direction.grad = sparse([1, 4, 5], np.array([[1.0, 2, 3], [0, 1, 0], [0, 0, 0]]), (6, 3)).double()
    optimizer.step()
    after = radius.detach().numpy()[:, 0], direction.detach().numpy()
    moved = distance(layout.radius, layout.direction, *after)
    assert np.allclose(moved[[1, 4]], 0.1)
    assert (after[0][[0, 2, 3, 5]] == layout.radius[[0, 2, 3, 5]]).all()
    assert optimizer.pop_counts().num_moved == 2


def test_state_round_trip():
    layout = random_layout(np.random.default_rng(0), 4, 3, 2.0)

    def build():
        radius = torch.nn.Parameter(torch.tensor(layout.radius)[:, None])
        direction = torch.nn.Parameter(torch.tensor(layout.direction))
        return radius, direction, RiemannianRowAdam(radius, direction, lr=0.1, max_radius=34.0, train_radius=True)

    radius, direction, optimizer = build()
    radius.grad = sparse([1], [[1.0]], (4, 1)).double()
    direction.grad = sparse([1], np.array([[1.0, 2, 3]]), (4, 3)).double()
    optimizer.step()
    _, _, other = build()
    other.load_state_dict(optimizer.state_dict())
    for mine, theirs in zip(optimizer.state.values(), other.state.values(), strict=True):
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
