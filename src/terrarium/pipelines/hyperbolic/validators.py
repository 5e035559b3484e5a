"""What the catalog asserts when a table of this family is saved."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.pipelines.hyperbolic.precision import assert_inside_ball


def closure_is_exact(closure: pd.DataFrame) -> None:
    """Refuse a closure that is not that of a tree.

    In a tree a taxon of depth k has exactly the ancestors 1 .. k steps up, so the sum of depths is the number of
    pairs, and each taxon but the root has one row with difference 1.

    Raises:
        ValueError: naming the first taxon that is wrong.
    """
    _, taxon = np.unique(closure["descendant"].to_numpy(), return_inverse=True)
    difference = closure["depth_diff"].to_numpy()
    rows = np.bincount(taxon)
    depth = np.zeros(len(rows), np.int64)
    np.maximum.at(depth, taxon, difference)
    parents = np.bincount(taxon[difference == 1], minlength=len(rows))
    wrong = (rows != depth) | (parents != 1)
    if wrong.any() or (difference < 1).any():
        first = closure["descendant"].to_numpy()[taxon == int(np.argmax(wrong))][0]
        raise ValueError(
            f"the closure is not that of a tree: taxon {first} has {rows[np.argmax(wrong)]} ancestors at depth "
            f"{depth[np.argmax(wrong)]} ({int(wrong.sum())} such); build it again with --tags=ingestion"
        )


def vectors_are_inside(vectors: pd.DataFrame) -> None:
    """Refuse vectors that are not strictly inside the ball in the dtype that is saved."""
    columns = [column for column in vectors.columns if column.startswith("x") and column[1:].isdigit()]
    assert_inside_ball(vectors[columns].to_numpy(), vectors["name"].to_numpy())
