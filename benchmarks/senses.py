"""The senses family: the documents' recipes, and growth beside fixed sizes, each by `kedro run`."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.measuring import KEDRO, Cost, cost_of

RECIPES = {
    "senses_conservative": ("15-25", "25-35"),
    "senses_aggressive": ("12-18", "20-30"),
    "senses_fixed": ("plateau", "25-35"),
    "senses_before": ("50", ""),
    "senses_documented": ("12-18", "20-30"),
}
"""The documents' stopping epoch and minutes on a T4, of each environment."""
SIZES: dict[str, dict[str, str]] = {
    **{f"fixed {dim}": {"model.dim": str(dim), "training.growth.enabled": "false"} for dim in (64, 128, 256, 512)},
    "grown from 64 by need": {"model.dim": "64"},
    "grown from 64 at random": {"model.dim": "64", "training.growth.rule": "random"},
}
SEEDS = (0, 1, 2)
MEASURES = ("simlex999_spearman", "simlex999_n_spearman", "antonym_auc_all_synonyms", "is_a_direction", "test_mrr")
SIMILARITY = "TERRARIUM_WORDSIM"
"""Environment variable: a folder with simlex999.txt, wordsim353-sim.txt and wordsim353-rel.txt."""


@dataclass(frozen=True)
class Outcome:
    """What a run left."""

    history: pd.DataFrame
    metrics: dict[str, float]
    summary: dict[str, float]
    cost: Cost


def recipes() -> None:
    """The documents' environments: when they stop, when they reach their largest dimension, and how good they are."""
    header = [
        "recipe",
        "stopped at (documented)",
        "largest dimension",
        "batch sizes",
        "minutes (documented)",
        "SimLex-999",
    ]
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for name, (epochs, minutes) in RECIPES.items():
        done = run({}, name)
        history = done.history
        largest = history["dim"].max()
        reached = history.loc[history["dim"] == largest, "epoch"].iloc[0]
        batches = ", ".join(f"{size:,.0f}" for size in history["batch_size"].drop_duplicates())
        cells = [
            name,
            f"{len(history)} ({epochs})",
            f"{largest:.0f} at epoch {reached}",
            batches,
            f"{history['seconds'].sum() / 60:.1f} ({minutes})",
            f"{done.metrics.get('simlex999_spearman', float('nan')):.3f}",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


def sizes() -> None:
    """Growth beside fixed sizes at equal epochs; medians over the seeds."""
    header = ["variant", "dimensions", "parameter updates (10^9)", "minutes", *MEASURES]
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for name, parameters in SIZES.items():
        found = [run(parameters | {"training.seed": str(s), "model.seed": str(s)}, None) for s in SEEDS]
        rows = pd.DataFrame([{measure: done.metrics.get(measure) for measure in MEASURES} for done in found])
        dims = sorted({int(done.history["dim"].iloc[-1]) for done in found})
        updates = pd.Series([(done.history["parameters"]).sum() / 1e9 for done in found]).median()
        minutes = pd.Series([done.history["seconds"].sum() / 60 for done in found]).median()
        cells = [name, ", ".join(map(str, dims)), f"{updates:.2f}", f"{minutes:.1f}"]
        print(f"| {' | '.join([*cells, *(f'{value:.3f}' for value in rows.median())])} |", flush=True)


def run(parameters: dict[str, str], environment: str | None) -> Outcome:
    """Run the family in a folder of its own."""
    folder_of_pairs = os.environ.get(SIMILARITY)
    names = {"simlex999": "simlex999", "wordsim353_sim": "wordsim353-sim", "wordsim353_rel": "wordsim353-rel"}
    files = {} if folder_of_pairs is None else {k: f"{folder_of_pairs}/{v}.txt" for k, v in names.items()}
    given = parameters | {f"source.similarity.{name}": path for name, path in files.items()}
    with tempfile.TemporaryDirectory() as folder:
        written = ",".join([f"data_root={folder}", *(f"senses.{name}={value}" for name, value in given.items())])
        chosen = [] if environment is None else [f"--env={environment}"]
        cost = cost_of([KEDRO, "run", *chosen, "--pipelines=senses", f"--params={written}"])
        return Outcome(
            pd.read_parquet(_artifact(folder, "history.parquet")),
            json.loads(_artifact(folder, "metrics.json").read_text(encoding="utf-8")),
            json.loads(_artifact(folder, "training_summary.json").read_text(encoding="utf-8")),
            cost,
        )


def _artifact(folder: str, name: str) -> Path:
    (found,) = (path for path in Path(folder).rglob(name) if path.is_file())
    return found
