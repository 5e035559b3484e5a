import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.sources.columns import parse_numbers, read_columns, read_parquet, split_columns
from terrarium.sources.errors import SourceError

CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=5).map(str.strip)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_cells_are_read_back_as_they_were_written(delimiter, rows):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    table = split_columns(out.getvalue(), Path("t.csv"), "a and b")
    assert list(zip(table.columns["a"], table.columns["b"], strict=True)) == rows


def test_rows_are_named_by_their_lines(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\n1,"one, two"\n\n2,x\n')
    table = read_columns(tmp_path / "t.csv", "a and b")
    assert table.rows == [2, 4]
    assert "t.csv line 4: wrong; mend" in str(table.fault(1, "wrong", "mend"))


def test_a_quote_that_swallows_a_line_is_told(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\n1,"x\n2,y"\n')
    with pytest.raises(SourceError, match="line 2: a value has a tab or line break"):
        read_columns(tmp_path / "t.csv", "a and b")


def test_parquet_keeps_text_and_names_rows(tmp_path):
    frame = pd.DataFrame({"a": ["01", None], "b": [1.0, None], "c": pd.Categorical(["x", "y"]), "d": [1.5, 2.0]})
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_columns(tmp_path / "t.parquet", "a")
    assert table.columns == {"a": ["01", ""], "b": ["1", ""], "c": ["x", "y"], "d": ["1.5", "2"]}
    assert "t.parquet row 2: " in str(table.fault(1, "x", "y"))


def test_numbers_are_written_as_people_do(tmp_path):
    table = split_columns("n\n1\n-.5\n2e3\n", Path("t.csv"), "n")
    assert parse_numbers(table, "n") == [1.0, -0.5, 2000.0]
    for cell in ("nan", "inf", "1_000", "True", "1e999", "\u0663"):
        with pytest.raises(SourceError, match=r"line 2: .* is not a finite number"):
            parse_numbers(split_columns(f"n\n{cell}\n", Path("t.csv"), "n"), "n")


@given(content=st.binary(max_size=200))
def test_any_bytes_are_no_parquet_file(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "t.parquet"
    file.write_bytes(content)
    for read in (read_parquet, lambda path: read_columns(path, "a")):
        with pytest.raises(SourceError, match="cannot be read as Parquet"):
            read(file)
