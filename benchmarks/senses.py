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
SHORTER = {"fixed 512": ("PCA to 64", "PCA to 128", "PCA to 256"), "matryoshka 128": ("first 32", "first 64")}
"""Cuts that are shown beside their variant."""
EPOCHS = "8"
SEEDS = (0, 1, 2)
LIMIT = "TERRARIUM_SENSES_EPOCHS"
"""Environment variable: most epochs of a recipe; without it each has its own, up to a hundred."""
MEASURES = ("simlex999_spearman", "simlex999_n_spearman", "antonym_auc_all_synonyms", "is_a_direction", "test_mrr")
SIMILARITY = "TERRARIUM_WORDSIM"
"""Environment variable: a folder with simlex999.txt, wordsim353-sim.txt and wordsim353-rel.txt."""


@dataclass(frozen=True)
class Outcome:
    """What a run left."""

    history: pd.DataFrame
    metrics: dict[str, float]
    variants: pd.DataFrame
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
        done = run({"training.max_epochs": os.environ[LIMIT]} if LIMIT in os.environ else {}, name)
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
    """Growth beside fixed sizes at equal epochs, and the cuts of some; medians over the seeds."""
    header = ["variant", "dimensions", "parameter updates (10^9)", "CPU minutes", *MEASURES]
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for name, (environment, parameters) in SIZES.items():
        found = [run({**parameters, **_seeded(seed)}, environment) for seed in SEEDS]
        dims = sorted({int(done.history["dim"].iloc[-1]) for done in found})
        updates = pd.Series([done.history["parameters"].sum() / 1e9 for done in found]).median()
        minutes = pd.Series([done.cost.cpu / 60 for done in found]).median()
        cells = [name, ", ".join(map(str, dims)), f"{updates:.2f}", f"{minutes:.1f}"]
        print(_row(cells, pd.DataFrame([done.metrics for done in found])), flush=True)
        for cut in SHORTER.get(name, ()):
            rows = pd.concat([done.variants[done.variants["variant"] == cut] for done in found])
            print(_row([f"{name}, {cut}", cut.rpartition(" ")[2], "", ""], rows), flush=True)


def _seeded(seed: int) -> dict[str, str]:
    return {"training.seed": str(seed), "model.seed": str(seed), "training.max_epochs": EPOCHS}


def _row(cells: list[str], measured: pd.DataFrame) -> str:
    medians = [f"{measured[name].median():.3f}" if name in measured else "" for name in MEASURES]
    return f"| {' | '.join([*cells, *medians])} |"


def run(parameters: dict[str, str], environment: str | None) -> Outcome:
    """Run the family in a temporary folder; the reference pipeline takes the parameters of `senses.reference`."""
    pipeline, block = ("senses_reference", "senses.reference") if environment == REFERENCE else ("senses", "senses")
    folder_of_pairs = os.environ.get(SIMILARITY)
    names = {"simlex999": "simlex999", "wordsim353_sim": "wordsim353-sim", "wordsim353_rel": "wordsim353-rel"}
    files = {} if folder_of_pairs is None else {k: f"{folder_of_pairs}/{v}.txt" for k, v in names.items()}
    given = {f"{block}.{name}": value for name, value in parameters.items()}
    given |= {f"senses.source.similarity.{name}": path for name, path in files.items()}
    with tempfile.TemporaryDirectory() as folder:
        written = ",".join([f"data_root={folder}", *(f"{name}={value}" for name, value in given.items())])
        chosen = [] if environment is None else [f"--env={environment}"]
        cost = cost_of([KEDRO, "run", *chosen, f"--pipelines={pipeline}", f"--params={written}"])
        return Outcome(
            pd.read_parquet(artifact(folder, "history.parquet")),
            json.loads(artifact(folder, "metrics.json").read_text(encoding="utf-8")),
            pd.read_parquet(artifact(folder, "variant_metrics.parquet")),
            json.loads(artifact(folder, "training_summary.json").read_text(encoding="utf-8")),
            cost,
        )
