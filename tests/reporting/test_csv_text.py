"""A table as CSV is the table again, and no cell of it is a formula."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.reporting.csv_text import to_csv_text

CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"])) | st.sampled_from(
    ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1"]
)


@given(st.lists(CELLS, min_size=1))
def test_no_text_starts_as_a_formula(names):
    header, *rows = csv.reader(io.StringIO(to_csv_text(pd.DataFrame({"name": names, "x": -1.5})), newline=""))
    assert header == ["name", "x"]
    for name, (written, number) in zip(names, rows, strict=True):
        assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert written in (name, f"'{name}")
        assert number == "-1.5"


@pytest.mark.parametrize("column", [[None, "=a"], pd.Categorical(["b", "=a"]), pd.array([None, "=a"], dtype="str")])
def test_columns_of_any_kind_of_text_are_escaped(column):
    assert "'=a" in to_csv_text(pd.DataFrame({"name": column, "is_leaf": [True, False]}))
