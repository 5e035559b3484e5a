"""What the catalog asserts when a table of this family is saved."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.senses.data.relations import ANTONYM
from terrarium.senses.data.splitting import PARTS

_TOLERANCE = 1e-3


def vectors_have_length_one(vectors: pd.DataFrame) -> None:
    """Refuse vectors that are not of length 1, naming the first sense."""
    columns = [column for column in vectors.columns if column.startswith("x") and column[1:].isdigit()]
    length = np.linalg.norm(vectors[columns].to_numpy(), axis=1)
    wrong = np.abs(length - 1) > _TOLERANCE
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ValueError(
            f"{int(wrong.sum()):,} vectors do not have length 1, such as {vectors['sense_key'].iloc[first]} with "
            f"{length[first]:.4g}: train again with --tags=training,evaluation"
        )


def antonyms_are_there(pairs: pd.DataFrame) -> None:
    """Refuse pairs without antonyms to train on."""
    kept = pairs[pairs["relation"] == ANTONYM]
    if len(kept) and not (kept["part"] == PARTS.index("train")).any():
        raise ValueError("all antonyms are held out: lower senses.features.antonym_test_share")
