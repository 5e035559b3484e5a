"""The compiled legacy epoch against its statement in PyTorch: autograd, clip_grad_norm_ and torch's own Adam."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.legacy.adam import Moments, Table
from terrarium.hyperbolic.legacy.epoch import StepSettings, Task, train_epoch
from terrarium.hyperbolic.legacy.loss import LegacyBatch, batch_loss, distance, exponential_map
from terrarium.hyperbolic.training.sampling.negatives import SAMPLERS, Pairs, SamplerSettings, sample_batch
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import tree_arrays
from tests.hyperbolic.trees import random_tree

SIZE, DIM, NEGATIVES, BATCH = 60, 4, 6, 8
LIMIT = 1.0 - 1e-5


class Case:
    """A small training, with all that the kernel takes."""

    def __init__(self, seed=0, dtype=np.float64, largest=1.3, sampler="same_depth", size=SIZE):
        rng = np.random.default_rng(seed)
        self.tree = random_tree(rng, size)
        self.arrays = tree_arrays(self.tree)
        ancestor, descendant, difference = self.tree.closure()
        self.pairs = Pairs(ancestor, descendant, np.sqrt(difference + 1.0))
        self.class_weight = rng.uniform(0.5, 2.0, len(ancestor))
        self.points = (rng.normal(size=(DIM, size)) * largest / 3).astype(dtype)
        self.target = rng.uniform(0.1, 0.95, size).astype(dtype)
        self.order = rng.permutation(len(ancestor))
        self.sampler = SamplerSettings(SAMPLERS[sampler], NEGATIVES, num_hard=0, num_ancestors=1, num_edge=0)

    def moments(self):
        return Moments(np.zeros_like(self.points), np.zeros_like(self.points), np.zeros(1, np.int64))

    def train(
        self,
        *,
        rate=0.05,
        radius_penalty=0.7,
        clip=0.0,
        in_tangent_space=False,
        margins=(0.2, 0.1),
        hold=(0.0, LIMIT, False, 0),
    ):
        """The kernel's points after an epoch, and what it returned."""
        points = self.points.copy()
        norm, penalty_gradient = np.empty_like(self.target), np.empty_like(self.target)
        returned = train_epoch(
            Table(points, norm, penalty_gradient, self.target),
            self.moments(),
            Task(self.arrays, self.pairs, self.class_weight, self.sampler, *margins),
            self.order,
            StepSettings(BATCH, rate, radius_penalty, clip, in_tangent_space, *hold),
            Stream(3, 1),
        )
        return points, returned

    def batches(self):
        """Positions and negatives of each batch, as the kernel draws them."""
        for start in range(0, len(self.order), BATCH):
            chosen = self.order[start : start + BATCH]
            drawn = np.zeros((len(chosen), NEGATIVES), np.int64)
            counts = sample_batch(self.arrays, self.pairs, chosen, self.sampler, Stream(3, 1), drawn)
            assert (counts == NEGATIVES).all()
            yield chosen, drawn

    def by_torch(
        self,
        *,
        rate=0.05,
        radius_penalty=0.7,
        clip=0.0,
        in_tangent_space=False,
        margins=(0.2, 0.1),
        project=None,
        nudge=0.0,
    ):
        """The same by autograd and torch.optim.Adam; `project` of a batch's number and rows says which to rescale."""
        rows = torch.tensor(self.points.T.copy(), requires_grad=True)
        optimizer = torch.optim.Adam([rows], lr=rate)
        target = torch.tensor(self.target)
        ancestor, descendant, weight = (torch.tensor(array) for array in self.pairs)
        class_weight = torch.tensor(self.class_weight)
        difference = torch.tensor(self.tree.depth)[descendant.long()] - torch.tensor(self.tree.depth)[ancestor.long()]
        named_rows = []
        for number, (chosen, drawn) in enumerate(self.batches()):
            a, d = ancestor[chosen].long(), descendant[chosen].long()
            optimizer.zero_grad()
            loss = batch_loss(
                exponential_map(rows) if in_tangent_space else rows,
                target,
                LegacyBatch(
                    a,
                    d,
                    torch.tensor(drawn),
                    weight=weight[chosen],
                    class_weight=class_weight[chosen],
                    margin=margins[0] + margins[1] * difference[chosen],
                ),
                radius_penalty,
            )
            loss.backward()
            if clip:
                torch.nn.utils.clip_grad_norm_([rows], clip)
            optimizer.step()
            named = torch.unique(torch.cat([a, d, torch.tensor(drawn).ravel()]))
            named_rows.append(len(named))
            with torch.no_grad():
                if nudge:
                    self._nudge(rows, named, target, nudge, in_tangent_space)
                if not in_tangent_space:
                    these = named if project is None else project(number, named)
                    norm = rows[these].norm(dim=1, keepdim=True)
                    rows[these] *= torch.where(norm > LIMIT, LIMIT / norm, 1.0)
        return rows.detach().numpy().T, named_rows

    def _nudge(self, rows, named, target, share, in_tangent_space):
        norm = rows[named].norm(dim=1, keepdim=True)
        rho = torch.tanh(norm / 2) if in_tangent_space else norm
        wanted = (1 - share) * rho + share * target[named, None]
        rows[named] *= (2 * torch.atanh(wanted.clamp(1e-6, 1 - 1e-6)) if in_tangent_space else wanted) / norm


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    clip=st.sampled_from([0.0, 0.05, 1.0]),
    in_tangent_space=st.booleans(),
    sampler=st.sampled_from(["same_depth", "random", "tiered"]),
)
def test_an_epoch_equals_autograd_and_adam(seed, clip, in_tangent_space, sampler):
    case = Case(seed, sampler=sampler)
    found, (_, _, _, _, named) = case.train(clip=clip, in_tangent_space=in_tangent_space)
    expected, named_rows = case.by_torch(clip=clip, in_tangent_space=in_tangent_space)
    assert named == sum(named_rows)
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("in_tangent_space", [False, True])
def test_in_float32_several_steps_stay_close(in_tangent_space):
    case = Case(1, np.float32, largest=0.7)
    case.order = case.order[: 6 * BATCH]
    found, _ = case.train(clip=1.0, in_tangent_space=in_tangent_space, rate=0.01)
    expected, _ = case.by_torch(clip=1.0, in_tangent_space=in_tangent_space, rate=0.01)
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize(
    ("hold", "project"),
    [
        ((0.0, LIMIT, True, 0), lambda number, named: torch.arange(SIZE)),
        ((0.0, LIMIT, False, 3), lambda number, named: named if number % 3 else torch.arange(SIZE)),
    ],
)
def test_all_rows_may_be_projected(hold, project):
    case = Case(2)
    found, _ = case.train(hold=hold)
    expected, _ = case.by_torch(project=project)
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("in_tangent_space", [False, True])
def test_the_nudge(in_tangent_space):
    case = Case(3)
    found, _ = case.train(in_tangent_space=in_tangent_space, hold=(0.05, LIMIT, False, 0), clip=0.3)
    expected, _ = case.by_torch(in_tangent_space=in_tangent_space, nudge=0.05, clip=0.3)
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-7)


