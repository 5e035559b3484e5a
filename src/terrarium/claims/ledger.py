"""The rows of the ledger: one YAML file per source document."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Literal, Self

import pandas as pd
import yaml
from pydantic import Field, model_validator

from terrarium.common.options import Options

DOCUMENTS = (
    "taxonomy_optimizations",
    "taxonomy_fixes",
    "naomi2",
    "conve_memory_notes",
    "graph_embedding_v2",
)
"""Names of the YAML files, and of the measurements of a document."""
Verdict = Literal["confirmed", "partly", "refuted", "not measurable here"]
COLUMNS = ("document", "id", "statement", "measured", "data", "verdict", "because", "command")
SOURCE_COLUMNS = ("results", "row", "column", "measurement", "at_least", "at_most")


class Value(Options):
    """Where a row's value comes from: a cell of a table of results, or a measurement of the pipeline."""

    results: str | None = Field(default=None, description="table of results, without .csv")
    row: str | None = Field(default=None, description="first cell of the row, or its first two joined by a comma")
    column: str | None = Field(default=None, description="column")
    measurement: str | None = Field(default=None, description="name of a measurement")

    @model_validator(mode="after")
    def _check_one_source(self) -> Self:
        cell = (self.results, self.row, self.column)
        if (self.measurement is None) == (None in cell) or (self.measurement is None) != any(cell):
            raise ValueError("a value has results, row and column, or a measurement")
        return self


class Stands(Options):
    """Values with which the verdict stands, bounds included; without a bound, all values."""

    at_least: float | None = Field(default=None, description="smallest value")
    at_most: float | None = Field(default=None, description="largest value")


class Claim(Options):
    """A statement of a source document in our words, what was measured, and the verdict."""

    id: str = Field(pattern=r"^[a-z0-9-]+$", description="short name, unique in its document")
    statement: str = Field(min_length=10, description="what is said, in our words")
    measured: str = Field(min_length=3, description="what was measured")
    data: str = Field(min_length=3, description="on which data")
    value: Value | None = Field(default=None, description="where the value comes from; none if it is not measurable")
    stands: Stands = Field(default=Stands(), description="values with which the verdict stands")
    verdict: Verdict = Field(description="whether the statement holds")
    because: str = Field(min_length=10, description="the reason for the verdict")
    command: str | None = Field(default=None, description="what measures it; none if the value names a table's command")

    @model_validator(mode="after")
    def _check_value(self) -> Self:
        if (self.value is None) != (self.verdict == "not measurable here"):
            raise ValueError("a row has a value, or the verdict `not measurable here`")
        if self.value is None and self.command is None:
            raise ValueError("a row that is not measurable here names the command that would measure it")
        if self.value is not None and self.stands == Stands():
            raise ValueError("a row with a value says with which values its verdict stands")
        return self


class Document(Options):
    """The rows of a source document."""

    document: str = Field(description="its name in docs/reference-recipes.md")
    claims: list[Claim] = Field(min_length=1, description="its rows")

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        ids = [claim.id for claim in self.claims]
        repeated = sorted({name for name in ids if ids.count(name) > 1})
        if repeated:
            raise ValueError(f"ids are unique: {', '.join(repeated)}")
        return self


def read_document(name: str) -> Document:
    """Return the rows of one of DOCUMENTS.

    Raises:
        ValidationError: a row lacks something or contradicts itself.
    """
    text = files("terrarium.claims").joinpath("documents", f"{name}.yml").read_text(encoding="utf-8")
    return Document.model_validate(yaml.safe_load(text))


def claim_table(documents: Sequence[Document] | None = None) -> pd.DataFrame:
    """Return all rows as a table.

    Args:
        documents: those whose rows are wanted; all of DOCUMENTS by default.

    Returns:
        One row per claim, document by document: COLUMNS and SOURCE_COLUMNS; missing text is empty, a missing
        bound NaN.
    """
    chosen = [read_document(name) for name in DOCUMENTS] if documents is None else documents
    rows = [_row(document.document, claim) for document in chosen for claim in document.claims]
    table = pd.DataFrame(rows, columns=[*COLUMNS, *SOURCE_COLUMNS])
    bounds = ["at_least", "at_most"]
    return table.fillna({name: "" for name in table.columns if name not in bounds}).astype(dict.fromkeys(bounds, float))


def _row(document: str, claim: Claim) -> dict[str, Any]:
    value = {} if claim.value is None else claim.value.model_dump()
    fields = {name: getattr(claim, name) for name in COLUMNS if name != "document"}
    texts = {name: " ".join(text.split()) if isinstance(text, str) else text for name, text in fields.items()}
    return {"document": document, **texts, **value, **claim.stands.model_dump()}
