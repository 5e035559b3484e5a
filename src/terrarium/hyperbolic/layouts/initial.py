"""Layouts that need no training: where training starts, and what a trained layout is compared with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.common.vectors import normalize_rows
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout, from_ball
from terrarium.hyperbolic.layouts.combinatorial import construct
from terrarium.hyperbolic.layouts.graphs.nested import nested_layout
from terrarium.hyperbolic.layouts.nested import MIN_DIM
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.hyperbolic.options import ConstructionName, LossName, ModelOptions

Construct = Callable[[Hierarchy, ModelOptions, Float64Array | None], Layout]
"""A function with the arguments of `constructed_layout`."""
UNIFORM_HALF_WIDTH = 1e-3
CONSTRUCTIONS: tuple[ConstructionName, ...] = ("rays", "cones", "caps", "combinatorial")
MIN_CONE_DIM = 6
"""Cones are the default from this dimension on: below it their codes are too dense for crowded nodes."""
_NESTED = {"cones", "caps"}
_FREE_DEPTH = 3
_OFF_ORIGIN = 0.01


def initial_layout(
    tree: Hierarchy,
    target: Float64Array,
    model: ModelOptions,
    loss: LossName,
    lengths: Float64Array | None = None,
    construct_with: Construct | None = None,
) -> Layout:
    """Return the layout that training starts from.

    `model.init` chooses directions at the target radii, or (uniform) points around the origin. Constructed directions
    are those of the layout whose largest radius is the largest target.

    Args:
        tree: N nodes.
        target: (N,) target radii.
        model: dimension, initial layout, largest radius and seed.
        loss: the loss of the training.
        lengths: (N,) branch lengths, for the constructed layout; None where the tree has none.
        construct_with: what makes the constructed layout; None: `constructed_layout`.
    """
    match model.init:
        case "uniform":
            return uniform_layout(len(tree), model.dim, model.seed)
        case "constructed":
            fitting = fit_to(tree, model, target, loss, lengths)
            return Layout(target, (construct_with or constructed_layout)(tree, fitting, lengths).direction)
        case "random":
            return Layout(target, random_directions(len(tree), model.dim, model.seed))
    return Layout(target, inherited_directions(tree, model.dim, model.init_noise, model.seed))


def untrained_layouts(
    tree: Hierarchy,
    target: Float64Array,
    model: ModelOptions,
    loss: LossName,
    lengths: Float64Array | None = None,
    construct_with: Construct | None = None,
) -> dict[str, Layout]:
    """Return the layouts that a trained one is compared with, all with the same largest radius.

    Returns:
        The constructed layouts by name, that of the model first; inherited and random, at the target radii.
        Arguments as for `initial_layout`.
    """
    fitting = fit_to(tree, model, target, loss, lengths)
    own = fitting.construction
    names = [own, *(name for name in constructions(model.dim) if name != own)]
    make = construct_with or constructed_layout
    constructed: dict[str, Layout] = {
        name: make(tree, fitting.model_copy(update={"construction": name}), lengths) for name in names
    }
    return {
        **constructed,
        "inherited": Layout(target, inherited_directions(tree, model.dim, model.init_noise, model.seed)),
        "random": Layout(target, random_directions(len(tree), model.dim, model.seed)),
    }


def constructions(dim: int) -> list[ConstructionName]:
    """Return the names of the layouts that can be constructed in a dimension."""
    return [name for name in CONSTRUCTIONS if dim >= MIN_DIM or name not in _NESTED]


def fit_to(
    tree: Hierarchy, model: ModelOptions, target: Float64Array, loss: LossName, lengths: Float64Array | None = None
) -> ModelOptions:
    """Return the model with its construction named, and no larger radius than the largest target."""
    radius = min(float(target.max()), model.max_radius)
    return name_construction(model, loss, lengths).model_copy(update={"max_radius": radius})


def name_construction(model: ModelOptions, loss: LossName, lengths: Float64Array | None = None) -> ModelOptions:
    """Return the model with its construction named where it is `auto`.

    It is caps for distance_softmax. Otherwise it is rays in few dimensions and for branch lengths, else cones.

    Args:
        model: dimension and construction.
        loss: the loss of the training.
        lengths: (N,) branch lengths; None where the tree has none.
    """
    if model.construction != "auto":
        return model
    name: ConstructionName = "rays"
    if loss == "distance_softmax":
        name = "caps"
    elif lengths is None and model.dim >= MIN_CONE_DIM:
        name = "cones"
    return model.model_copy(update={"construction": name})


def constructed_layout(tree: Hierarchy, model: ModelOptions, lengths: Float64Array | None = None) -> Layout:
    """Return the layout that `model.construction` names, within `model.max_radius`.

    Args:
        tree: N nodes.
        model: dimension, construction, largest radius and seed; of caps and cones, how they are refitted.
        lengths: (N,) length of the branch above each node, 0 at the root; None where the tree has none.

    Raises:
        ValueError: the construction is `auto`; call `name_construction` first.
    """
    match model.construction:
        case "rays":
            return ray_layout(tree, model.dim, model.max_radius, lengths)
        case "caps" | "cones":
            return nested_layout(tree, model, lengths)
        case "combinatorial":
            return construct(tree, model.dim, model.max_radius, lengths)
    raise ValueError("construction auto depends on the loss: name the construction first")


def random_directions(count: int, dim: int, seed: int) -> Float64Array:
    """Return (count, dim) independent uniform directions."""
    return normalize_rows(np.random.default_rng(seed).normal(size=(count, dim)))


def inherited_directions(tree: Hierarchy, dim: int, noise: float, seed: int) -> Float64Array:
    """Return (N, dim) directions, each its parent's plus a random step, normalized.

    Args:
        tree: N nodes.
        dim: dimension.
        noise: length of the step below depth 3. Down to that depth it is 1, so that the first branches part.
        seed: seed of the steps.
    """
    steps = random_directions(len(tree), dim, seed)
    steps[tree.depth > _FREE_DEPTH] *= noise
    directions = steps.copy()
    for rows in tree.rows_by_depth():
        directions[rows] = normalize_rows(directions[tree.parent[rows]] + steps[rows])
    return directions


def uniform_layout(count: int, dim: int, seed: int) -> Layout:
    """Return points with coordinates from U(-0.001, 0.001), whatever the depth (Nickel and Kiela 2017)."""
    width = UNIFORM_HALF_WIDTH
    return from_ball(np.random.default_rng(seed).uniform(-width, width, size=(count, dim)))


def move_off_origin(layout: Layout) -> Layout:
    """Return the layout with points at the origin, which have no direction, moved a little along the first axis."""
    at_origin = layout.radius == 0.0
    direction = layout.direction.copy()
    direction[at_origin] = np.eye(layout.dim)[0]
    return Layout(np.where(at_origin, _OFF_ORIGIN, layout.radius), direction)
