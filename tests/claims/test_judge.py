"""A verdict stands while its value is within the bounds; values come from one row of a table, or a measurement."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.claims.judge import COMMAND, first_number, judge, read_results
from terrarium.claims.ledger import DOCUMENTS, Document, claim_table
from terrarium.sources.errors import SourceError
from tests.claims.test_ledger import ROW
from tests.project import ROOT

NOTHING = pd.DataFrame(columns=["results", "row", "column", "value", "command"])
UNMEASURED = pd.DataFrame(columns=["measurement", "text", "number"])


def table_of(*rows):
    return claim_table([Document.model_validate({"document": "D", "claims": list(rows)})])


def results_folder(folder, *lines):
    (folder / "t.csv").write_text("\n".join(["what,batch,b,command", *lines]) + "\n", encoding="utf-8")
    return str(folder)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_verdict_stands_up_to_its_bounds(number, bound):
    claims = table_of(ROW | {"value": {"measurement": "m"}, "stands": {"at_most": bound}})
    measured = pd.DataFrame([{"measurement": "m", "text": str(number), "number": number}])
    (row,) = judge(claims, NOTHING, measured).to_dict("records")
    assert row["stands"] == (number <= bound)
    assert row["command"] == COMMAND


def test_what_was_left_out_has_no_value_and_neither_stands_nor_falls():
    (row,) = judge(table_of(ROW | {"value": {"measurement": "m"}}), NOTHING, UNMEASURED).to_dict("records")
    assert row["value"] == ""
    assert pd.isna(row["stands"])


def test_a_cell_is_found_by_the_first_cell_or_the_first_two(tmp_path):
    folder = results_folder(tmp_path, "a,1,5x,run", "c,1,7,run", "c,2,9,run")
    claims = table_of(ROW, ROW | {"id": "two", "value": {"results": "t", "row": "c, 2", "column": "b"}})
    results = read_results(folder, claims)
    assert results["value"].tolist() == ["5x", "9"]
    ledger = judge(claims, results, UNMEASURED)
    assert ledger["stands"].tolist() == [False, False]
    assert ledger["command"].tolist() == ["run", "run"]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["a,1,5,run", "a,2,5,run"], "has 2 rows named 'a'"),
        (["x,1,5,run"], "has 0 rows named 'a'"),
    ],
)
def test_a_cell_that_is_not_there_is_an_error(tmp_path, lines, fault):
    with pytest.raises(SourceError, match=fault):
        read_results(results_folder(tmp_path, *lines), table_of(ROW))


def test_a_table_or_column_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"t\.csv is missing: set claims\.source\.path"):
        read_results(str(tmp_path), table_of(ROW))
    folder = results_folder(tmp_path, "a,1,5,run")
    with pytest.raises(SourceError, match="has no column 'z'"):
        read_results(folder, table_of(ROW | {"value": {"results": "t", "row": "a", "column": "z"}}))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("318,374 (307,247 to 363,569)", 318374.0),
        ("5.4 (20-30)", 5.4),
        ("-13.8%", -13.8),
        ("+0.5%", 0.5),
        ("cut at 20 (15-25)", 20.0),
        ("1.7 billion", 1.7e9),
        ("0.16x", 0.16),
        ("6.4e-06", 6.4e-06),
    ],
)
def test_the_first_number_of_a_text(text, number):
    assert first_number(text) == number


def test_a_text_without_a_number_is_an_error():
    with pytest.raises(ValueError, match="no number"):
        first_number("not measured")


def test_every_verdict_stands_with_the_committed_results():
    """All cells that rows name exist. Measurements are those of the last full run (benchmarks/results/claims.csv)."""
    claims = claim_table()
    measured = pd.read_csv(ROOT / "benchmarks/results/claims.csv")
    ledger = judge(claims, read_results(str(ROOT / "benchmarks/results"), claims), measured)
    assert ledger.loc[ledger["stands"].eq(False).fillna(False), ["document", "id", "value"]].to_numpy().tolist() == []
    has_value = ledger["verdict"] != "not measurable here"
    assert ledger.loc[has_value, "stands"].notna().all()
    assert ledger["document"].nunique() == len(DOCUMENTS)
    assert (ledger["command"] != "").all()
