"""What the catalog asserts when a table of this family is saved."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.scenes.graphs.splitting import assert_disjoint


def scenes_stand_in_one_part(index: pd.DataFrame) -> None:
    """Refuse a table of graphs in which a scene stands in two parts, or a part is empty."""
    assert_disjoint(index)


def embeddings_are_finite(embeddings: pd.DataFrame) -> None:
    """Refuse embeddings with a number that is not finite, naming the first graph."""
    columns = [column for column in embeddings.columns if column.startswith("x") and column[1:].isdigit()]
    wrong = ~np.isfinite(embeddings[columns].to_numpy()).all(axis=1)
    if wrong.any():
        first = embeddings["graph_id"].iloc[int(np.argmax(wrong))]
        raise ValueError(
            f"{int(wrong.sum()):,} embeddings are not finite, such as that of {first}: train again with a lower "
            "scenes.training.schedule.learning_rate"
        )
