"""The HTML report of the senses family."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float32Array
from terrarium.common.vectors import coordinates
from terrarium.reporting.page import render_page
from terrarium.senses.evaluation.export import frequency_order
from terrarium.senses.options import ReportingOptions

_TEMPLATE = "senses/reporting/report.html.j2"
_HISTORY_COLUMNS = ("epoch", "loss", "validation_loss", "dim", "batch_size", "seconds")


class Metric(NamedTuple):
    """A metric that the report shows: its column, its name for readers, and what it means."""

    column: str
    label: str
    meaning: str


_PARTS = {"a": "adjectives", "n": "nouns", "r": "adverbs", "v": "verbs"}
METRICS = (
    Metric(
        "antonym_auc_near_synonym", "antonyms, near synonyms", "AUC of held-out antonyms against pairs of similar to."
    ),
    Metric("antonym_text_auc_near_synonym", "the same, text alone", "The score without features of the vectors."),
    Metric("antonym_cosine_auc_near_synonym", "the same, cosine", "The cosine or its negative, whichever is better."),
    Metric("antonym_auc_random", "antonyms, random adjectives", "AUC of held-out antonyms against random adjectives."),
    Metric("antonym_text_auc_random", "the same, text alone", "The score without features of the vectors."),
    Metric("antonym_cosine_auc_random", "the same, cosine", "The cosine or its negative, whichever is better."),
    Metric("antonym_opposition_auc_indirect_held_out", "indirect antonyms", "Satellites of held-out antonymous heads."),
    Metric(
        "antonym_opposed_dimensions_held_out", "opposed dimensions", "Mean fraction of dimensions with opposite signs."
    ),
    Metric("is_a_direction", "is-a direction", "Held-out is-a pairs that score higher than the reversed pair."),
    Metric("is_a_direction_transitive", "is-a direction, distant", "The same for ancestors that are not parents."),
    Metric("exact_zeros", "exact zeros", "Fraction of the synsets' entries that are zero, at length 1."),
    Metric(
        "fraction_below_0.01", "fraction below 0.01", "What NAOMI-II calls sparsity; it depends on the scale alone."
    ),
)


def report_page(
    *,
    relation_counts: pd.DataFrame,
    training_summary: dict[str, Any],
    history: pd.DataFrame,
    metrics: dict[str, float],
    variant_metrics: pd.DataFrame,
    relation_metrics: pd.DataFrame,
    axes: pd.DataFrame,
    vectors: pd.DataFrame,
    reporting: ReportingOptions,
    **figures: Any,
) -> str:
    """Return the report as one HTML page.

    Args:
        relation_counts: columns relation, instances and pairs.
        training_summary: stop_reason, best_epoch and minutes.
        history: one row per epoch.
        metrics: of the trained vectors.
        variant_metrics: one row per variant, with the column variant.
        relation_metrics: one row per relation.
        axes: one row per axis and test.
        vectors: columns sense_key, lemma, pos, sense_number, synset, x0, x1, ...
        reporting: which words and dimensions to show.
        figures: plotly figures figure_loss, figure_growth, figure_similarity, figure_sparsity and figure_relations.
    """
    rows = coordinates(vectors).astype(np.float32, copy=False)
    return render_page(
        _TEMPLATE,
        title="Word senses",
        metrics=metrics,
        quality=quality_table(variant_metrics),
        has_similarity=bool(_similarity_metrics(variant_metrics)),
        relations=_readable_relations(relation_metrics),
        axes=axes,
        neighbours=nearest_senses(vectors, rows, reporting),
        dimensions=dimension_words(vectors, rows, reporting),
        summary=training_summary,
        history=history.tail(10)[[name for name in _HISTORY_COLUMNS if name in history]],
        counts=_readable_relations(relation_counts),
        num_senses=len(vectors),
        num_synsets=vectors["synset"].nunique(),
        **figures,
    )


def quality_table(variants: pd.DataFrame) -> pd.DataFrame:
    """Return one row per metric: its label, its value for each kind of vectors but those with more zeros, its meaning.

    Args:
        variants: one row per variant, with the column variant and its metrics.
    """
    shown = [*_similarity_metrics(variants), *(metric for metric in METRICS if metric.column in variants)]
    kept = variants[
        variants["variant"].isin(["trained", "untrained", "random"]) | variants["variant"].str.startswith("PCA")
    ]
    table = kept.set_index("variant")[[metric.column for metric in shown]].T
    table.insert(0, "metric", [metric.label for metric in shown])
    table["meaning"] = [metric.meaning for metric in shown]
    return table.reset_index(drop=True)


def _similarity_metrics(variants: pd.DataFrame) -> list[Metric]:
    """Return the rank correlations that were measured, each with its benchmark as its label."""
    metrics = []
    for column in map(str, variants):
        name, _, kind = column.removesuffix("_spearman").rpartition("_")
        if column.endswith("_unlinked_spearman"):
            metrics.append(Metric(column, f"{name}, unlinked", "Only pairs that no training pair joins."))
        elif column.endswith("_spearman") and kind in _PARTS and f"{name}_spearman" in variants:
            metrics.append(Metric(column, f"{name}, {_PARTS[kind]}", "The same for one part of speech."))
        elif column.endswith("_spearman"):
            label = column.removesuffix("_spearman")
            metrics.append(Metric(column, label, "Rank correlation with human scores, best pair of senses."))
    return metrics


def nearest_senses(vectors: pd.DataFrame, rows: Float32Array, reporting: ReportingOptions) -> pd.DataFrame:
    """Return the nearest senses, one per other synset, of the three most frequent senses of each word.

    Args:
        vectors: columns sense_key, lemma, pos, sense_number and synset.
        rows: (N, D) their unit vectors.
        reporting: words and number of neighbours.

    Returns:
        Columns word, sense (key) and nearest (lemmas, synsets and cosines).
    """
    names = (vectors["lemma"] + " (" + vectors["synset"] + ")").to_numpy()
    synset = vectors["synset"].to_numpy()
    table = []
    for word in reporting.neighbor_words:
        own = np.flatnonzero((vectors["lemma"] == word.lower().replace(" ", "_")).to_numpy())
        for sense in own[frequency_order(vectors.iloc[own])][:3]:
            cosine = rows @ rows[sense]
            others = np.flatnonzero(synset != synset[sense])
            candidates = others[np.argsort(-cosine[others])[:200]]
            distinct = candidates[~pd.Series(synset[candidates]).duplicated().to_numpy()]
            nearest = ", ".join(f"{names[i]} {cosine[i]:.2f}" for i in distinct[: reporting.num_neighbors])
            table.append({"word": word, "sense": vectors["sense_key"].iloc[sense], "nearest": nearest})
    return pd.DataFrame(table, columns=["word", "sense", "nearest"])


def dimension_words(vectors: pd.DataFrame, rows: Float32Array, reporting: ReportingOptions) -> pd.DataFrame:
    """Return the words at either end of the dimensions with the largest entries.

    Args:
        vectors: columns lemma and synset.
        rows: (N, D) their unit vectors.
        reporting: number of dimensions and words.

    Returns:
        Columns dimension, highest and lowest.
    """
    lemma = vectors["lemma"].to_numpy()
    first = np.flatnonzero(~vectors["synset"].duplicated().to_numpy())
    strongest = np.argsort(-np.abs(rows[first]).max(axis=0))[: reporting.num_dimensions]
    table = []
    for dimension in np.sort(strongest):
        order = first[np.argsort(rows[first, dimension])]
        low, high = order[: reporting.num_words], order[::-1][: reporting.num_words]
        table.append({"dimension": f"x{dimension}", "highest": ", ".join(lemma[high]), "lowest": ", ".join(lemma[low])})
    return pd.DataFrame(table, columns=["dimension", "highest", "lowest"])


def _readable_relations(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(relation=table["relation"].str.replace("_", " "))
