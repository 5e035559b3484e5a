import numpy as np
import pandas as pd
import pytest
from pandera.pandas import Check, Column, DataFrameSchema

from terrarium.common.schemas import TableError, require_schema

SCHEMA = DataFrameSchema(
    {
        "id": Column("int32", unique=True),
        "depth": Column("int16", Check.ge(1, error="1 or more")),
        "kind": Column("category"),
        r"x\d+": Column("float64", regex=True),
    },
    checks=Check(lambda table: table["depth"] < table["x0"], error="as deep as x0"),
    strict=True,
)


def table(**changes):
    columns = {"id": np.arange(3, dtype=np.int32), "depth": np.ones(3, np.int16), "x0": np.full(3, 2.0)}
    return pd.DataFrame(columns | {"kind": pd.Categorical(["a", "b", "a"])} | changes)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (table().drop(columns="depth"), "column depth is missing"),
        (table().drop(columns="x0"), "column x\\d+ is missing"),
        (table(more=1), "column more must not exist"),
        (table(id=np.arange(3)), "column id must be of type int32, not int64"),
        (table(id=np.int32([1, 4, 4])), "column id must be unique, but row 1 has 4 (2 such rows)"),
        (table(x0=[2.0, np.nan, 2.0]), "column x0 must be given in every row, but row 1 has nan (1 such rows)"),
        (table(depth=np.int16([1, 0, -1])), "column depth must be 1 or more, but row 1 has 0 (2 such rows)"),
        (table(x0=[2.0, 2.0, 0.5]), "rows must be as deep as x0, but row 2 is not (1 such rows)"),
    ],
)
def test_a_fault_is_one_line_with_what_where_and_how(wrong, fault):
    with pytest.raises(TableError) as raised:
        require_schema(wrong, SCHEMA, "taxa", "build them again")
    assert str(raised.value) == f"taxa: {fault}: build them again"


def test_rows_are_named_by_a_column_and_counted_from_the_top_whatever_the_index():
    wrong = table(depth=np.int16([1, 1, 0]), kind=pd.Categorical(["a", "b", "c"])).set_index(pd.Index([7, 8, 9]))
    with pytest.raises(TableError, match="but row 2 has 0"):
        require_schema(wrong, SCHEMA, "taxa", "build them again")
    with pytest.raises(TableError, match="but kind c has 0"):
        require_schema(wrong, SCHEMA, "taxa", "build them again", "kind")


def test_a_right_table_passes():
    require_schema(table(), SCHEMA, "taxa", "build them again")
