"""The scale at which a layout reaches the largest radius, and the shortest edge that survives rounding there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

ROUNDING = 0.25 * float(np.finfo(np.float64).eps)
"""At radius r rounding moves a float64 direction by a hyperbolic distance of at most about ROUNDING * sinh(r)."""
_GROWTH = 1.25
_TOLERANCE = 1e-6


def solve_scale(excess: Callable[[float], float], start: float) -> float:
    """Return the scale at which the excess of the largest radius over the wanted one is 0.

    Args:
        excess: an increasing function of the scale.
        start: where to look first, positive.
    """
    low = high = start
    while excess(low) > 0.0:
        low /= _GROWTH
    while excess(high) < 0.0:
        high *= _GROWTH
    return low if low == high else float(brentq(excess, low, high, xtol=_TOLERANCE * low))
