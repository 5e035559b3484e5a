"""Training on the CPU by the compiled kernel.

One thread gives the same bits for the same seed. Several share the points without locks (Recht et al. 2011): each
takes a part of the epoch's pairs, a step may overwrite another's, and no two runs are quite the same.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from terrarium.common.arrays import Int64Array
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.options import LossName
from terrarium.hyperbolic.training.cpu.epoch import Task, train_epoch
from terrarium.hyperbolic.training.cpu.gradients import (
    DETOUR,
    DISTANCE_SOFTMAX,
    MARGIN_RANKING,
    LossSettings,
    Points,
)
from terrarium.hyperbolic.training.cpu.step import Moments, StepSettings
from terrarium.hyperbolic.training.diagnostics import (
    EpochSums,
    describe_layout,
    false_negative_fraction,
    training_pairs,
)
from terrarium.hyperbolic.training.problem import Problem, joint_terms, margin_coefficients
from terrarium.hyperbolic.training.sampling.negatives import sampler_settings
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import tree_arrays
from terrarium.hyperbolic.training.schedule import LearningRateSchedule
from terrarium.hyperbolic.training.weights import pack_weights
from terrarium.training.checkpointing.state import State

_KINDS: dict[LossName, int] = {
    "margin_ranking": MARGIN_RANKING,
    "distance_softmax": DISTANCE_SOFTMAX,
    "detour": DETOUR,
    "joint": DETOUR,
    "construct": DETOUR,
}


class CpuTrainer:
    """The points and the optimizer's state, trained in place one epoch at a time."""

    def __init__(self, problem: Problem) -> None:
        """Start at the problem's initial layout."""
        self._problem = problem
        self._pair_sampler = problem.pair_sampler()
        self._schedule = LearningRateSchedule(problem.options)
        self._task = Task(
            tree=tree_arrays(problem.tree),
            pairs=training_pairs(problem),
            target=problem.target,
            loss=_loss_settings(problem),
            sampler=sampler_settings(problem.options),
            joint=joint_terms(problem),
        )
        self._radius = problem.initial.radius.copy()
        self._direction = np.array(problem.initial.direction, order="C")
        self._moments = Moments(
            radial=np.zeros_like(self._radius),
            angular=np.zeros_like(self._direction),
            second=np.zeros_like(self._radius),
            steps=np.zeros(len(self._radius), np.int64),
        )

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch; the loss is the weighted mean over the pairs, without the radius penalty."""
        options = self._problem.options
        order = self._pair_sampler.epoch(epoch, self._problem.epoch_rng(epoch))
        settings = StepSettings(
            batch_size=options.batch_size,
            learning_rate=self._schedule.rate(epoch),
            radius_penalty=options.loss.radius_penalty,
            max_radius=self._problem.max_radius,
            train_radius=options.optimizer.train_radius,
            adaptive=options.optimizer.name == "riemannian_adam",
        )
        points, stream = Points(self._radius, self._direction, np.exp(self._radius)), Stream(options.seed, epoch)

        def train(part: Int64Array) -> EpochSums:
            return train_epoch(points, self._moments, self._task, part, settings, stream)

        sums = add_up(run_in_threads(train, order, options.threads))
        return {
            "loss": sums.mean_loss,
            "items": float(len(order)),
            **describe_layout(self._problem, Layout(self._radius, self._direction), sums, len(order)),
            "false_negatives": false_negative_fraction(self._problem, self._task.tree, order, epoch),
            "learning_rate": settings.learning_rate,
        }

    def state(self) -> State:
        """Return points and the optimizer's state; order and negatives follow from seed and epoch."""
        return State(
            {
                "radius": self._radius,
                "direction": self._direction,
                "momentum_radius": self._moments.radial,
                "momentum_direction": self._moments.angular,
                "second_moment": self._moments.second,
                "steps": self._moments.steps,
            }
        )

    def load(self, state: State) -> None:
        """Become what `state` describes."""
        tensors = state.tensors
        self._radius, self._direction = tensors["radius"].copy(), tensors["direction"].copy()
        self._moments = Moments(
            radial=tensors["momentum_radius"].copy(),
            angular=tensors["momentum_direction"].copy(),
            second=tensors["second_moment"].copy(),
            steps=tensors["steps"].copy(),
        )

    def weights(self) -> State:
        """Return the points by id."""
        return pack_weights(self._problem.tree, Layout(self._radius.copy(), self._direction.copy()))


def run_in_threads(train: Callable[[Int64Array], EpochSums], order: Int64Array, num_threads: int) -> list[EpochSums]:
    """Split the order among threads that run at the same time; return what `train` gives for each part."""
    if num_threads == 1:
        return [train(order)]
    with ThreadPoolExecutor(num_threads) as pool:
        return list(pool.map(train, np.array_split(order, num_threads)))


def add_up(parts: list[EpochSums]) -> EpochSums:
    """Return the sums over several parts of an epoch; of the largest radii the largest counts."""
    losses, weights, reached, beyond, moved = zip(*parts, strict=True)
    return EpochSums(sum(losses), sum(weights), max(reached), sum(beyond), sum(moved))


def _loss_settings(problem: Problem) -> LossSettings:
    loss, (margin, slope) = problem.options.loss, margin_coefficients(problem)
    return LossSettings(
        kind=_KINDS[loss.name],
        margin=margin,
        margin_slope=slope,
        inverse_temperature=1.0 / loss.temperature,
        positive_weight=loss.positive_weight,
    )
