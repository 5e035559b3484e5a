"""The older documents' training on the CPU: ball coordinates in float32, Adam over all rows in every batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrarium.hyperbolic.evaluation.norms import norm_numbers
from terrarium.hyperbolic.geometry.ball import Layout, from_ball, norm_of_radius, radius_of_norm
from terrarium.hyperbolic.legacy import kernel as dense_kernel
from terrarium.hyperbolic.legacy.negatives import SAMPLERS
from terrarium.hyperbolic.options import LegacyAdamOptions
from terrarium.hyperbolic.training.negatives import TreeArrays
from terrarium.hyperbolic.training.problem import Problem, false_negatives
from terrarium.hyperbolic.training.weights import pack_weights
from terrarium.training.checkpointing.state import State

TIGHTENING = 100.0
"""Factor by which `schedule_corrected` moves the limit away from the sphere over all epochs."""
LARGEST_NORM = 1.0 - 1e-5
"""To which norm a point outside the ball is drawn where a layout is made of it."""


def projection_limit(options: LegacyAdamOptions, epoch: int, epochs: int) -> float:
    """Return the largest norm after the projection in an epoch (from 1) of `epochs`.

    With eps = 1 - projection_limit, `schedule_as_written` is eps (1 - epoch / epochs), which loosens to 1, and
    `schedule_corrected` is eps 100^(epoch / epochs), which tightens exponentially. The others keep the limit.
    """
    eps, progress = 1.0 - options.projection_limit, epoch / max(epochs, 1)
    match options.projection:
        case "schedule_as_written":
            return 1.0 - eps * (1.0 - progress)
        case "schedule_corrected":
            return max(1.0 - eps * TIGHTENING**progress, 0.0)
    return options.projection_limit


class DenseTrainer:
    """The table and Adam's moments, trained in place an epoch at a time; rows may leave the ball."""

    def __init__(self, problem: Problem) -> None:
        """Start at the problem's layout, rounded to float32."""
        self._problem = problem
        self._tree = TreeArrays.of(problem.tree).as_tuple()
        self._pairs = (problem.ancestor, problem.descendant, problem.weight, problem.factor)
        self._target = norm_of_radius(problem.target).astype(np.float32)
        self._tanh = problem.options.optimizer.legacy_adam.parametrization == "tangent_space"
        length = problem.start.radius if self._tanh else norm_of_radius(problem.start.radius)
        self._rows = np.ascontiguousarray((length[:, None] * problem.start.direction).T, np.float32)
        self._momentum, self._second = np.zeros_like(self._rows), np.zeros_like(self._rows)
        self._steps = np.zeros(1, np.int64)

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch; loss is the weighted mean of the objective, without the regulariser."""
        options, order = self._problem.options, self._problem.order(epoch)
        dense, rate = options.optimizer.legacy_adam, self._problem.learning_rate(epoch)
        limit = projection_limit(dense, epoch, options.max_epochs)
        losses, weights, largest, beyond, named = dense_kernel.epoch(
            self._rows,
            (self._momentum, self._second, self._steps),
            self._target,
            self._tree,
            self._pairs,
            order,
            (options.sampler.num_negatives, SAMPLERS[options.sampler.negative_sampler], self._problem.margins),
            (options.batch_size, rate, options.loss.radius_penalty, dense.clip_norm),
            (self._tanh, dense.radial_nudge, limit, dense.projection == "all_rows", dense.project_all_every),
            (options.seed, epoch),
        )
        return {
            "loss": losses / max(weights, 1e-300),
            "items": float(len(order)),
            **self._diagnostics(largest, beyond, named, len(order)),
            "false_negatives": false_negatives(self._problem, self._tree, order, epoch),
            "learning_rate": rate,
        }

    def state(self) -> State:
        """Rows (d, N) and Adam's moments; the order and the negatives follow from seed and epoch."""
        return State(
            {"rows": self._rows, "momentum": self._momentum, "second_moment": self._second, "steps": self._steps}
        )

    def load(self, state: State) -> None:
        """Become what `state` gave."""
        self._rows, self._momentum = state.tensors["rows"].copy(), state.tensors["momentum"].copy()
        self._second, self._steps = state.tensors["second_moment"].copy(), state.tensors["steps"].copy()

    def weights(self) -> State:
        """The points by id: drawn to a norm of at most 1 - 1e-5 as a layout, and their norms as trained."""
        norm = self._norm()
        inside = np.minimum(norm, LARGEST_NORM)
        direction = from_ball(self._rows.T * (0.5 / np.maximum(self._lengths(), 1e-30))[:, None]).direction
        return pack_weights(self._problem.tree, Layout(radius_of_norm(inside), direction), norm)

    def _lengths(self) -> NDArray[np.float64]:
        lengths: NDArray[np.float64] = np.linalg.norm(self._rows.astype(np.float64), axis=0)
        return lengths

    def _norm(self) -> NDArray[np.float64]:
        """(N,) Euclidean norms of the points, which may be above 1."""
        return norm_of_radius(self._lengths()) if self._tanh else self._lengths()

    def _diagnostics(self, largest: float, beyond: int, named: int, pairs: int) -> dict[str, float]:
        norm = self._norm()
        reached = float(norm_of_radius(largest)) if self._tanh else largest
        return {
            **norm_numbers(self._problem.tree.depth, norm),
            "max_radius": float(radius_of_norm(np.minimum(norm, LARGEST_NORM)).max()),
            "max_norm_before_projection": max(reached, float(norm.max())),
            "share_outside_before_projection": beyond / max(named, 1),
            "rows_per_batch": named / -(-pairs // self._problem.options.batch_size),
            "rows_moved_per_batch": float(len(norm)),
        }
