"""What the catalog requires of the tables of this family when they are saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from terrarium.common.schemas import require_schema
from terrarium.common.vectors import coordinates
from terrarium.hyperbolic.data.build import MAX_ID
from terrarium.hyperbolic.geometry.precision import assert_inside_ball

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

_CHUNK = 4_000_000


def closure_schema() -> DataFrameSchema:
    """Return the columns of a closure: ids of ancestor and descendant, and their depth difference."""
    from pandera.pandas import Check, Column, DataFrameSchema

    return DataFrameSchema(
        {
            "ancestor": Column("int32"),
            "descendant": Column("int32"),
            "depth_diff": Column("int16", Check.ge(1, error="1 or more")),
        }
    )


def vectors_schema() -> DataFrameSchema:
    """Return the columns of exported vectors: a taxon, its hyperbolic radius and its ball coordinates x0, x1, ..."""
    from pandera.pandas import Check, Column, DataFrameSchema

    return DataFrameSchema(
        {
            "id": Column("int32", unique=True),
            "name": Column(str),
            "rank": Column(str),
            "depth": Column("int16", Check.ge(0, error="0 or more")),
            "parent": Column("int32", Check.ge(-1, error="-1 or more")),
            "radius": Column("float64", Check.ge(0.0, error="0 or more")),
            r"x\d+": Column("float64", regex=True),
        }
    )


def radius_schema() -> DataFrameSchema:
    """Return the columns of quality against radius; further columns are metrics."""
    from pandera.pandas import Check, Column, DataFrameSchema

    return DataFrameSchema(
        {
            "layout": Column(str),
            "max_radius": Column("float64", Check.gt(0.0, error="more than 0")),
            "trained": Column(bool),
            "precision": Column(str, Check.isin(["float64", "float32"])),
        }
    )


def require_radius_metrics(radius_metrics: pd.DataFrame) -> None:
    """Refuse a table of quality against radius without its keys.

    Raises:
        TableError: a column is missing or has wrong values.
    """
    require_schema(radius_metrics, radius_schema(), "radius_metrics", "measure again with --tags=evaluation")


def require_exact_closure(closure: pd.DataFrame) -> None:
    """Refuse a closure that is not that of a rooted hierarchy.

    Each taxon except the root has a row with difference 1, and at least one for each step up to its farthest ancestor;
    in a tree, where each taxon has one parent, exactly one. A closure up to an id (`source.legacy.max_tax_id`) has
    gaps: it may have fewer rows, but none with a larger id.

    Raises:
        TableError: a column is missing or has wrong values.
        ValueError: the closure is wrong; the message names the first taxon.
    """
    require_schema(closure, closure_schema(), "closure", "build it again with --tags=ingestion")
    max_id = closure.attrs.get(MAX_ID)
    descendant, difference = closure["descendant"].to_numpy(), closure["depth_diff"].to_numpy()
    size = int(descendant.max(initial=-1)) + 1
    rows, parents, depth = np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int16)
    for start in range(0, len(closure), _CHUNK):
        taxon, steps = descendant[start : start + _CHUNK], difference[start : start + _CHUNK]
        rows += np.bincount(taxon, minlength=size)
        parents += np.bincount(taxon[steps == 1], minlength=size)
        np.maximum.at(depth, taxon, steps)
    if max_id is None:
        is_dag = (parents > 1).any()
        is_wrong = (rows > 0) & ((parents < 1) | (rows < depth if is_dag else rows != depth))
    else:
        largest = max(int(closure["ancestor"].max()), size - 1)
        if largest > max_id:
            raise ValueError(
                f"the closure is cut above id {max_id} but names {largest}: build it again with --tags=ingestion"
            )
        is_wrong = (rows > depth) | (parents > 1)
    if is_wrong.any():
        first = int(np.argmax(is_wrong))
        raise ValueError(
            f"the closure is not that of a hierarchy: taxon {first} has {rows[first]} ancestors at depth "
            f"{depth[first]} ({int(is_wrong.sum())} such taxa): build it again with --tags=ingestion"
        )


def require_points_inside(vectors: pd.DataFrame) -> None:
    """Refuse vectors that are not strictly inside the ball in the dtype that is saved.

    Raises:
        TableError: a column is missing or has wrong values.
        ValueError: a point is on or outside the sphere; the message names the first taxa.
    """
    require_schema(vectors, vectors_schema(), "vectors", "train again with --tags=training,evaluation", "name")
    assert_inside_ball(coordinates(vectors), vectors["name"].to_numpy())
