"""The document's table of optimisations, as measured, at equal and at the documented batch sizes.

The graph is that of the folder in TERRARIUM_TRIPLES (train.txt, valid.txt, test.txt), or the virus-host graph.
"""

import json
import os
import tempfile
from dataclasses import dataclass

import pandas as pd

from benchmarks.measuring import KEDRO, artifact, cost_of

TRIPLES = "TERRARIUM_TRIPLES"
EPOCHS = 3
CLEANUP = {"training.memory_cleanup": "true"}
HALF = {"training.precision": "mixed", "evaluation.precision": "mixed"}
CHECKPOINTING = {"training.gradient_checkpointing": "true"}
ROWS: dict[str, tuple[dict[str, str], int, str]] = {
    "baseline (fp32)": ({}, 256, "10 GB, 120 s"),
    "+ cleanup": (CLEANUP, 256, "8 GB, 118 s"),
    "+ mixed precision": (CLEANUP | HALF, 512, "8 GB, 60 s"),
    "+ mixed precision + checkpointing": (CLEANUP | HALF | CHECKPOINTING, 1024, "6 GB, 96 s"),
}
"""What is changed, the document's batch, and its figures for a graph and a GPU that it does not name."""


@dataclass(frozen=True)
class Outcome:
    """History, metrics and summary of a run."""

    history: pd.DataFrame
    metrics: dict[str, float]
    summary: dict[str, float]


def main() -> None:
    """Peak memory, what a batch keeps for the way back, seconds an epoch, and MRR after equal epochs."""
    import torch

    gpu = torch.cuda.is_available()
    if not gpu:
        print("No GPU: mixed is bf16 on the CPU, fp16 and the memory of a GPU are not measured, cleanup does nothing.")
    header = [
        "configuration",
        "batch",
        "peak memory",
        "kept for the way back",
        "seconds an epoch",
        "test MRR",
        "document",
    ]
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for equal in (True, False):
        for name, (changes, batch, document) in ROWS.items():
            size = 256 if equal else batch
            if not equal and size == 256:
                continue
            done = run(changes | {"training.batch_size": str(size)})
            print(f"| {' | '.join(row(name, size, done, document, gpu))} |", flush=True)


def row(name: str, size: int, done: Outcome, document: str, gpu: bool) -> list[str]:
    """The cells of a run."""
    peak = done.history["gpu_peak_memory_mb" if gpu else "peak_memory_mb"].max()
    kept = done.summary.get("kept_for_backward_mb")
    saved = "" if kept is None else f"{kept:.1f} MB of {done.summary['kept_without_checkpointing_mb']:.1f}"
    seconds = done.history["seconds"].median()
    return [name, str(size), f"{peak:,.0f} MB", saved, f"{seconds:.1f}", f"{done.metrics['test_mrr']:.4f}", document]


def run(parameters: dict[str, str]) -> Outcome:
    """Run the recipe conve_baseline with changes in a folder of its own."""
    source = os.environ.get(TRIPLES)
    given = {"training.max_epochs": str(EPOCHS), "training.validation_every": str(EPOCHS)} | parameters
    given |= {"source.kind": "files", "source.path": source} if source else {}
    with tempfile.TemporaryDirectory() as folder:
        written = ",".join(
            [f"data_root={folder}", *(f"knowledge_graph.{name}={value}" for name, value in given.items())]
        )
        tags = "--tags=ingestion,features,training,evaluation"
        cost_of([KEDRO, "run", "--env=conve_baseline", "--pipelines=knowledge_graph", tags, f"--params={written}"])
        return Outcome(
            pd.read_parquet(artifact(folder, "history.parquet")),
            json.loads(artifact(folder, "metrics.json").read_text(encoding="utf-8")),
            json.loads(artifact(folder, "training_summary.json").read_text(encoding="utf-8")),
        )
