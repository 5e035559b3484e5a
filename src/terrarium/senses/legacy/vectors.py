"""Sense vectors of NAOMI-II's item vectors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.senses.models.vectors import SenseVectors, unit_rows
from terrarium.training.checkpointing.state import State


def item_vectors(weights: State, items: pd.DataFrame, synsets: pd.DataFrame, senses: pd.DataFrame) -> SenseVectors:
    """Return vectors of senses and synsets: a sense has the vector of its item, a synset that of its first lemma.

    Args:
        weights: tensor items (V, D).
        items: columns lemma and type, one row per item.
        synsets: column type.
        senses: columns lemma and synset_row.
    """
    synset_row = senses["synset_row"].to_numpy()
    first = items.reset_index().drop_duplicates(["lemma", "type"]).set_index(["lemma", "type"])["index"]
    keys = pd.MultiIndex.from_arrays([senses["lemma"], synsets["type"].to_numpy()[synset_row]])
    rows = unit_rows(weights.tensors["items"])[first.reindex(keys).to_numpy(np.int64)]
    first_senses = np.flatnonzero(~senses["synset_row"].duplicated().to_numpy())
    synset_rows = rows[first_senses[np.argsort(synset_row[first_senses])]]
    return SenseVectors(synset_rows, rows, None, np.zeros(rows.shape[1], bool))
