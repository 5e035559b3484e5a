"""The recipes of "Taxonomy optimizations" and "Taxonomy fixes", each by `kedro run --env=<recipe>`."""

import json
import tempfile
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.checklist import checklist
from benchmarks.measuring import KEDRO, artifact, cost_of
from benchmarks.results import Row, report_table

RECIPES = (
    "recipes/hyperbolic/v0",
    "recipes/hyperbolic/v1",
    "recipes/hyperbolic/v1_lambda",
    "recipes/hyperbolic/v1_lr",
    "recipes/hyperbolic/v1_clip",
    "recipes/hyperbolic/v2",
    "recipes/hyperbolic/v2_lambda",
    "recipes/hyperbolic/v2_schedule_written",
    "recipes/hyperbolic/v2_schedule_corrected",
    "recipes/hyperbolic/v2_project_all",
    "recipes/hyperbolic/v2_lr",
    "recipes/hyperbolic/v2_riemannian",
)
CLADE, EPOCHS, REFERENCE_EPOCHS = "Mammalia", 6, 2
CLAIMED_NORMS = {
    "recipes/hyperbolic/v1": {"max norm, epoch 1": 2.18, "max norm, epoch 2": 1.96, "mean norm, epoch 1": 0.55},
    "recipes/hyperbolic/v2": {"max norm, epoch 1": 1.45, "mean norm, epoch 1": 0.60},
}
"""Norms that "Taxonomy fixes" reports, on the 100,000 lowest tax ids."""


@dataclass(frozen=True)
class Outcome:
    """History, metrics and summary of a recipe's run."""

    recipe: str
    history: pd.DataFrame
    metrics: dict[str, float]
    summary: dict[str, Any]


def main() -> None:
    """Compare all recipes on a clade for a few epochs, and test the checklist of "Taxonomy optimizations"."""
    parameters: dict[str, object] = {"source.select": "clade", "source.clade": CLADE, "training.max_epochs": EPOCHS}
    parameters["source.legacy.max_tax_id"] = "null"
    report_table("recipes_mammalia", (outcome_row(run(recipe, parameters)) for recipe in RECIPES))
    print('\nThe checklist of "Taxonomy optimizations", each item tested by running it:\n')
    for item, passed, how in checklist():
        print(f"- {'pass' if passed else 'FAIL'}: {item} ({how})", flush=True)


def lowest_taxids() -> None:
    """Compare v1 and v2 with the norms that "Taxonomy fixes" reports, on its data and for as many epochs."""
    recipes = ("recipes/hyperbolic/v1", "recipes/hyperbolic/v2")
    parameters = {"training.max_epochs": REFERENCE_EPOCHS}
    report_table("recipes_lowest_taxids", (outcome_row(run(recipe, parameters)) for recipe in recipes))


def run(recipe: str, parameters: dict[str, Any]) -> Outcome:
    """Run a recipe in a temporary folder, with parameters of the family `hyperbolic` by dotted name."""
    with tempfile.TemporaryDirectory() as folder:
        given = ",".join([f"data_root={folder}", *(f"hyperbolic.{name}={value}" for name, value in parameters.items())])
        cost_of([KEDRO, "run", f"--env={recipe}", "--pipelines=hyperbolic", f"--params={given}"])
        return Outcome(
            recipe,
            pd.read_parquet(artifact(folder, "history.parquet")),
            json.loads(artifact(folder, "metrics.json").read_text(encoding="utf-8")),
            json.loads(artifact(folder, "training_summary.json").read_text(encoding="utf-8")),
        )


def outcome_row(outcome: Outcome) -> Row:
    """Return norms, quality and cost of a recipe as one row."""
    recipe = outcome.recipe.rpartition("/")[2]
    return {"recipe": recipe, **norms(outcome), **quality(outcome), **cost(outcome)}


def norms(outcome: Outcome) -> dict[str, str]:
    """Return norms by epoch, claimed values in brackets; fraction outside the ball and r at the best epoch."""
    history, claimed = outcome.history, CLAIMED_NORMS.get(outcome.recipe, {})
    cells: dict[str, str] = {}
    for column, label in (("max_norm", "max norm"), ("mean_norm", "mean norm")):
        for place, when in ((0, "epoch 1"), (1, "epoch 2"), (-1, "end")):
            value = f"{history[column].iloc[min(place, len(history) - 1)]:.3f}"
            known = claimed.get(f"{label}, {when}")
            cells[f"{label}, {when}"] = value if known is None else f"{value} ({known:.2f})"
    first, best = history["fraction_outside"].iloc[0], outcome.metrics["fraction_outside"]
    cells |= {"outside, epoch 1": f"{first:.2%}", "outside, best": f"{best:.2%}"}
    return cells | {"r, best": f"{outcome.metrics['depth_norm_pearson']:.3f}"}


def quality(outcome: Outcome) -> dict[str, str]:
    """Return separation, MAP and false negatives of the best epoch's weights."""
    metrics = outcome.metrics
    names = [name for name in metrics if name.startswith("separation_")]
    cells = {name.replace("_", " "): f"{metrics[name]:.2f}" for name in names}
    cells |= {f"ancestor MAP, {by}": f"{metrics[f'ancestor_map_{by}']:.4f}" for by in ("distance", "detour")}
    cells["best epoch"] = str(outcome.summary["best_epoch"])
    return cells | {"false negatives": f"{outcome.history['false_negatives'].mean():.1%}"}


def cost(outcome: Outcome) -> dict[str, str]:
    """Return epochs, time and memory; seconds per epoch leave out the first one, which compiles."""
    history = outcome.history
    seconds = history["seconds"].iloc[1:].median() if len(history) > 1 else history["seconds"].iloc[0]
    return {
        "epochs": str(outcome.summary["epochs"]),
        "stopped": "patience" if "early" in outcome.summary["stop_reason"] else "limit",
        "seconds per epoch": f"{seconds:.1f}",
        "training, minutes": f"{history['seconds'].sum() / 60:.2f}",
        "peak MB": f"{history['peak_memory_mb'].max():.0f}",
        "rows named per batch": f"{history['rows_per_batch'].mean():.0f}",
        "rows moved per batch": f"{history['rows_moved_per_batch'].mean():.0f}",
    }
