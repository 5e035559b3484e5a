"""The table that is handed out: a row a sense, with its names."""

from __future__ import annotations

import pandas as pd

from terrarium.senses.models.vectors import Vectors

NAMES = ["sense_key", "lemma", "pos", "synset"]


def sense_vectors(vectors: Vectors, senses: pd.DataFrame) -> pd.DataFrame:
    """Sense key, lemma, part of speech, synset, and x0 … of length 1."""
    rows = vectors.senses
    columns = pd.DataFrame(rows, columns=[f"x{i}" for i in range(rows.shape[1])])
    return pd.concat([senses[NAMES].reset_index(drop=True), columns], axis=1)
