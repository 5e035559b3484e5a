"""The rows of the ledger are complete, and each of them contradicts neither itself nor the others."""

import pytest
from pydantic import ValidationError

from terrarium.claims.ledger import COLUMNS, DOCUMENTS, SOURCE_COLUMNS, Claim, Document, claim_table, read_document
from tests.project import ROOT

ROW = {
    "id": "speed",
    "statement": "It is ten times as fast.",
    "measured": "time before / after",
    "data": "some rows",
    "value": {"results": "t", "row": "a", "column": "b"},
    "stands": {"at_least": 10},
    "verdict": "confirmed",
    "because": "The ratio is 12.",
}


def test_every_document_has_rows_and_a_name_that_the_page_of_recipes_explains():
    page = (ROOT / "docs/reference-recipes.md").read_text(encoding="utf-8")
    for name in DOCUMENTS:
        document = read_document(name)
        assert len(document.claims) >= 10
        assert document.document in page


def test_the_ledger_has_at_least_sixty_rows():
    table = claim_table()
    assert len(table) >= 60
    assert list(table.columns) == [*COLUMNS, *SOURCE_COLUMNS]
    assert not table.duplicated(["document", "id"]).any()
    assert set(table["verdict"]) == {"confirmed", "partly", "refuted", "not measurable here"}


def test_a_row_as_it_should_be():
    assert Claim.model_validate(ROW).verdict == "confirmed"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"value": None}, "a row has a value, or the verdict"),
        ({"verdict": "not measurable here"}, "a row has a value, or the verdict"),
        ({"value": None, "verdict": "not measurable here"}, "names the command"),
        ({"stands": {}}, "with which values its verdict stands"),
        ({"value": {"results": "t", "row": "a"}}, "a value has results, row and column"),
        ({"value": {"measurement": "m", "results": "t", "row": "a", "column": "b"}}, "or a measurement"),
        ({"verdict": "true"}, "literal_error"),
        ({"id": "Two words"}, "string_pattern_mismatch"),
        ({"note": "more"}, "extra_forbidden"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(change, fault):
    with pytest.raises(ValidationError) as error:
        Claim.model_validate(ROW | change)
    assert fault in str(error.value) or fault in error.value.errors()[0]["type"]


def test_ids_are_unique_in_a_document():
    with pytest.raises(ValidationError, match="ids are unique: speed"):
        Document.model_validate({"document": "D", "claims": [ROW, ROW]})


def test_missing_text_is_empty_and_a_missing_bound_is_no_number():
    document = Document.model_validate({"document": "D", "claims": [ROW | {"statement": "Two\n  lines of text."}]})
    (row,) = claim_table([document]).to_dict("records")
    assert row["statement"] == "Two lines of text."
    assert (row["command"], row["measurement"]) == ("", "")
    assert row["at_least"] == 10.0
    assert row["at_most"] != row["at_most"]
