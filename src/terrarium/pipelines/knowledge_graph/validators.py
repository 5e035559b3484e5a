"""What the catalog asserts when a table of this family is saved."""

from __future__ import annotations

import pandas as pd

from terrarium.kge.data.graph import TEST, TRAIN
from terrarium.kge.data.splitting import assert_no_leak


def splits_are_there(triples: pd.DataFrame) -> None:
    """Refuse triples of which none is trained on, or none tested, that stand twice, or leak in a split made here."""
    for name in (TRAIN, TEST):
        if not (triples["split"] == name).any():
            raise ValueError(f"no triple is in the split {name}: give its file triples, or change the shares")
    repeated = triples.duplicated(["head", "relation", "tail", "split"])
    if repeated.any():
        row = triples[repeated].iloc[0]
        raise ValueError(f"{int(repeated.sum())} triples stand twice in a split, such as {tuple(row)}: split again")
    if not triples["given"].all():
        assert_no_leak(triples)
