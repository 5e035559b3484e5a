"""The whole NCBI taxonomy with its closure to Parquet."""

import tempfile

from benchmarks.measuring import KEDRO, cost_of, cost_row
from benchmarks.results import report_table


def main() -> None:
    """Time `kedro run --tags=ingestion` with source.select=all, three times."""
    costs = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            parameters = f"--params=hyperbolic.source.select=all,data_root={folder}"
            costs.append(cost_of([KEDRO, "run", "--pipelines=hyperbolic", "--tags=ingestion", parameters]))
    report_table("ingestion", [cost_row("ingestion of all of NCBI", costs)])
