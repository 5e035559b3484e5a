"""Memory options of ConvE: what "ConvE memory notes" claims and what we measure, at equal and at its batch sizes.

The graph is that of the folder in TERRARIUM_TRIPLES (train.txt, valid.txt, test.txt), or else the virus-host graph.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.measuring import KEDRO, artifact, cost_of
from benchmarks.results import Row, report_table

TRIPLES = "TERRARIUM_TRIPLES"
EPOCHS = 40
"""Enough for comparing metrics on a graph of some thousand triples."""
CLEANUP = {"training.memory.cleanup": "true"}
HALF = {"training.precision": "mixed", "evaluation.precision": "mixed"}
CHECKPOINTING = {"training.memory.gradient_checkpointing": "true"}
ROWS: dict[str, tuple[dict[str, str], int, str]] = {
    "baseline (fp32)": ({}, 256, "10 GB, 120 s"),
    "+ cleanup": (CLEANUP, 256, "8 GB, 118 s; 1.5-2x memory"),
    "+ mixed precision": (CLEANUP | HALF, 512, "8 GB, 60 s; 2x memory, 2x speed, < 0.1 % MRR"),
    "+ mixed precision + checkpointing": (
        CLEANUP | HALF | CHECKPOINTING,
        1024,
        "6 GB, 96 s; checkpointing 2-3x memory, all together 4-6x",
    ),
}
"""Changed parameters, the batch size of the notes, and their claims; they name neither graph nor GPU."""
SIZES = ("entities", "relations", "train_triples")
COLUMNS = (
    *("configuration", "batch", "peak memory", "baseline's / this, memory", "kept for backward"),
    *("seconds per epoch", "baseline's / this, seconds", "test MRR", "change of MRR", "claimed"),
)


@dataclass(frozen=True)
class Outcome:
    """The history, metrics, summary and graph sizes of a run."""

    history: pd.DataFrame
    metrics: dict[str, float]
    summary: dict[str, float]
    sizes: dict[str, int]

    def peak_mb(self, gpu: bool) -> float:
        """Return the peak memory of the GPU's allocations, or of the whole process, in MB."""
        return float(self.history["gpu_peak_memory_mb" if gpu else "peak_memory_mb"].max())

    def seconds(self) -> float:
        """Return the median time of an epoch."""
        return float(self.history["seconds"].median())


def main() -> None:
    """Measure peak memory, what a batch keeps for backward, seconds per epoch, and MRR after equal epochs."""
    import torch

    gpu = torch.cuda.is_available()
    if not gpu:
        print("No GPU: mixed is bf16 on the CPU, fp16 and the memory of a GPU are not measured, cleanup does nothing.")
    report_table("knowledge_graph_switches", _configurations(gpu))


def _configurations(gpu: bool) -> Iterator[Row]:
    first = None
    for equal in (True, False):
        for name, (changes, batch, claim) in ROWS.items():
            size = 256 if equal else batch
            if not equal and size == 256:
                continue
            done = run(changes | {"training.batch_size": str(size)})
            if first is None:
                first = done
                print(heading(done), flush=True)
            yield dict(zip(COLUMNS, row(name, size, done, first, claim, gpu), strict=True))


def heading(done: Outcome) -> str:
    """Return the line that names the graph, its size and the epochs."""
    name = Path(os.environ[TRIPLES]).name if TRIPLES in os.environ else "virus-host"
    counts = ", ".join(f"{done.sizes[what]:,} {what.replace('_', ' ')}" for what in SIZES)
    return f"Graph {name}: {counts}; {EPOCHS} epochs per row, one run each."


def row(name: str, size: int, done: Outcome, first: Outcome, claim: str, gpu: bool) -> list[str]:
    """Return the cells of a run, with ratios to the first run."""
    kept = done.summary.get("kept_for_backward_mb")
    peak, seconds, quality = done.peak_mb(gpu), done.seconds(), done.metrics["test_mrr"]
    baseline = first.metrics["test_mrr"]
    return [
        name,
        str(size),
        f"{peak:,.0f} MB",
        f"{first.peak_mb(gpu) / peak:.2f}x",
        "" if kept is None else f"{kept:.1f} MB of {done.summary['kept_without_checkpointing_mb']:.1f}",
        f"{seconds:.1f}",
        f"{first.seconds() / seconds:.2f}x",
        f"{quality:.4f}",
        f"{100 * (quality / baseline - 1):+.1f} %",
        claim,
    ]


def run(parameters: dict[str, str]) -> Outcome:
    """Run the recipe conve_baseline with changed parameters in a temporary folder."""
    source = os.environ.get(TRIPLES)
    given = {"training.max_epochs": str(EPOCHS), "training.validation.interval": str(EPOCHS)} | parameters
    given |= {"source.kind": "files", "source.path": source} if source else {}
    with tempfile.TemporaryDirectory() as folder:
        written = ",".join(
            [f"data_root={folder}", *(f"knowledge_graph.{name}={value}" for name, value in given.items())]
        )
        tags = "--tags=ingestion,features,training,evaluation"
        cost_of(
            [
                KEDRO,
                "run",
                "--env=recipes/knowledge_graph/conve_baseline",
                "--pipelines=knowledge_graph",
                tags,
                f"--params={written}",
            ]
        )
        return Outcome(
            pd.read_parquet(artifact(folder, "history.parquet")),
            json.loads(artifact(folder, "metrics.json").read_text(encoding="utf-8")),
            json.loads(artifact(folder, "training_summary.json").read_text(encoding="utf-8")),
            json.loads(artifact(folder, "run_config.json").read_text(encoding="utf-8"))["data"],
        )
