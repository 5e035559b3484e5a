"""Layouts as exported weights, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.compare import TRAINED
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.training.checkpointing.state import State


def pack_weights(tree: Hierarchy, layout: Layout, norm: NDArray[np.floating] | None = None) -> State:
    """Return a layout with the ids of its rows and the fingerprint of its tree.

    Args:
        tree: N nodes.
        layout: their points.
        norm: (N,) Euclidean norms as trained, where these may exceed 1 and the layout's cannot.
    """
    tensors = {"id": tree.ids, "radius": layout.radius, "direction": layout.direction}
    if norm is not None:
        tensors["norm"] = norm
    return State(tensors, {"taxa": tree.fingerprint(), "root": int(tree.ids[0]), "count": len(tree)})


def unpack_weights(weights: State) -> Layout:
    """Return the layout of exported weights."""
    return Layout(radius=weights.tensors["radius"], direction=weights.tensors["direction"])


def trained_norm(weights: State) -> Float64Array | None:
    """Return the (N,) Euclidean norms as trained, or None where they are those of the layout."""
    norm = weights.tensors.get("norm")
    return None if norm is None else norm.astype(np.float64)


def layout_name(weights: State) -> str:
    """Return `trained`, or, where nothing was trained, the name of the layout."""
    return str(weights.metadata.get("layout", TRAINED))
