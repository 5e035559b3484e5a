"""What the catalog asserts when a table of this family is saved."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.hyperbolic.data.build import MAX_ID
from terrarium.hyperbolic.geometry.precision import assert_inside_ball

_CHUNK = 4_000_000


def closure_is_exact(closure: pd.DataFrame) -> None:
    """Refuse a closure that is not that of a rooted hierarchy.

    Each taxon but the root has a row with difference 1, and one at least for each step up to its farthest ancestor; in
    a tree, where each has one parent, exactly one.

    A closure with cut lineages (`source.legacy.max_tax_id`) has gaps: it may have fewer rows than that, but none
    with an id above the cut.

    Raises:
        ValueError: naming the first taxon that is wrong.
    """
    cut = closure.attrs.get(MAX_ID)
    descendant, difference = closure["descendant"].to_numpy(), closure["depth_diff"].to_numpy()
    size = int(descendant.max(initial=-1)) + 1
    rows, parents, depth = np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int16)
    for start in range(0, len(closure), _CHUNK):
        taxon, step = descendant[start : start + _CHUNK], difference[start : start + _CHUNK]
        rows += np.bincount(taxon, minlength=size)
        parents += np.bincount(taxon[step == 1], minlength=size)
        np.maximum.at(depth, taxon, step)
    if cut is None:
        several = (parents > 1).any()
        wrong = (rows > 0) & ((parents < 1) | (rows < depth if several else rows != depth))
    else:
        above = max(int(closure["ancestor"].max()), size - 1)
        if above > cut:
            raise ValueError(f"the closure is cut above {cut} but names {above}; build it again with --tags=ingestion")
        wrong = (rows > depth) | (parents > 1)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ValueError(
            f"the closure is not that of a hierarchy: taxon {first} has {rows[first]} ancestors at depth "
            f"{depth[first]} ({int(wrong.sum())} such); build it again with --tags=ingestion"
        )


def vectors_are_inside(vectors: pd.DataFrame) -> None:
    """Refuse vectors that are not strictly inside the ball in the dtype that is saved."""
    columns = [column for column in vectors.columns if column.startswith("x") and column[1:].isdigit()]
    assert_inside_ball(vectors[columns].to_numpy(), vectors["name"].to_numpy())
