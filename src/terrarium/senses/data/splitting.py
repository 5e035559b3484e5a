"""Split of the relation pairs into train, validation and test.

Two synsets belong to one split with all their relations in both directions, so no evaluated pair was trained on under
another name.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.common.splits import require_disjoint_splits, undirected_keys
from terrarium.senses.data.relations import ANTONYM, RELATIONS
from terrarium.training.torch.seeding import generator

SPLITS: tuple[str, ...] = ("train", "validation", "test")


class Fractions(NamedTuple):
    """Fractions of the pairs in the validation and the test split."""

    val: float
    test: float


def split_pairs(
    relations: pd.DataFrame, *, fractions: Fractions, antonym_fractions: Fractions, synsets: int, seed: int
) -> NDArray[np.str_]:
    """Return the split of each pair.

    Args:
        relations: columns relation (number in RELATIONS), head and tail (synset rows).
        fractions: of the pairs of all relations but antonyms.
        antonym_fractions: of the antonym pairs, which are few.
        synsets: number of synsets.
        seed: of the draw.

    Returns:
        Array of shape (len(relations),) with values of SPLITS.
    """
    key = undirected_keys(relations["head"].to_numpy(), relations["tail"].to_numpy(), synsets)
    keys, pair = np.unique(key, return_inverse=True)
    is_antonym = np.zeros(len(keys), bool)
    is_antonym[pair[relations["relation"].to_numpy() == ANTONYM]] = True
    draw = generator(seed, "split").random(len(keys))
    val = np.where(is_antonym, antonym_fractions.val, fractions.val)
    test = np.where(is_antonym, antonym_fractions.test, fractions.test)
    split = np.where(draw < test, 2, np.where(draw < test + val, 1, 0))
    return np.array(SPLITS)[split[pair]]


def require_no_leak(pairs: pd.DataFrame, synsets: int) -> None:
    """Check that no pair of synsets is in two splits, in any relation or direction.

    Args:
        pairs: columns head, tail and split.
        synsets: number of synsets.

    Raises:
        SplitError: a pair is in two splits.
    """
    head, tail = pairs["head"].to_numpy(), pairs["tail"].to_numpy()
    keys = undirected_keys(head, tail, synsets)
    require_disjoint_splits(keys, pairs["split"], "pairs", lambda row: f"rows {head[row]} and {tail[row]}")


def select_pairs(pairs: pd.DataFrame, relation: str, split: str) -> pd.DataFrame:
    """Return the pairs of one relation in one split.

    Args:
        pairs: columns relation (number in RELATIONS) and split.
        relation: name of the relation, such as antonym.
        split: train, validation or test.
    """
    return pairs[(pairs["relation"] == RELATIONS.index(relation)) & (pairs["split"] == split)]
