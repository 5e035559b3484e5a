from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.cells import read_flags, read_lists, read_numbers, read_texts, require_columns

FILE = Path("t.parquet")


@pytest.mark.parametrize("value", [True, "1", None, np.nan, np.inf, 1e300, [1.0]])
def test_what_is_no_number(value):
    with pytest.raises(SourceError, match=r"t\.parquet row 2: n is .*, which is not a number"):
        read_numbers(pd.DataFrame({"n": pd.Series([1.5, value], dtype=object)}), "n", FILE)


@pytest.mark.parametrize("value", [True, "", " a", 1.5, None, np.nan, ["a"], "\ud800"])
def test_what_is_no_name(value):
    with pytest.raises(SourceError, match=r"row 2: n is .*, which is not a name"):
        read_texts(pd.DataFrame({"n": pd.Series(["a", value], dtype=object)}), "n", FILE)


def test_whole_numbers_are_names():
    assert read_texts(pd.DataFrame({"n": [7.0, 8.0]}), "n", FILE).tolist() == ["7", "8"]


def test_flags_are_true_and_false_or_1_and_0():
    assert read_flags(pd.DataFrame({"n": [1, 0]}), "n", FILE).tolist() == [True, False]
    with pytest.raises(SourceError, match=r"row 1: n is 2, which is not true or false"):
        read_flags(pd.DataFrame({"n": [2]}), "n", FILE)


@pytest.mark.parametrize("value", ["12", [1, "2"], [1, [2]], [], [np.nan], [1e300], None, [[1, 2]]])
def test_what_is_no_list_of_numbers(value):
    with pytest.raises(SourceError, match=r"row 1: n is .*, which is not a list"):
        read_lists(pd.DataFrame({"n": [value]}), "n", FILE, "a list", (-1,))


def test_columns_are_there_once():
    require_columns(pd.DataFrame({"a": [1]}), ("a",), FILE)
    for table in (pd.DataFrame({"b": [1]}), pd.DataFrame([[1, 2]], columns=["a", "a"])):
        with pytest.raises(SourceError, match=r"t\.parquet has no column a: it must have a"):
            require_columns(table, ("a",), FILE)
