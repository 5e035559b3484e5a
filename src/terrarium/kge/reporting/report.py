"""The report of a run of the knowledge graph family."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.kge.reporting.figures import most_frequent
from terrarium.reporting.page import Block, code, figure, heading, page, paragraph, table

_SPLITS = {
    "validation": "validation",
    "test": "test",
    "test_groups": "test, whole groups held out",
}
_MEASURES = ("mrr", "hits_at_1", "hits_at_3", "hits_at_10", "mean_rank", "triples", "triples_with_unseen_entities")


def report_page(
    *,
    counts: dict[str, int],
    training_summary: dict[str, Any],
    history: pd.DataFrame,
    metrics: dict[str, float],
    relation_metrics: pd.DataFrame,
    method_metrics: pd.DataFrame,
    predictions: pd.DataFrame,
    shown: int,
    figures: dict[str, Any],
) -> str:
    """The page: how good the answers are, what they look like, the data, and how training went."""
    blocks = [
        heading("How good the answers are"),
        paragraph(
            "For each held-out triple the tail is looked for with head and relation given, and the head with relation "
            "and tail, among all entities. Other known answers, of all splits, do not count (filtered); of equal "
            "scores the mean place is taken (realistic rank)."
        ),
        table(_overall(metrics)),
        figure(figures["relations"], "relations"),
        table(most_frequent(relation_metrics, shown).drop(columns=["split", "name"])),
        *_methods(method_metrics, figures),
        heading("Best answers"),
        paragraph("An answer that is known says in which split it stands; the others are predictions."),
        table(predictions.drop(columns=["head", "tail"])),
        *_training(training_summary, history, figures),
        heading("The data"),
        table(pd.DataFrame({"what": [name.replace("_", " ") for name in counts], "count": list(counts.values())})),
        *_leak(counts),
        heading("Use the model"),
        code(
            'ranks = catalog.load("knowledge_graph.ranks")  # every held-out triple with its ranks\n'
            'weights = catalog.load("knowledge_graph.weights")  # load_scorer(weights) gives the scorer'
        ),
    ]
    return page("Knowledge graph", blocks)


def _overall(metrics: dict[str, float]) -> pd.DataFrame:
    rows = [
        {"split": label, **{measure: metrics[f"{name}_{measure}"] for measure in _MEASURES}}
        for name, label in _SPLITS.items()
        if f"{name}_mrr" in metrics
    ]
    return pd.DataFrame(rows, columns=["split", *_MEASURES]).rename(columns=lambda name: name.replace("_", " "))


def _methods(methods: pd.DataFrame, figures: dict[str, Any]) -> list[Block]:
    if methods.empty:
        return []
    return [
        heading("Beside guesses that need no training"),
        paragraph(
            "Majority: the answer that most training triples have. Nearest relatives: the shares of the answers in the "
            "smallest clade that holds an answered head. The accuracy is the share of questions whose best candidate "
            "is right; candidates are the answers that training knows."
        ),
        figure(figures["methods"], "methods"),
        table(methods.assign(split=methods["split"].str.replace("_", " "))),
    ]


def _training(summary: dict[str, Any], history: pd.DataFrame, figures: dict[str, Any]) -> list[Block]:
    shown = ["epoch", "loss", "validation_mrr", "validation_hits_at_10", "seconds", "peak_memory_mb"]
    return [
        heading("Training"),
        paragraph(
            f"{summary['stop_reason']} The weights are those of epoch {summary['best_epoch']}. "
            f"{summary['minutes']:.1f} minutes."
        ),
        *_savings(summary, history),
        figure(figures["loss"], "loss"),
        figure(figures["validation"], "validation"),
        table(history.tail(10)[[name for name in shown if name in history]]),
    ]


def _savings(summary: dict[str, Any], history: pd.DataFrame) -> list[Block]:
    found = []
    if "kept_for_backward_mb" in summary:
        found.append(
            f"Gradient checkpointing: a batch keeps {summary['kept_for_backward_mb']:.1f} MB for the way back, "
            f"{summary['kept_without_checkpointing_mb']:.1f} MB without it; the peak falls less, as the encoder's "
            "values are computed and held again."
        )
    if "cleanup_released_mb" in history:
        released = history["cleanup_released_mb"].sum()
        found.append(
            f"Memory cleanup gave {released:,.0f} MB of a GPU's cache back over all epochs; the peak of allocated "
            "memory is the same without it."
            if released
            else "Memory cleanup saved nothing."
        )
    return [paragraph(" ".join(found))] if found else []


def _leak(counts: dict[str, int]) -> list[Block]:
    crossing = counts.get("pairs_in_two_splits", 0)
    if not crossing:
        return []
    return [
        paragraph(
            f"{crossing:,} pairs of ends stand in two of the given splits, in some direction or under some relation: "
            "part of what is asked can be read off the training triples."
        )
    ]
