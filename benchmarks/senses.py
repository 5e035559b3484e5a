"""The senses family: NAOMI-II's recipes. Each is a `kedro run`."""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from benchmarks.measuring import KEDRO, artifact, cost_of
from benchmarks.results import Row, report_table

RECIPES = {
    "recipes/senses/conservative": ("15-25", "25-35"),
    "recipes/senses/aggressive": ("12-18", "20-30"),
    "recipes/senses/fixed": ("plateau", "25-35"),
    "recipes/senses/naomi2_v1": ("50", ""),
    "recipes/senses/naomi2": ("12-18", "20-30"),
}
"""Environment -> the last epoch and the minutes on a T4 GPU that NAOMI-II claims."""
REFERENCE = "recipes/senses/naomi2"
"""The environment of the pipeline senses_reference; the others are of senses."""
LIMIT = "TERRARIUM_SENSES_EPOCHS"
"""Environment variable: most epochs of a recipe; without it each has its own, up to a hundred."""
SIMILARITY = "TERRARIUM_WORDSIM"
"""Environment variable: a folder with simlex999.txt (with the column POS), wordsim353-sim.txt, wordsim353-rel.txt."""


@dataclass(frozen=True)
class Outcome:
    """What a run left."""

    history: pd.DataFrame
    metrics: dict[str, float]


def similarity_files() -> dict[str, str]:
    """Return the paths of the word pairs by name; none without the environment variable."""
    folder = os.environ.get(SIMILARITY)
    names = {"simlex999": "simlex999", "wordsim353_sim": "wordsim353-sim", "wordsim353_rel": "wordsim353-rel"}
    return {} if folder is None else {name: f"{folder}/{file}.txt" for name, file in names.items()}


def recipes() -> None:
    """Measure when the recipes stop, when they reach their largest dimension, and how good they are."""
    report_table("senses_recipes", _recipes())


def _recipes() -> Iterator[Row]:
    for name, (epochs, minutes) in RECIPES.items():
        done = run({"training.max_epochs": os.environ[LIMIT]} if LIMIT in os.environ else {}, name)
        history = done.history
        largest = history["dim"].max()
        reached = history.loc[history["dim"] == largest, "epoch"].iloc[0]
        batches = ", ".join(f"{size:,.0f}" for size in history["batch_size"].drop_duplicates())
        yield {
            "recipe": name.rpartition("/")[2],
            "stopped at (claimed)": f"{len(history)} ({epochs})",
            "largest dimension (claimed: 512 at epoch 8 to 12)": f"{largest:.0f} at epoch {reached}",
            "batch sizes": batches,
            "minutes (claimed, on a T4)": f"{history['seconds'].sum() / 60:.1f} ({minutes})",
            "SimLex-999": f"{done.metrics.get('simlex999_spearman', float('nan')):.3f}",
        }


def run(parameters: dict[str, str], environment: str | None) -> Outcome:
    """Run the family in a temporary folder; the reference pipeline takes the parameters of `senses.reference`."""
    pipeline, block = ("senses_reference", "senses.reference") if environment == REFERENCE else ("senses", "senses")
    given = {f"{block}.{name}": value for name, value in parameters.items()}
    given |= {f"senses.source.similarity.{name}": path for name, path in similarity_files().items()}
    with tempfile.TemporaryDirectory() as folder:
        written = ",".join([f"data_root={folder}", *(f"{name}={value}" for name, value in given.items())])
        chosen = [] if environment is None else [f"--env={environment}"]
        cost_of([KEDRO, "run", *chosen, f"--pipelines={pipeline}", f"--params={written}"])
        return Outcome(
            pd.read_parquet(artifact(folder, "history.parquet")),
            json.loads(artifact(folder, "metrics.json").read_text(encoding="utf-8")),
        )
