"""The pipeline claims from end to end in its quick form: every verdict that has a value stands."""

from tests.project import load, run


def test_the_quick_form_measures_judges_and_writes_the_ledger(tmp_path):
    run(tmp_path, "--pipelines=claims")
    ledger = load(tmp_path, "08_reporting/claims/ledger.parquet")
    assert len(ledger) >= 60
    assert not ledger["stands"].eq(False).any()
    measured = ledger[ledger["source"].str.startswith("the measurement") & (ledger["value"] != "")]
    assert len(measured) >= 30
    text = load(tmp_path, "08_reporting/claims/markdown.md").read_text(encoding="utf-8")
    assert all(f"### {name}\n" in text for name in ledger["id"])
