"""Riemannian Adam and SGD by rows, for points in polar coordinates.

`cpu.step` is the same in compiled form. One second moment per row, of the squared Riemannian length of its gradient;
state and step for the rows of the gradient only; the step is the exponential map. After Becigneul and Ganea (2019),
with the momentum carried over by projection to the new tangent space.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from terrarium.hyperbolic.training.cpu.gradients import TINY
from terrarium.hyperbolic.training.cpu.step import ADAM_BETA1, ADAM_BETA2, ADAM_EPS


class StepCounts(NamedTuple):
    """Largest radius before the limit, steps of rows beyond the limit, steps of rows."""

    max_reached: float
    num_beyond: int
    num_moved: int


class RiemannianRowAdam(torch.optim.Optimizer):
    """Adam or SGD for a (N, 1) radius and a (N, d) direction with sparse gradients."""

    def __init__(
        self,
        radius: Tensor,
        direction: Tensor,
        *,
        lr: float,
        max_radius: float,
        train_radius: bool,
        adaptive: bool = True,
    ) -> None:
        """Make the state of all rows; only touched rows change.

        Args:
            radius, direction: the points.
            lr: step length of Adam; for SGD the factor of the gradient.
            max_radius: largest radius.
            train_radius: whether radii move.
            adaptive: Adam if true, SGD (Bonnabel 2013) if false.
        """
        super().__init__([radius, direction], {"lr": lr})
        self._limit, self._train_radius, self._adaptive = max_radius, train_radius, adaptive
        self._largest = torch.zeros((), dtype=radius.dtype, device=radius.device)
        self._beyond = torch.zeros((), dtype=torch.int64, device=radius.device)
        self._moved = 0
        self.state[radius] = {"momentum": torch.zeros_like(radius), "second": torch.zeros_like(radius)}
        self.state[direction] = {
            "momentum": torch.zeros_like(direction),
            "steps": torch.zeros_like(radius, dtype=torch.int64),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take a state over; steps stay whole numbers, where PyTorch gives every entry the dtype of its parameter."""
        super().load_state_dict(state_dict)
        angular = self.state[self.param_groups[0]["params"][1]]
        angular["steps"] = angular["steps"].to(torch.int64)

    def pop_counts(self) -> StepCounts:
        """Return the counts since the last call."""
        counts = StepCounts(float(self._largest), int(self._beyond), self._moved)
        self._largest.zero_()
        self._beyond.zero_()
        self._moved = 0
        return counts

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move the rows that have a gradient."""
        group = self.param_groups[0]
        radius, direction = group["params"]
        if radius.grad is None or direction.grad is None or not direction.grad.is_sparse:
            return
        along, angular = radius.grad.coalesce(), direction.grad.coalesce()
        moves = (along.values() != 0.0).squeeze(1) | (angular.values() != 0.0).any(1)
        rows = angular.indices()[0][moves]
        if not len(rows):
            return
        r, u = radius[rows], direction[rows]
        g_r = along.values()[moves] if self._train_radius else torch.zeros_like(r)
        # the gradient in an orthonormal frame: tangential part over sinh r
        g_u = angular.values()[moves]
        g_u = (g_u - (g_u * u).sum(1, keepdim=True) * u) / torch.sinh(r).clamp_min(TINY)
        m_r, m_u, size = self._moments(radius, direction, rows, g_r, g_u, group["lr"])
        new_r, new_u = _exponential(r, u, size * m_r, m_u, size)
        radial, angular_state = self.state[radius], self.state[direction]
        radial["momentum"][rows] = m_r
        angular_state["momentum"][rows] = m_u - (m_u * new_u).sum(1, keepdim=True) * new_u
        direction[rows] = new_u
        self._moved += len(rows)
        if self._train_radius:
            self._largest = torch.maximum(self._largest, new_r.max())
            self._beyond += (new_r > self._limit).sum()
            radius[rows] = new_r.clamp_max(self._limit)

    def _moments(
        self, radius: Tensor, direction: Tensor, rows: Tensor, g_r: Tensor, g_u: Tensor, lr: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the momenta of the rows and the factor that makes them steps."""
        if not self._adaptive:
            return g_r, g_u, torch.full_like(g_r, -lr)
        radial, angular = self.state[radius], self.state[direction]
        m_r = ADAM_BETA1 * radial["momentum"][rows] + (1.0 - ADAM_BETA1) * g_r
        m_u = ADAM_BETA1 * angular["momentum"][rows] + (1.0 - ADAM_BETA1) * g_u
        length = g_r.square() + g_u.square().sum(1, keepdim=True)
        second = ADAM_BETA2 * radial["second"][rows] + (1.0 - ADAM_BETA2) * length
        radial["second"][rows] = second
        angular["steps"][rows] += 1
        steps = angular["steps"][rows].to(r_dtype := radius.dtype)
        bias1 = 1.0 - torch.tensor(ADAM_BETA1, dtype=r_dtype, device=steps.device) ** steps
        bias2 = 1.0 - torch.tensor(ADAM_BETA2, dtype=r_dtype, device=steps.device) ** steps
        return m_r, m_u, -lr / (bias1 * ((second / bias2).sqrt() + ADAM_EPS))


def _exponential(r: Tensor, u: Tensor, a: Tensor, m_u: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """Return radius and direction after the tangent step of radial part a and angular part size * m_u."""
    b = size.abs() * m_u.norm(dim=1, keepdim=True)
    t = (a.square() + b.square()).sqrt()
    share = torch.where(t < TINY, 1.0, torch.sinh(t) / t.clamp_min(TINY))
    point = (torch.sinh(r) * torch.cosh(t) + torch.cosh(r) * share * a) * u + share * size * m_u
    norm = point.norm(dim=1, keepdim=True)
    still = (t < TINY) | (norm < TINY)
    new_u = torch.where(still, u, point / norm.clamp_min(TINY))
    return torch.where(still, r, torch.asinh(norm)), new_u
