"""Quality against the largest radius: every constructed layout, trained and not, and what float32 keeps of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.distortion import distortion
from terrarium.hyperbolic.evaluation.norms import depth_correlations
from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.geometry.ball import Layout, from_ball, to_ball
from terrarium.hyperbolic.layouts.initial import (
    constructed_layout,
    constructions,
    move_off_origin,
    name_construction,
)
from terrarium.hyperbolic.options import EvaluationOptions, ModelOptions
from terrarium.hyperbolic.training.factory import make_trainer
from terrarium.hyperbolic.training.problem import Problem
from terrarium.hyperbolic.training.weights import unpack_weights

logger = logging.getLogger(__name__)

_DISTORTION_PAIRS = 50_000


def measure_radii(
    problem: Problem, model: ModelOptions, options: EvaluationOptions, lengths: Float64Array | None = None
) -> pd.DataFrame:
    """Measure the constructed layouts at each of `options.radii`, and the one that training starts from also trained.

    Args:
        problem: the training; its start and its radii are replaced.
        model: dimension, construction and seed.
        options: radii, number of queries, and the size of the largest tree that is trained at each radius.
        lengths: (N,) length of the branch above each node; None where the tree has none.

    Returns:
        One row per layout, radius and precision: layout, max_radius, trained, precision (float64 or float32), and
        ancestor_map_detour, ancestor_map_distance, edge_map, hops_spearman, distortion_mean, depth_radius_pearson and
        the other metrics of reconstruction and distances.
    """
    loss = problem.options.loss.name
    trains = (
        loss != "construct"
        and model.init == "constructed"
        and problem.options.max_epochs > 0
        and len(problem.tree) <= options.max_radius_taxa
    )
    own = name_construction(model, loss, lengths).construction
    rows: list[dict[str, object]] = []
    for radius in options.radii:
        at_radius = model.model_copy(update={"max_radius": radius})
        for name in constructions(model.dim):
            fitting = at_radius.model_copy(update={"construction": name})
            layout = constructed_layout(problem.tree, fitting, lengths)
            rows += _rows(problem, name, radius, layout, options, trained=False)
            if name == own and trains:
                logger.info("hyperbolic: training %s at radius %g", name, radius)
                trained = _train(replace(problem, initial=move_off_origin(layout), target=layout.radius), radius)
                rows += _rows(problem, name, radius, trained, options, trained=True)
    return pd.DataFrame(rows)


def _rows(
    problem: Problem, name: str, radius: float, layout: Layout, options: EvaluationOptions, *, trained: bool
) -> Iterator[dict[str, object]]:
    for precision in ("float64", "float32"):
        kept = layout if precision == "float64" else through_float32(layout)
        head = {"layout": name, "max_radius": radius, "trained": trained, "precision": precision}
        yield {**head, **measure_reconstruction(problem.tree, kept, options, problem)}


def measure_reconstruction(
    tree: Hierarchy, layout: Layout, options: EvaluationOptions, problem: Problem
) -> dict[str, float]:
    """Return reconstruction, distortion and the correlation of depth and radius of a layout, on samples."""
    sample = choose_queries(tree, 0, options.num_radius_queries, options.seed)
    pairs = min(options.max_distortion_pairs, _DISTORTION_PAIRS)
    return {
        **depth_correlations(tree.depth, layout.radius),
        **reconstruct(tree, layout, sample).metrics(),
        **distortion(tree, layout, max_pairs=pairs, seed=options.seed, root_distance=problem.root_distance),
    }


def through_float32(layout: Layout) -> Layout:
    """Return what float32 ball coordinates keep of a layout; points that rounding puts on the sphere move inside."""
    points = to_ball(layout).astype(np.float32)
    norm = np.linalg.norm(points.astype(np.float64), axis=1)
    limit = float(np.nextafter(np.float32(1.0), np.float32(0.0)))
    inside = points * np.minimum(1.0, limit / np.maximum(norm, limit))[:, None]
    return from_ball(inside)


def _train(problem: Problem, radius: float) -> Layout:
    trainer = make_trainer(replace(problem, max_radius=radius))
    for epoch in range(1, problem.options.max_epochs + 1):
        trainer.epoch(epoch)
    return unpack_weights(trainer.weights())
