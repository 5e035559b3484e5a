"""The senses family: NAOMI-II's recipes, and growth compared with fixed sizes. Each is a `kedro run`."""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from benchmarks.measuring import KEDRO, Cost, artifact, cost_of
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
"""Cuts that are shown after their variant."""
EPOCHS = "8"
SEEDS = (0, 1, 2)
LIMIT = "TERRARIUM_SENSES_EPOCHS"
"""Environment variable: most epochs of a recipe; without it each has its own, up to a hundred."""
MEASURES = {
    "SimLex-999": "simlex999_spearman",
    "SimLex-999, nouns": "simlex999_n_spearman",
    "antonyms against near synonyms, AUC": "antonym_auc_near_synonym",
    "is-a direction": "is_a_direction",
    "test MRR": "test_mrr",
}
SIMILARITY = "TERRARIUM_WORDSIM"
"""Environment variable: a folder with simlex999.txt (with the column POS), wordsim353-sim.txt, wordsim353-rel.txt."""


@dataclass(frozen=True)
class Outcome:
    """What a run left."""

    history: pd.DataFrame
    metrics: dict[str, float]
    variants: pd.DataFrame
    summary: dict[str, float]
    cost: Cost


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


def sizes() -> None:
    """Compare growth with fixed sizes at equal epochs, and cuts of some; medians over the seeds."""
    report_table("senses_sizes", _sizes(), seed="median of 0, 1, 2")


def _sizes() -> Iterator[Row]:
    for name, (environment, parameters) in SIZES.items():
        found = [run({**parameters, **_seeded(seed)}, environment) for seed in SEEDS]
        dims = sorted({int(done.history["dim"].iloc[-1]) for done in found})
        updates = pd.Series([done.history["parameters"].sum() / 1e9 for done in found]).median()
        minutes = pd.Series([done.cost.cpu / 60 for done in found]).median()
        cells = (", ".join(map(str, dims)), f"{updates:.2f}", f"{minutes:.1f}")
        yield _row(name, cells, pd.DataFrame([done.metrics for done in found]))
        for cut in SHORTER.get(name, ()):
            rows = pd.concat([done.variants[done.variants["variant"] == cut] for done in found])
            yield _row(f"{name}, {cut}", (cut.rpartition(" ")[2], "", ""), rows)


def _seeded(seed: int) -> dict[str, str]:
    return {"training.seed": str(seed), "model.seed": str(seed), "training.max_epochs": EPOCHS}


def _row(name: str, sizes: tuple[str, str, str], measured: pd.DataFrame) -> Row:
    columns = ("dimensions", "parameter updates (10^9)", "CPU minutes")
    medians = {
        label: f"{measured[metric].median():.3f}" if metric in measured else "" for label, metric in MEASURES.items()
    }
    return {"variant": name, **dict(zip(columns, sizes, strict=True)), **medians}


def run(parameters: dict[str, str], environment: str | None) -> Outcome:
    """Run the family in a temporary folder; the reference pipeline takes the parameters of `senses.reference`."""
    pipeline, block = ("senses_reference", "senses.reference") if environment == REFERENCE else ("senses", "senses")
    given = {f"{block}.{name}": value for name, value in parameters.items()}
    given |= {f"senses.source.similarity.{name}": path for name, path in similarity_files().items()}
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
