"""The ledger's page: all rows, and the counts of verdicts."""

import pandas as pd

from terrarium.claims.judge import judge, read_results
from terrarium.claims.ledger import claim_table
from terrarium.claims.page import count_verdicts, ledger_markdown, ledger_page
from tests.project import ROOT


def ledger():
    claims = claim_table()
    measured = pd.DataFrame([{"measurement": "batches", "text": "3 batches", "number": 3.0}])
    return judge(claims, read_results(str(ROOT / "benchmarks/results"), claims), measured)


def test_the_counts_add_up():
    rows = ledger()
    counts = count_verdicts(rows).set_index("document")
    assert counts.loc["all"].sum() == len(rows)
    assert (counts.drop("all").sum() == counts.loc["all"]).all()


def test_the_page_has_a_section_for_each_row_with_its_command():
    rows, text = ledger(), ledger_markdown(ledger())
    assert text.count("\n### ") == len(rows)
    assert text.count("```sh") == len(rows)
    assert "**3 batches**" in text


def test_the_report_names_verdicts_that_fell():
    """15,249 batches are the only value with which that verdict stands, and here there are 3."""
    page = ledger_page(ledger())
    assert "1 verdicts no longer stand" in page
