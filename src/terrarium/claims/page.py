"""The ledger as Markdown and as a report."""

from __future__ import annotations

import textwrap

import pandas as pd

from terrarium.claims.ledger import DOCUMENTS
from terrarium.reporting.page import render_page

VERDICTS = ("confirmed", "partly", "refuted", "not measurable here")
_HEAD = """# Claims

<!-- Written by `python -m benchmarks.page` from the ledger; do not edit. -->

Every measurable statement of the five source documents, with what we measured.
[Reference recipes](reference-recipes.md) says what each of them is. `kedro run --pipelines=claims`
measures again and checks every verdict: a value outside the bounds of its row fails the test of the
ledger.

- *confirmed*: the statement holds in our measurement.
- *partly*: a part of it holds, or it holds under a condition that the statement leaves out.
- *refuted*: the measurement contradicts it.
- *not measurable here*: the reason and the command that would measure it are given.

Values come from tables of the benchmarks or from measurements of the pipeline; brackets hold the
spread. A measured value is of this project's implementation of a system's rules, on a CPU,
unless the row says otherwise.
"""


def count_verdicts(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return one row per document, and one for all: document and the number of claims with each verdict."""
    counts = pd.crosstab(ledger["document"], ledger["verdict"]).reindex(columns=list(VERDICTS), fill_value=0)
    counts = counts.loc[ledger["document"].unique()]
    counts.loc["all"] = counts.sum()
    return counts.rename_axis(index="document", columns=None).reset_index()


def ledger_markdown(ledger: pd.DataFrame) -> str:
    """Return the ledger as a Markdown page: a table of verdicts, then one section per document.

    Args:
        ledger: see `judge`.
    """
    lines = [_HEAD.rstrip(), "", *_table(count_verdicts(ledger))]
    for document, rows in ledger.groupby("document", sort=False):
        lines += ["", f"## {document}", ""]
        for row in rows.itertuples():
            lines += [f"### {row.id}", "", *_wrapped(f"**{row.verdict}**: {row.statement}"), ""]
            lines += _wrapped(f"- Measured: {row.measured}; {row.data}.")
            lines += _wrapped(f"- Value: **{row.value!s}**, from {row.source!s}.") if row.value else []
            lines += _wrapped(f"- Why: {row.because}")
            lines += ["", "```sh", str(row.command), "```", ""]
        lines.pop()
    return "\n".join(lines) + "\n"


def ledger_page(ledger: pd.DataFrame) -> str:
    """Return the ledger as a self-contained HTML page."""
    columns = ["document", "statement", "measured", "data", "value", "verdict", "because", "command"]
    return render_page(
        "claims/report.html.j2",
        title="Claims of the source documents",
        counts=count_verdicts(ledger),
        ledger=ledger[columns],
        fallen=ledger.loc[ledger["stands"].eq(False), ["document", "id", "value", "at_least", "at_most"]],
        documents=len(DOCUMENTS),
    )


def _wrapped(text: str) -> list[str]:
    """Return lines of at most 100 columns; those that continue a list item are indented."""
    indent = "  " if text.startswith("- ") else ""
    return textwrap.wrap(text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _table(frame: pd.DataFrame) -> list[str]:
    rows = [[*frame.columns], ["---"] * frame.shape[1], *frame.astype(str).to_numpy().tolist()]
    return [f"| {' | '.join(row)} |" for row in rows]
