"""Training on the CPU by the compiled kernel.

One thread gives the same bits for the same seed. Several share the table without locks (Recht et al. 2011): each takes
a part of the epoch's pairs, a step may overwrite another's, and no two runs are quite the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.training import cpu_kernel as kernel
from terrarium.hyperbolic.training.negatives import TreeArrays
from terrarium.hyperbolic.training.problem import Problem, diagnostics, draw_options, false_negatives
from terrarium.hyperbolic.training.weights import pack_weights
from terrarium.training.checkpointing.state import State

Counts = tuple[float, float, float, int, int]


class KernelTrainer:
    """The table and the optimiser's state, trained in place an epoch at a time."""

    def __init__(self, problem: Problem) -> None:
        """Start at the problem's layout."""
        self._problem = problem
        self._tree = TreeArrays.of(problem.tree).as_tuple()
        self._pairs = (problem.ancestor, problem.descendant, problem.whole_weight)
        self._radius = problem.start.radius.copy()
        self._direction = np.array(problem.start.direction, order="C")
        self._momentum_r = np.zeros_like(self._radius)
        self._momentum_u = np.zeros_like(self._direction)
        self._second = np.zeros_like(self._radius)
        self._steps = np.zeros(len(self._radius), np.int64)

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch; loss is the weighted mean of the objective, without the regulariser."""
        options = self._problem.options
        rate = self._problem.learning_rate(epoch)
        kind, near, reach = draw_options(options)
        softmax = (
            self._problem.margins,
            1.0 / options.loss.temperature,
            options.loss.positive_weight,
            self._problem.stretch,
        )
        loss = (kind, options.sampler.num_negatives, near, reach, *softmax)
        order = self._problem.order(epoch)
        step = (
            *(
                options.batch_size,
                rate,
                options.loss.radius_penalty,
                self._problem.max_radius,
                options.optimizer.train_radius,
            ),
            options.optimizer.name == "riemannian_adam",
        )
        table = self._direction, np.exp(self._radius)
        state = self._momentum_r, self._momentum_u, self._second, self._steps

        def train(part: NDArray[np.int64]) -> Counts:
            seeds = options.seed, epoch
            return kernel.epoch(
                *(self._radius, table, state, self._problem.target, self._tree, self._pairs, part, loss, step, seeds)
            )

        losses, weights, largest, beyond, moved = _sum(in_threads(train, order, options.num_threads))
        return {
            "loss": losses / max(weights, 1e-300),
            "items": float(len(order)),
            **diagnostics(self._problem, self._layout(), largest, beyond, moved, len(order)),
            "false_negatives": false_negatives(self._problem, self._tree, order, epoch),
            "learning_rate": rate,
        }

    def state(self) -> State:
        """Points and the optimiser's state; the order and the negatives follow from seed and epoch."""
        return State(
            {
                "radius": self._radius,
                "direction": self._direction,
                "momentum_radius": self._momentum_r,
                "momentum_direction": self._momentum_u,
                "second_moment": self._second,
                "steps": self._steps,
            }
        )

    def load(self, state: State) -> None:
        """Become what `state` gave."""
        self._radius, self._direction = state.tensors["radius"].copy(), state.tensors["direction"].copy()
        self._momentum_r = state.tensors["momentum_radius"].copy()
        self._momentum_u = state.tensors["momentum_direction"].copy()
        self._second, self._steps = state.tensors["second_moment"].copy(), state.tensors["steps"].copy()

    def weights(self) -> State:
        """The points by id."""
        return pack_weights(self._problem.tree, Layout(self._radius.copy(), self._direction.copy()))

    def _layout(self) -> Layout:
        return Layout(self._radius, self._direction)


def in_threads(
    train: Callable[[NDArray[np.int64]], Counts], order: NDArray[np.int64], threads: int
) -> Iterable[Counts]:
    """What `train` gives for each of as many parts of the order as there are threads, all at once."""
    if threads == 1:
        return [train(order)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(train, np.array_split(order, threads)))


def _sum(parts: Iterable[Counts]) -> Counts:
    """Losses, weights, steps beyond the limit and steps add up; of the largest radii the largest counts."""
    losses, weights, largest, beyond, moved = zip(*parts, strict=True)
    return sum(losses), sum(weights), max(largest), sum(beyond), sum(moved)
