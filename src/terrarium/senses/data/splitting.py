"""Which pairs are trained on, which choose the best epoch, and which are kept for the end.

A pair of ends goes to one part with all its relations and both its directions, so nothing that is asked for later was
seen before under another name.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.senses.data.relations import ANTONYM, RELATIONS
from terrarium.training.torch.seeding import generator

PARTS: tuple[str, ...] = ("train", "validation", "test")


class LeakError(ValueError):
    """A pair stands in two parts."""


def split_pairs(
    relations: pd.DataFrame, *, shares: tuple[float, float], antonyms: tuple[float, float], synsets: int, seed: int
) -> np.ndarray:
    """The part of each pair (0: train, 1: validation, 2: test).

    Args:
        relations: relation, head, tail.
        shares: of validation and of test.
        antonyms: the same of the antonym pairs; they are few, so they have shares of their own.
        synsets: number of synset rows.
        seed: of the choice.
    """
    key = undirected(relations["head"].to_numpy(), relations["tail"].to_numpy(), synsets)
    pairs, place = np.unique(key, return_inverse=True)
    opposed = np.zeros(len(pairs), bool)
    opposed[place[relations["relation"].to_numpy() == ANTONYM]] = True
    draw = generator(seed, "split").random(len(pairs))
    validation, test = (np.where(opposed, antonyms[i], shares[i]) for i in (0, 1))
    part = np.where(draw < test, 2, np.where(draw < test + validation, 1, 0))
    return part[place].astype(np.int8)


def undirected(head: np.ndarray, tail: np.ndarray, size: int) -> np.ndarray:
    """A number for each pair of rows that does not depend on their order."""
    low, high = np.minimum(head, tail).astype(np.int64), np.maximum(head, tail).astype(np.int64)
    return low * size + high


def assert_no_leak(pairs: pd.DataFrame, synsets: int) -> None:
    """Raise `LeakError` when a pair of ends stands in two parts, in whatever direction or relation."""
    key = undirected(pairs["head"].to_numpy(), pairs["tail"].to_numpy(), synsets)
    parts = pd.Series(pairs["part"].to_numpy()).groupby(key).nunique()
    if (parts > 1).any():
        first = int(parts.index[parts > 1][0])
        raise LeakError(
            f"{int((parts > 1).sum()):,} pairs stand in two parts, such as rows {first // synsets} and "
            f"{first % synsets}: build the pairs again with --tags=features"
        )


def relation_rows(pairs: pd.DataFrame, name: str, part: str) -> pd.DataFrame:
    """The pairs of a relation in a part."""
    wanted = (pairs["relation"] == RELATIONS.index(name)) & (pairs["part"] == PARTS.index(part))
    return pairs[wanted]
