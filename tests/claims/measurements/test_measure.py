"""Measurements by document: each is named by a row, and the small ones give what the last full run gave."""

import pandas as pd
import pytest

from terrarium.claims.ledger import DOCUMENTS, claim_table, read_document
from terrarium.claims.measurements import measure as module
from terrarium.claims.measurements.measure import Family, Measured, measure, named, show
from terrarium.sources.errors import SourceError
from tests.project import ROOT

EXACT = 1e-6
FULL = pd.read_csv(ROOT / "benchmarks/results/claims.csv").set_index("measurement")


def family(document):
    return module.import_module(f"terrarium.claims.measurements.{document}").MEASUREMENTS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_measurement_is_named_by_a_row_of_its_document(document):
    named_by_rows = {claim.value.measurement for claim in read_document(document).claims if claim.value} - {None}
    assert named_by_rows == {*family(document).small, *family(document).large}


def test_names_of_measurements_are_unique():
    names = [name for document in DOCUMENTS for name in (*family(document).small, *family(document).large)]
    assert len(names) == len(set(names))
    assert set(names) == set(claim_table()["measurement"]) - {""}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_quick_form_gives_the_numbers_of_the_full_run(document):
    quick = measure(document, 0, quick=True).set_index("measurement")
    assert set(quick.index) == set(family(document).small)
    kept = FULL.loc[quick.index]
    assert quick["number"].to_numpy() == pytest.approx(kept["number"].to_numpy(), rel=1e-3, abs=EXACT)


def test_a_measurement_without_its_data_is_left_out(monkeypatch, caplog):
    def missing(_seed):
        raise SourceError("no WordNet here")

    def present(seed):
        return Measured([seed, seed + 2.0], " rows")

    class Fake:
        MEASUREMENTS = Family(small=named(present), large=named(missing))

    monkeypatch.setattr(module, "import_module", lambda _: Fake)
    found = measure("fake", 1, quick=False)
    assert found["measurement"].tolist() == ["present"]
    assert found["text"].tolist() == ["2 rows (1 to 3)"]
    assert "no WordNet here" in caplog.text
    assert len(measure("fake", 1, quick=True)) == 1


@pytest.mark.parametrize(("value", "text"), [(15249.0, "15,249"), (0.16534, "0.1653"), (0.0, "0"), (1e-9, "1e-09")])
def test_numbers_are_shown_with_four_digits(value, text):
    assert show(value) == text
