"""Measurements of statements of "Taxonomy fixes"."""

from __future__ import annotations

import math

import numpy as np

from terrarium.claims.measurements.measure import Family, Measured, named
from terrarium.claims.measurements.taxonomy_optimizations import NODES
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import to_ball
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.hyperbolic.legacy.trainer import projection_limit
from terrarium.hyperbolic.options import LegacyAdamOptions
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage

_EPOCHS = 10_000
_CLADE = "Primates"


def invalid_distances(seed: int) -> Measured:
    """Return the percentage of distances between a point of norm 1.45 and points inside that are not defined."""
    rng = np.random.default_rng(seed)
    inside = rng.standard_normal((1000, 10))
    inside *= rng.uniform(0.0, 0.99, (1000, 1)) / np.linalg.norm(inside, axis=1, keepdims=True)
    outside = np.full(10, 1.45 / math.sqrt(10.0))
    square = ((inside - outside) ** 2).sum(axis=1)
    argument = 1.0 + 2.0 * square / ((1.0 - 1.45**2) * (1.0 - (inside**2).sum(axis=1)))
    return Measured([100.0 * np.mean(argument < 1.0)], " %")


def norm_without_training(_seed: int) -> Measured:
    """Return the largest norm of a layout of primates that ranks ancestors: below 1, as every radius has its norm."""
    table = NcbiPackage().clade(_CLADE)
    tree = Hierarchy.from_parents(table["id"], table["parent"])
    return Measured([float(np.linalg.norm(to_ball(ray_layout(tree, 10, 12.0)), axis=1).max())])


def penalty_gradient(_seed: int) -> Measured:
    """Return the gradient of the radius penalty on a row whose norm is off by 0.3, with weight 0.1."""
    return Measured([2.0 * 0.1 * 0.3 / NODES])


def last_limit_as_written(_seed: int) -> Measured:
    """Return the projection limit of the schedule as written in the last epoch minus that in the first."""
    return Measured([_limit("schedule_as_written", _EPOCHS) - _limit("schedule_as_written", 1)])


def reduction_of_norm(_seed: int) -> Measured:
    """Return by how many per cent the system's largest norm fell, from 2.18 to 1.45."""
    return Measured([100.0 * (1.0 - 1.45 / 2.18)], " %")


def _limit(projection: str, epoch: int) -> float:
    options = LegacyAdamOptions.model_validate(
        {
            "clip_norm": 1.0,
            "projection": projection,
            "projection_limit": 1.0 - 1e-5,
            "project_all_every": 0,
            "parametrization": "ball",
            "radial_nudge": 0.0,
        }
    )
    return projection_limit(options, epoch, _EPOCHS)


MEASUREMENTS = Family(
    small=named(invalid_distances, norm_without_training, penalty_gradient, last_limit_as_written, reduction_of_norm),
    large=named(),
)
