"""Target radii: how far from the origin a node of a given depth should be."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from terrarium.common.arrays import Float64Array
from terrarium.hyperbolic.geometry.ball import radius_of_norm
from terrarium.hyperbolic.options import FeatureOptions


def target_radii(depth: ArrayLike, options: FeatureOptions, max_depth: int | None = None) -> Float64Array:
    """Return the hyperbolic target radius of each depth k, with K the largest depth.

    linear: norm = root + (leaf - root) k / K;
    logarithmic: norm = root + (leaf - root) ln(1 + k) / ln(1 + K);
    hyperbolic: radius from the root's to the deepest in equal steps.

    Args:
        depth: depths, of any shape.
        options: the schedule, and the Euclidean norms at depth 0 (root) and at depth K (leaf).
        max_depth: K; by default the largest depth given.

    Raises:
        ValueError: the schedule is construction.
    """
    k, root, leaf = np.asarray(depth, np.float64), options.root_norm, options.leaf_norm
    last = float(max(k.max() if max_depth is None else max_depth, 1))
    match options.radius_schedule:
        case "linear":
            return radius_of_norm(root + (leaf - root) * k / last)
        case "logarithmic":
            return radius_of_norm(root + (leaf - root) * np.log1p(k) / np.log1p(last))
        case "hyperbolic":
            first, final = radius_of_norm(root), radius_of_norm(leaf)
            return first + (final - first) * k / last
    raise ValueError("radius_schedule construction takes the radii of the constructed layout, not of the depth alone")
