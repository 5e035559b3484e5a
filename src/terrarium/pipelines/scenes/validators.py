"""What the catalog requires of the tables of this family when they are saved."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.common.schemas import require_schema
from terrarium.scenes.graphs.splitting import SPLITS, require_valid_split


def require_valid_graph_index(index: pd.DataFrame) -> None:
    """Refuse a table of graphs with wrong columns, a scene in two splits, or an empty split.

    Raises:
        TableError: a column is missing or has wrong values.
        SplitError: the split is wrong.
    """
    from pandera.pandas import Check, Column, DataFrameSchema

    last = len(index) - 1
    schema = DataFrameSchema(
        {
            "graph_id": Column(str, unique=True),
            "scene": Column(str),
            "source": Column(str),
            "map": Column(str),
            "time_s": Column(float, Check.ge(0, error="0 or more")),
            "nodes": Column(int, Check.ge(1, error="1 or more")),
            "edges": Column(int, Check.ge(0, error="0 or more")),
            "next_row": Column(int, Check.in_range(-1, last, error=f"from -1 to {last}")),
            "split": Column(str, Check.isin(SPLITS, error=f"one of {', '.join(SPLITS)}")),
        },
        strict=True,
    )
    require_schema(index, schema, "graph_index", "build it again with --tags=features", "graph_id")
    require_valid_split(index)


def require_finite_embeddings(embeddings: pd.DataFrame) -> None:
    """Refuse embeddings that are not finite.

    Raises:
        TableError: a column is missing, or a coordinate is not finite; the message names the first graph.
    """
    from pandera.pandas import Check, Column, DataFrameSchema

    finite = Check(np.isfinite, error="finite", ignore_na=False)
    schema = DataFrameSchema({"graph_id": Column(str), r"x\d+": Column(checks=finite, nullable=True, regex=True)})
    remedy = "train again with a lower scenes.training.optimizer.learning_rate"
    require_schema(embeddings, schema, "embeddings", remedy, "graph_id")
