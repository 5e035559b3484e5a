"""Layouts that need no training: the start of training, and what a trained layout must beat."""

from __future__ import annotations

from typing import Literal

import numpy as np

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Floats, Layout, from_ball
from terrarium.hyperbolic.layouts.combinatorial import construct
from terrarium.hyperbolic.options import InitName

Directions = Literal["inherited", "constructed", "random"]
UNIFORM_HALF_WIDTH = 1e-3
_FREE_DEPTH = 3
_OFF_ORIGIN = 0.01


def random_directions(count: int, dim: int, seed: int) -> Floats:
    """(count, dim) independent uniform directions: the documents' start."""
    steps = np.random.default_rng(seed).normal(size=(count, dim))
    return steps / np.linalg.norm(steps, axis=1, keepdims=True)


def inherited_directions(tree: Hierarchy, dim: int, spread: float, seed: int) -> Floats:
    """(N, dim) directions, each its parent's plus a random unit step, normalised.

    Args:
        tree: N nodes.
        dim: dimension.
        spread: length of the step below depth 3; down to there it is 1, so that the first branches part.
        seed: of the steps.
    """
    steps = random_directions(len(tree), dim, seed)
    steps[tree.depth > _FREE_DEPTH] *= spread
    order, start = tree.levels()
    directions = steps.copy()
    for depth in range(1, tree.max_depth + 1):
        rows = order[start[depth] : start[depth + 1]]
        moved = directions[tree.parent[rows]] + steps[rows]
        directions[rows] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return directions


def initial_directions(
    tree: Hierarchy, init: Directions, dim: int, spread: float, max_radius: float, seed: int
) -> Floats:
    """(N, dim) directions of a start at the target radii; `max_radius` decides the edges of the constructed one."""
    match init:
        case "random":
            return random_directions(len(tree), dim, seed)
        case "constructed":
            return construct(tree, dim, max_radius).direction
        case "inherited":
            return inherited_directions(tree, dim, spread, seed)


def uniform_layout(count: int, dim: int, seed: int) -> Layout:
    """Ball coordinates from U(-0.001, 0.001), whatever the depth: the start of the documents' first model."""
    width = UNIFORM_HALF_WIDTH
    return from_ball(np.random.default_rng(seed).uniform(-width, width, size=(count, dim)))


def initial_layout(
    tree: Hierarchy, target: Floats, init: InitName, dim: int, spread: float, max_radius: float, seed: int
) -> Layout:
    """The chosen start: the target radii with its directions, or points about the origin."""
    if init == "uniform":
        return uniform_layout(len(tree), dim, seed)
    return Layout(target, initial_directions(tree, init, dim, spread, max_radius, seed))


def off_origin(layout: Layout) -> Layout:
    """The layout with its points at the origin moved a little along the first axis, as none of them has a direction."""
    at = layout.radius == 0.0
    direction = layout.direction.copy()
    direction[at] = np.eye(layout.dim)[0]
    return Layout(np.where(at, _OFF_ORIGIN, layout.radius), direction)


def untrained_layouts(
    tree: Hierarchy, target: Floats, *, dim: int, spread: float, max_radius: float, seed: int
) -> dict[str, Layout]:
    """What a trained layout is compared with: constructed, and inherited and random directions at target radii."""
    return {
        "constructed": construct(tree, dim, max_radius),
        "inherited": Layout(target, inherited_directions(tree, dim, spread, seed)),
        "random": Layout(target, random_directions(len(tree), dim, seed)),
    }
