"""What rounding does to a layout, and the guarantee that saved points lie inside the ball."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from terrarium.hyperbolic.geometry.ball import Layout, to_ball

SAFE_RADIUS_FLOAT64 = 34.0
"""Hyperbolic radius up to which distances of float64 ball points are accurate to a few per cent."""
SAFE_RADIUS_FLOAT32 = 15.0
_NAMED = 5


def row_norms(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the (N,) Euclidean norms of (N, d) rows, computed in their own dtype."""
    norms: NDArray[np.floating] = np.linalg.norm(np.asarray(points), axis=1)
    return norms


def precision_report(layout: Layout) -> dict[str, float]:
    """Return what is lost when the layout is written as ball points.

    past_safe_radius_float64, past_safe_radius_float32: fraction of taxa beyond radius 34 and 15;
    duplicates_float64, duplicates_float32: rows that equal an earlier row as ball points of that dtype;
    outside_float32: fraction of rows whose float32 ball point has a norm of 1 or more;
    max_radius, max_norm: largest hyperbolic radius, largest norm of the float64 ball points.
    """
    points = to_ball(layout)
    narrow = points.astype(np.float32)
    return {
        "past_safe_radius_float64": float(np.mean(layout.radius > SAFE_RADIUS_FLOAT64)),
        "past_safe_radius_float32": float(np.mean(layout.radius > SAFE_RADIUS_FLOAT32)),
        "duplicates_float64": float(duplicate_rows(points)),
        "duplicates_float32": float(duplicate_rows(narrow)),
        "outside_float32": float(np.mean(~(row_norms(narrow) < 1.0))),
        "max_radius": float(layout.radius.max()),
        "max_norm": float(row_norms(points).max()),
    }


def duplicate_rows(points: NDArray[np.floating]) -> int:
    """Return how many rows equal an earlier row exactly; 0.0 equals -0.0."""
    return int(pd.DataFrame(np.asarray(points)).duplicated().sum())


def assert_inside_ball(points: NDArray[np.floating], names: ArrayLike | None = None) -> None:
    """Refuse ball points that are not finite or not strictly inside, judged in the dtype of the points.

    Args:
        points: (N, d) floating point, as they will be saved.
        names: (N,) what to call the rows in the error; their numbers by default.

    Raises:
        TypeError: the points are not floating point.
        ValueError: a row that is not finite or has a norm of 1 or more; the first such taxa are named.
    """
    x = np.asarray(points)
    if x.ndim != 2 or not np.issubdtype(x.dtype, np.floating):
        raise TypeError(f"ball points are a 2-d array of floats, not {x.ndim}-d {x.dtype}")
    norm = row_norms(x)
    broken = ~np.asarray(np.isfinite(x).all(axis=1))
    if broken.any():
        raise ValueError(
            f"{_named(broken, names)} not finite: the layout is broken, train again from a good checkpoint"
        )
    outside = ~np.asarray(norm < 1.0, np.bool_)
    if outside.any():
        raise ValueError(
            f"{_named(outside, names)} not strictly inside the ball in {x.dtype} (largest norm {norm.max():.9g}): "
            "lower model.max_radius or save in a wider dtype"
        )


def _named(bad: NDArray, names: ArrayLike | None) -> str:
    rows = np.flatnonzero(bad)
    labels = rows[:_NAMED] if names is None else np.asarray(names)[rows[:_NAMED]]
    listed = ", ".join(str(label) for label in labels) + (", …" if len(rows) > _NAMED else "")
    return f"{len(rows)} of {len(bad)} rows ({listed})"