def test_rows_that_a_batch_does_not_name_leave_the_ball_and_named_ones_do_not():
    """As in "Taxonomy optimizations": momentum moves rows after their batch, but only its rows are projected."""
    case = Case(4, largest=0.9, size=400)
    ball = case.points / np.maximum(np.linalg.norm(case.points, axis=0) / 0.99, 1.0)
    case.points = ball
    points, (_, _, largest, _, _) = case.train(rate=0.05, radius_penalty=0.01, margins=(0.5, 0.0))
    norm = np.linalg.norm(points, axis=0)
    assert norm.max() > 1.0
    assert largest >= norm.max()
    *_, (chosen, drawn) = case.batches()
    named = np.unique(np.concatenate([case.pairs[0][chosen], case.pairs[1][chosen], drawn.ravel()]))
    assert norm[named].max() <= LIMIT + 1e-12
    all_held, _ = case.train(rate=0.05, radius_penalty=0.01, margins=(0.5, 0.0), hold=(0.0, LIMIT, True, 0))
    assert np.linalg.norm(all_held, axis=0).max() <= LIMIT + 1e-12


def test_the_distance_has_the_reference_formula():
    e, rng = 1e-5, np.random.default_rng(0)
    u, v = rng.uniform(-0.5, 0.5, (2, 30, 3))
    a, b = (u**2).sum(1), (v**2).sum(1)
    expected = np.arccosh(1 + 2 * ((u - v) ** 2).sum(1) / ((1 - a) * (1 - b) + e) + e)
    assert np.allclose(distance(torch.tensor(u), torch.tensor(v)), expected)
    assert distance(torch.tensor(u), torch.tensor(u)).max() == pytest.approx(0.0045, abs=1e-4)
    antipodal = torch.tensor([[0.999, 0.0], [-0.999, 0.0]], dtype=torch.float64)
    assert distance(*antipodal).item() == pytest.approx(13.95, abs=0.01)


def test_the_loss_is_the_weighted_mean_without_the_radius_penalty():
    case = Case(5)
    case.order = case.order[:BATCH]
    _, (losses, weights, _, _, _) = case.train(radius_penalty=0.0, rate=1e-12)
    _, again = case.train(radius_penalty=5.0, rate=1e-12)
    ((chosen, drawn),) = case.batches()
    ancestor, descendant, weight = (torch.tensor(array[chosen]) for array in case.pairs)
    depth = torch.tensor(case.tree.depth)
    margin = 0.2 + 0.1 * (depth[descendant.long()] - depth[ancestor.long()])
    expected = batch_loss(
        torch.tensor(case.points.T.copy()),
        torch.tensor(case.target),
        LegacyBatch(
            ancestor.long(),
            descendant.long(),
            torch.tensor(drawn),
            weight=weight,
            class_weight=torch.tensor(case.class_weight[chosen]),
            margin=margin,
        ),
        0.0,
    )
    assert losses / weights == pytest.approx(expected.item())
    assert again[0] / again[1] == pytest.approx(expected.item())


def test_a_point_at_the_origin_moves_to_a_finite_place():
    case = Case(6)
    case.points[:] = 0.0
    points, _ = case.train()
    assert np.isfinite(points).all()
