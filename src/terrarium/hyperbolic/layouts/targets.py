"""Target radii: how far from the origin a taxon of a given depth should lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from terrarium.hyperbolic.geometry.ball import Floats, radius_of_norm
from terrarium.hyperbolic.options import RadiusSchedule


def target_radii(
    depth: ArrayLike, schedule: RadiusSchedule, root_norm: float, leaf_norm: float, deepest: int | None = None
) -> Floats:
    """Hyperbolic target radius of each depth k, K the deepest.

    linear: norm = root + (leaf - root) k / K (the documents: 0.1 + 0.85 k / K);
    logarithmic: norm = root + (leaf - root) ln(1 + k) / ln(1 + K);
    hyperbolic: radius from the root's to the deepest in equal steps of hyperbolic length.

    Args:
        depth: any shape.
        schedule: see above.
        root_norm, leaf_norm: Euclidean norms at depth 0 and at the deepest.
        deepest: K; by default the largest depth given.
    """
    k = np.asarray(depth, np.float64)
    last = float(max(k.max() if deepest is None else deepest, 1))
    match schedule:
        case "linear":
            return radius_of_norm(root_norm + (leaf_norm - root_norm) * k / last)
        case "logarithmic":
            return radius_of_norm(root_norm + (leaf_norm - root_norm) * np.log1p(k) / np.log1p(last))
        case "hyperbolic":
            first, final = radius_of_norm(root_norm), radius_of_norm(leaf_norm)
            return first + (final - first) * k / last
