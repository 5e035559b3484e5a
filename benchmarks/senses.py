"""The senses family: NAOMI-II's recipes, and growth compared with fixed sizes. Each is a `kedro run`."""

import json
import os
import tempfile
from dataclasses import dataclass

import pandas as pd

from benchmarks.measuring import KEDRO, Cost, artifact, cost_of

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
SIZES: dict[str, tuple[str | None, dict[str, str]]] = {
    "grown from 64 by need": (None, {"model.dim": "64", "training.growth.enabled": "true"}),
    **{f"fixed {dim}": (None, {"model.dim": str(dim)}) for dim in (64, 128, 256)},
    "fixed 128, no zeros": (None, {"model.dim": "128", "training.sparsity.zero_fraction": "0"}),
    "matryoshka 128": ("recipes/senses/matryoshka", {"model.dim": "128"}),
    "grown from 64 at random": (
        None,
        {"model.dim": "64", "training.growth.enabled": "true", "training.growth.rule": "random"},
    ),
    "fixed 512": (None, {"model.dim": "512"}),
}
"""Environment and parameters of each variant."""
TRUNCATIONS = {"fixed 512": ("PCA to 64", "PCA to 128", "PCA to 256"), "matryoshka 128": ("first 32", "first 64")}
"""Variant -> truncations of it that are reported."""
EPOCHS = "8"
SEEDS = (0, 1, 2)
LIMIT = "TERRARIUM_SENSES_EPOCHS"
"""Environment variable: largest number of epochs of a recipe; by default each has its own, up to 100."""
METRICS = ("simlex999_spearman", "simlex999_n_spearman", "antonym_auc_all_synonyms", "is_a_direction", "test_mrr")
SIMILARITY = "TERRARIUM_WORDSIM"
"""Environment variable: a folder with simlex999.txt, wordsim353-sim.txt and wordsim353-rel.txt."""


@dataclass(frozen=True)
class Outcome:
    """Results of a run."""

    history: pd.DataFrame
    metrics: dict[str, float]
    variants: pd.DataFrame
    summary: dict[str, float]
    cost: Cost


def recipes() -> None:
    """Print for each recipe when it stops, when it reaches its largest dimension, and its SimLex-999 correlation."""
    header = [
        "recipe",
        "stopped at (claimed)",
        "largest dimension",
        "batch sizes",
        "minutes (claimed)",
        "SimLex-999",
    ]
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for name, (epochs, minutes) in RECIPES.items():
        block = "reference.training" if name == REFERENCE else "training"
        done = run({f"{block}.max_epochs": os.environ[LIMIT]} if LIMIT in os.environ else {}, name)
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
    """Print growth and fixed sizes at equal epochs, and truncations of some: medians over the seeds."""
    header = ["variant", "dimensions", "parameter updates (10^9)", "CPU minutes", *METRICS]
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for name, (environment, parameters) in SIZES.items():
        outcomes = [run({**parameters, **_seeded(seed)}, environment) for seed in SEEDS]
        dims = sorted({int(done.history["dim"].iloc[-1]) for done in outcomes})
        updates = pd.Series([done.history["parameters"].sum() / 1e9 for done in outcomes]).median()
        minutes = pd.Series([done.cost.cpu / 60 for done in outcomes]).median()
        cells = [name, ", ".join(map(str, dims)), f"{updates:.2f}", f"{minutes:.1f}"]
        print(_row(cells, pd.DataFrame([done.metrics for done in outcomes])), flush=True)
        for truncation in TRUNCATIONS.get(name, ()):
            rows = pd.concat([done.variants[done.variants["variant"] == truncation] for done in outcomes])
            print(_row([f"{name}, {truncation}", truncation.rpartition(" ")[2], "", ""], rows), flush=True)


def _seeded(seed: int) -> dict[str, str]:
    return {"training.seed": str(seed), "model.seed": str(seed), "training.max_epochs": EPOCHS}


def _row(cells: list[str], measured: pd.DataFrame) -> str:
    medians = [f"{measured[name].median():.3f}" if name in measured else "" for name in METRICS]
    return f"| {' | '.join([*cells, *medians])} |"


def run(parameters: dict[str, str], environment: str | None) -> Outcome:
    """Run the family in a temporary folder."""
    folder_of_pairs = os.environ.get(SIMILARITY)
    names = {"simlex999": "simlex999", "wordsim353_sim": "wordsim353-sim", "wordsim353_rel": "wordsim353-rel"}
    files = {} if folder_of_pairs is None else {k: f"{folder_of_pairs}/{v}.txt" for k, v in names.items()}
    given = parameters | {f"source.similarity.{name}": path for name, path in files.items()}
    with tempfile.TemporaryDirectory() as folder:
        written = ",".join([f"data_root={folder}", *(f"senses.{name}={value}" for name, value in given.items())])
        chosen = [] if environment is None else [f"--env={environment}"]
        pipeline = "senses_reference" if environment == REFERENCE else "senses"
        cost = cost_of([KEDRO, "run", *chosen, f"--pipelines={pipeline}", f"--params={written}"])
        return Outcome(
            pd.read_parquet(artifact(folder, "history.parquet")),
            json.loads(artifact(folder, "metrics.json").read_text(encoding="utf-8")),
            pd.read_parquet(artifact(folder, "variant_metrics.parquet")),
            json.loads(artifact(folder, "training_summary.json").read_text(encoding="utf-8")),
            cost,
        )
