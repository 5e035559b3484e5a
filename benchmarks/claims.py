"""The measurements of the pipeline `claims`, in full; docs/claims.md is written from them by `benchmarks.page`."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmarks.measuring import KEDRO, cost_of
from benchmarks.results import Row, report_table

COLUMNS = ("measurement", "text", "number", "low", "high", "repeats")


def main() -> None:
    """Run the pipeline and keep its measurements."""
    with tempfile.TemporaryDirectory() as folder:
        cost = cost_of([KEDRO, "run", "--pipelines=claims", f"--params=data_root={folder}"])
        report_table("claims", measured_rows(Path(folder)))
    print(f"{cost.wall:.0f} s, {cost.cpu:.0f} CPU s, {cost.peak_mb:.0f} MB")


def measured_rows(data_root: Path) -> Iterator[Row]:
    """Yield the measurements that a run of the pipeline left in a data root."""
    for path in sorted(data_root.glob("07_model_output/claims/measured_*.parquet/*/*.parquet")):
        for row in pd.read_parquet(path)[list(COLUMNS)].to_dict("records"):
            yield {str(name): value for name, value in row.items()}
