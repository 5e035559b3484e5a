"""What the catalog requires of the tables of this family when they are saved."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.common.vectors import coordinates
from terrarium.scenes.graphs.splitting import SPLITS, require_valid_split


def require_valid_graph_index(index: pd.DataFrame) -> None:
    """Refuse a table of graphs with wrong columns, a scene in two splits, or an empty split.

    Raises:
        pandera.errors.SchemaError: a column is missing or has wrong values.
        SplitError: the split is wrong.
    """
    import pandera.pandas as pa

    pa.DataFrameSchema(
        {
            "graph_id": pa.Column(str, unique=True),
            "scene": pa.Column(str),
            "source": pa.Column(str),
            "map": pa.Column(str),
            "time_s": pa.Column(float, pa.Check.ge(0)),
            "nodes": pa.Column(int, pa.Check.ge(1)),
            "edges": pa.Column(int, pa.Check.ge(0)),
            "next_row": pa.Column(int, pa.Check.in_range(-1, len(index) - 1)),
            "split": pa.Column(str, pa.Check.isin(SPLITS)),
        },
        strict=True,
    ).validate(index)
    require_valid_split(index)


def require_finite_embeddings(embeddings: pd.DataFrame) -> None:
    """Refuse embeddings that are not finite; the ValueError names the first graph."""
    is_wrong = ~np.isfinite(coordinates(embeddings)).all(axis=1)
    if is_wrong.any():
        first = embeddings["graph_id"].iloc[int(np.argmax(is_wrong))]
        raise ValueError(
            f"{int(is_wrong.sum()):,} embeddings are not finite, such as that of {first}: train again with a lower "
            "scenes.training.schedule.learning_rate"
        )
