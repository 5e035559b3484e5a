"""A constructed layout that one node of a pipeline builds and others read."""

from __future__ import annotations

from typing import Any

from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.layouts.initial import constructed_layout
from terrarium.hyperbolic.options import ModelOptions
from terrarium.training.checkpointing.state import State

_DECIDING = ("dim", "construction", "max_radius", "missed_weight", "leaf_radius", "seed")


def store_layout(tree: Hierarchy, model: ModelOptions, layout: Layout, target: Float64Array) -> State:
    """Return a layout with the tree and the options that it was constructed from, and the target radii.

    Args:
        tree: N nodes.
        model: its construction is named, its largest radius that of the layout.
        layout: the layout that they give.
        target: (N,) target radii.
    """
    arrays = {"radius": layout.radius, "direction": layout.direction, "target_radius": target}
    return State(arrays, _key(tree, model))


def stored_layout(stored: State, tree: Hierarchy, model: ModelOptions, lengths: Float64Array | None = None) -> Layout:
    """Return the stored layout, or construct it where it was stored for another tree or with other options.

    Args:
        stored: from `store_layout`.
        tree: N nodes.
        model: as for `constructed_layout`.
        lengths: (N,) branch lengths; None where the tree has none.
    """
    if dict(stored.metadata) != _key(tree, model):
        return constructed_layout(tree, model, lengths)
    return Layout(stored.tensors["radius"], stored.tensors["direction"])


def _key(tree: Hierarchy, model: ModelOptions) -> dict[str, Any]:
    return {"taxa": tree.fingerprint(), **model.model_dump(mode="json", include=set(_DECIDING))}
