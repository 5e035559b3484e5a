"""The reference recipes' training on the CPU: ball coordinates in float32, Adam over all rows in every batch."""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.hyperbolic.evaluation.norms import norm_statistics
from terrarium.hyperbolic.geometry.ball import Layout, from_ball, norm_of_radius, radius_of_norm
from terrarium.hyperbolic.legacy.adam import Moments, Table
from terrarium.hyperbolic.legacy.epoch import StepSettings, Task, train_epoch
from terrarium.hyperbolic.options import LegacyAdamOptions
from terrarium.hyperbolic.training.diagnostics import EpochSums, false_negative_fraction
from terrarium.hyperbolic.training.problem import Problem, margin_coefficients, pair_class_weights, pair_weights
from terrarium.hyperbolic.training.sampling.negatives import Pairs, sampler_settings
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import tree_arrays
from terrarium.hyperbolic.training.schedule import LearningRateSchedule
from terrarium.hyperbolic.training.weights import pack_weights
from terrarium.training.checkpointing.state import State

TIGHTENING = 100.0
"""Factor by which `schedule_corrected` moves the limit away from the sphere over all epochs."""
LARGEST_NORM = 1.0 - 1e-5
"""Norm to which points outside the ball are scaled where they become a layout."""


def projection_limit(options: LegacyAdamOptions, epoch: int, epochs: int) -> float:
    """Return the largest norm after the projection in an epoch (from 1) of `epochs`.

    With eps = 1 - projection_limit, `schedule_as_written` is eps (1 - epoch / epochs), which loosens to 1, and
    `schedule_corrected` is eps 100^(epoch / epochs), which tightens exponentially. The others keep the limit.
    """
    eps, progress = 1.0 - options.projection_limit, min(epoch / max(epochs, 1), 1.0)
    match options.projection:
        case "schedule_as_written":
            return 1.0 - eps * (1.0 - progress)
        case "schedule_corrected":
            return max(1.0 - eps * TIGHTENING**progress, 0.0)
    return options.projection_limit


class LegacyAdamTrainer:
    """The table and Adam's moments, trained in place one epoch at a time; rows may leave the ball."""

    def __init__(self, problem: Problem) -> None:
        """Start at the problem's initial layout, rounded to float32."""
        self._problem, self._legacy = problem, problem.options.optimizer.legacy_adam
        self._pair_sampler, self._schedule = problem.pair_sampler(), LearningRateSchedule(problem.options)
        margin, margin_slope = margin_coefficients(problem)
        self._task = Task(
            tree=tree_arrays(problem.tree),
            pairs=Pairs(problem.ancestor, problem.descendant, pair_weights(problem)),
            class_weight=pair_class_weights(problem),
            sampler=sampler_settings(problem.options),
            margin=margin,
            margin_slope=margin_slope,
        )
        self._target = norm_of_radius(problem.target).astype(np.float32)
        self._in_tangent_space = self._legacy.parametrization == "tangent_space"
        initial = problem.initial
        length = initial.radius if self._in_tangent_space else norm_of_radius(initial.radius)
        self._rows = np.ascontiguousarray((length[:, None] * initial.direction).T, np.float32)
        self._moments = Moments(np.zeros_like(self._rows), np.zeros_like(self._rows), np.zeros(1, np.int64))

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train one epoch; the loss is the weighted mean over the pairs, without the radius penalty."""
        options, legacy = self._problem.options, self._legacy
        order = self._pair_sampler.epoch(epoch, self._problem.epoch_rng(epoch))
        settings = StepSettings(
            batch_size=options.batch_size,
            learning_rate=self._schedule.rate(epoch),
            radius_penalty=options.loss.radius_penalty,
            clip_norm=legacy.clip_norm,
            in_tangent_space=self._in_tangent_space,
            nudge=legacy.radial_nudge,
            limit=projection_limit(legacy, epoch, options.schedule_length),
            project_all=legacy.projection == "all_rows",
            project_all_every=legacy.project_all_every,
        )
        num_rows = self._rows.shape[1]
        table = Table(self._rows, np.empty(num_rows, np.float32), np.empty(num_rows, np.float32), self._target)
        sums = train_epoch(table, self._moments, self._task, order, settings, Stream(options.seed, epoch))
        return {
            "loss": sums.mean_loss,
            "items": float(len(order)),
            **self._describe(sums, len(order)),
            "false_negatives": false_negative_fraction(self._problem, self._task.tree, order, epoch),
            "learning_rate": settings.learning_rate,
        }

    def state(self) -> State:
        """Return rows (d, N) and Adam's moments; order and negatives follow from seed and epoch."""
        moments = self._moments
        return State(
            {
                "rows": self._rows,
                "momentum": moments.first,
                "second_moment": moments.second,
                "steps": moments.steps,
            }
        )

    def load(self, state: State) -> None:
        """Become what `state` describes."""
        tensors = state.tensors
        self._rows = tensors["rows"].copy()
        self._moments = Moments(tensors["momentum"].copy(), tensors["second_moment"].copy(), tensors["steps"].copy())

    def weights(self) -> State:
        """Return the points by id, scaled to a norm of at most 1 - 1e-5, and their norms as trained."""
        norm = self._norm()
        inside = np.minimum(norm, LARGEST_NORM)
        direction = from_ball(self._rows.T * (0.5 / np.maximum(self._lengths(), 1e-30))[:, None]).direction
        return pack_weights(self._problem.tree, Layout(radius_of_norm(inside), direction), norm)

    def _lengths(self) -> Float64Array:
        """Return the (N,) norms of the stored rows."""
        return np.asarray(np.linalg.norm(self._rows.astype(np.float64), axis=0))

    def _norm(self) -> Float64Array:
        """Return the (N,) Euclidean norms of the points, which may be above 1."""
        return norm_of_radius(self._lengths()) if self._in_tangent_space else self._lengths()

    def _describe(self, sums: EpochSums, num_pairs: int) -> dict[str, float]:
        norm = self._norm()
        reached = float(norm_of_radius(sums.max_reached)) if self._in_tangent_space else sums.max_reached
        return {
            **norm_statistics(self._problem.tree.depth, norm),
            "max_radius": float(radius_of_norm(np.minimum(norm, LARGEST_NORM)).max()),
            "max_norm_before_projection": max(reached, float(norm.max())),
            "fraction_outside_before_projection": sums.num_beyond / max(sums.num_moved, 1),
            "rows_per_batch": sums.num_moved / -(-num_pairs // self._problem.options.batch_size),
            "rows_moved_per_batch": float(len(norm)),
        }
