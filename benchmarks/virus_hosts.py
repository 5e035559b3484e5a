"""The default example: hosts of viruses by the trained model, next to the majority and to the nearest relatives.

TERRARIUM_RUN names the folder of a finished `kedro run --pipelines=knowledge_graph`; without it, the run is made.
"""

import json
import os
import tempfile
from collections.abc import Iterator

import pandas as pd

from benchmarks.measuring import KEDRO, artifact, cost_of
from benchmarks.results import Row, report_table

RUN = "TERRARIUM_RUN"
SPLITS = {"test": "test", "test_groups": "whole genera held out"}
METHODS = {"trained": "trained", "majority": "majority host", "nearest relatives": "nearest relatives"}


def main() -> None:
    """Measure the fraction of viruses whose best host is right, and the MRR of hosts."""
    if folder := os.environ.get(RUN):
        report_table("virus_host", rows_of(folder))
        return
    with tempfile.TemporaryDirectory() as folder:
        cost_of([KEDRO, "run", "--pipelines=knowledge_graph", f"--params=data_root={folder}"])
        report_table("virus_host", rows_of(folder))


def rows_of(folder: str) -> Iterator[Row]:
    """Yield one row per split and method of the run in a folder."""
    rows = pd.read_parquet(artifact(folder, "method_metrics.parquet")).to_dict("records")
    table = {(row["split"], row["method"]): row for row in rows}
    metrics = json.loads(artifact(folder, "metrics.json").read_text(encoding="utf-8"))
    summary = json.loads(artifact(folder, "training_summary.json").read_text(encoding="utf-8"))
    for split, text in SPLITS.items():
        for method, name in METHODS.items():
            row, is_trained = table[split, method], method == "trained"
            yield {
                "split: method": f"{text}: {name}",
                "queries": f"{row['queries']:.0f}",
                "top host correct": f"{row['top_answer_accuracy']:.3f}",
                "tail MRR": f"{row['mrr']:.3f}",
                "MRR, both sides": f"{metrics[f'{split}_mrr']:.3f}" if is_trained else "",
                "epochs (best)": f"{summary['epochs']} ({summary['best_epoch']})" if is_trained else "",
            }
