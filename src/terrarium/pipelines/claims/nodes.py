"""Nodes of the pipeline `claims`."""

from __future__ import annotations

import logging

import pandas as pd

from terrarium.claims import judge as judging
from terrarium.claims import ledger, page
from terrarium.claims.measurements.measure import measure
from terrarium.claims.options import EvaluationOptions, SourceOptions

logger = logging.getLogger(__name__)


def read_claims(source: SourceOptions) -> dict[str, pd.DataFrame]:
    """Return the rows of the five documents and the cells of tables of results that they name."""
    claims = ledger.claim_table()
    return {"statements": claims, "results": judging.read_results(source.path, claims)}


def measure_taxonomy_optimizations(evaluation: EvaluationOptions) -> pd.DataFrame:
    """Return the measurements for "Taxonomy optimizations"."""
    return measure("taxonomy_optimizations", evaluation.seed, evaluation.quick)


def measure_taxonomy_fixes(evaluation: EvaluationOptions) -> pd.DataFrame:
    """Return the measurements for "Taxonomy fixes"."""
    return measure("taxonomy_fixes", evaluation.seed, evaluation.quick)


def measure_naomi2(evaluation: EvaluationOptions) -> pd.DataFrame:
    """Return the measurements for "NAOMI-II"."""
    return measure("naomi2", evaluation.seed, evaluation.quick)


def measure_conve_memory_notes(evaluation: EvaluationOptions) -> pd.DataFrame:
    """Return the measurements for "ConvE memory notes"."""
    return measure("conve_memory_notes", evaluation.seed, evaluation.quick)


def measure_graph_embedding_v2(evaluation: EvaluationOptions) -> pd.DataFrame:
    """Return the measurements for "Graph embedding V2"."""
    return measure("graph_embedding_v2", evaluation.seed, evaluation.quick)


def judge(statements: pd.DataFrame, results: pd.DataFrame, **measurements: pd.DataFrame) -> pd.DataFrame:
    """Return the ledger, and name every verdict that no longer stands."""
    judged = judging.judge(statements, results, pd.concat(measurements.values(), ignore_index=True))
    for row in judged[judged["stands"].eq(False).fillna(False)].itertuples():
        logger.error("%s, %s: %s no longer stands with the value %s", row.document, row.id, row.verdict, row.value)
    return judged


def write_ledger(ledger: pd.DataFrame) -> dict[str, str]:
    """Return the ledger as Markdown and as a report."""
    return {"markdown": page.ledger_markdown(ledger), "report": page.ledger_page(ledger)}
