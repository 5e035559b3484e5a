"""What the catalog checks when a table of this family is saved."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.common.vectors import coordinates
from terrarium.senses.data.relations import ANTONYM

_TOLERANCE = 1e-3


def vectors_have_length_one(vectors: pd.DataFrame) -> None:
    """Check that all vectors (columns x0, x1, ...) have length 1.

    Raises:
        ValueError: some do not; the message names the first sense.
    """
    length = np.linalg.norm(coordinates(vectors), axis=1)
    wrong = np.abs(length - 1) > _TOLERANCE
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ValueError(
            f"{int(wrong.sum()):,} vectors do not have length 1, such as {vectors['sense_key'].iloc[first]} with "
            f"{length[first]:.4g}: train again with --tags=training,evaluation"
        )


def antonyms_are_trained(pairs: pd.DataFrame) -> None:
    """Check that some antonym pairs are in the training split, unless antonyms are not used at all.

    Raises:
        ValueError: all antonym pairs are held out.
    """
    antonyms = pairs[pairs["relation"] == ANTONYM]
    if len(antonyms) and not (antonyms["split"] == "train").any():
        raise ValueError("all antonyms are held out: lower senses.features.antonym_test_fraction")
