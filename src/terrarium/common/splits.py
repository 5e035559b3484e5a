"""Checks of a split into train, validation and test: what belongs together is in one split."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.common.arrays import Int64Array


class SplitError(ValueError):
    """A split that cannot be made, that is empty, or that leaks."""


def undirected_keys(first: NDArray[np.integer], second: NDArray[np.integer], count: int) -> Int64Array:
    """Return a number for each pair of rows that does not depend on their order.

    Args:
        first, second: rows from 0 to count - 1, of equal shape.
        count: number of rows that exist; its square must be below 2^63.
    """
    low, high = np.minimum(first, second).astype(np.int64), np.maximum(first, second).astype(np.int64)
    return low * count + high


def leaking_keys(keys: NDArray[np.integer], split: pd.Series | NDArray[np.str_]) -> Int64Array:
    """Return the keys, ascending, that are in more than one split.

    Args:
        keys: (n,) what each row belongs to.
        split: (n,) split of each row.
    """
    codes = pd.factorize(split)[0]
    distinct = pd.DataFrame({"key": keys, "split": codes}).drop_duplicates()
    return np.unique(distinct["key"].to_numpy(np.int64)[distinct["key"].duplicated().to_numpy()])


def require_disjoint_splits(
    keys: NDArray[np.integer], split: pd.Series | NDArray[np.str_], unit: str, describe: Callable[[int], str]
) -> None:
    """Check that all rows with the same key are in one split.

    Args:
        keys: (n,) what each row belongs to.
        split: (n,) split of each row.
        unit: what a key stands for, in the plural, for the message.
        describe: returns the name of the unit that a row (0 to n - 1) belongs to.

    Raises:
        SplitError: a key is in two splits; the message names the first.
    """
    leaking = leaking_keys(keys, split)
    if len(leaking):
        first = int(np.argmax(np.isin(keys, leaking)))
        raise SplitError(
            f"{len(leaking):,} {unit} are in two splits, such as {describe(first)}: split again with --tags=features"
        )
