import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.common.splits import SplitError, leaking_keys, require_disjoint_splits, undirected_keys

ROWS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["train", "validation", "test"])), max_size=30)


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1))
def test_keys_of_pairs_are_equal_exactly_if_the_unordered_pairs_are(pairs):
    first, second = np.array(pairs).T
    keys = undirected_keys(first, second, 9)
    assert (keys == undirected_keys(second, first, 9)).all()
    unordered = {frozenset(pair) for pair in pairs}
    assert len(set(keys.tolist())) == len(unordered)


@given(ROWS)
def test_leaking_keys_are_those_in_more_than_one_split(rows):
    keys = np.array([key for key, _ in rows], np.int64)
    split = pd.Series([split for _, split in rows], dtype="str")
    expected = [key for key in sorted(set(keys.tolist())) if len({s for k, s in rows if k == key}) > 1]
    assert leaking_keys(keys, split).tolist() == expected
    assert leaking_keys(keys, split.astype("category")).tolist() == expected
    assert leaking_keys(keys, split.to_numpy(str)).tolist() == expected


def test_the_message_names_the_first_unit():
    keys = np.array([7, 3, 7, 3])
    with pytest.raises(SplitError, match=r"^2 pairs are in two splits, such as row 0: split again with --tags"):
        require_disjoint_splits(keys, np.array(["train", "train", "test", "test"]), "pairs", lambda row: f"row {row}")
    require_disjoint_splits(keys, np.array(["train", "test", "train", "test"]), "pairs", str)
