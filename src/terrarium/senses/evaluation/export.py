"""The table of vectors that users load."""

from __future__ import annotations

import pandas as pd

from terrarium.senses.models.vectors import SenseVectors

NAME_COLUMNS = ["sense_key", "lemma", "pos", "synset"]


def sense_table(vectors: SenseVectors, senses: pd.DataFrame) -> pd.DataFrame:
    """Return one row per sense: sense_key, lemma, pos, synset, and its unit vector as x0, x1, ...

    Args:
        vectors: of all senses.
        senses: columns sense_key, lemma, pos and synset, in the order of the vectors.
    """
    columns = pd.DataFrame(vectors.senses, columns=[f"x{i}" for i in range(vectors.dim)])
    return pd.concat([senses[NAME_COLUMNS].reset_index(drop=True), columns], axis=1)
