"""The report of a run of the senses family."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from terrarium.reporting.page import Block, code, figure, heading, page, paragraph, table
from terrarium.reporting.theme import number
from terrarium.senses.options import ReportingOptions

_MEASURES: tuple[tuple[str, str, str], ...] = (
    ("simlex999_spearman", "SimLex-999, all", "Rank correlation with people, best pair of senses."),
    ("simlex999_n_spearman", "SimLex-999, nouns", "The same of the nouns."),
    ("simlex999_unlinked_spearman", "SimLex-999, unlinked", "Only pairs that no training link joins."),
    ("antonym_auc_synonym", "antonyms against synonyms", "Held-out antonyms against co-lemmas of a synset, AUC."),
    ("antonym_auc_near_synonym", "antonyms against near synonyms", "The same against held-out pairs of similar to."),
    ("antonym_auc_random", "antonyms against any two adjectives", "The same against random pairs."),
    ("antonym_opposed_dimensions_held_out", "dimensions on which they oppose", "Mean share over held-out antonyms."),
    ("is_a_direction", "is-a direction", "Held-out is-a pairs that score higher the right way round."),
    ("is_a_direction_transitive", "is-a direction, far", "The same of ancestors that only a held-out pair gives."),
    ("exact_zeros", "exact zeros", "Share of the synsets' entries that are zero, at length 1."),
    ("share_below_0.01", "share below 0.01", "What the documents call sparsity; it follows from the scale alone."),
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
    figures: dict[str, Any],
) -> str:
    """The page: how good the vectors are, what they look like, the data, and how training went."""
    blocks = [
        *_quality(metrics, variant_metrics, figures),
        *_relations(relation_metrics, figures),
        *_axes(metrics, axes),
        *_look(vectors, reporting),
        *_training(training_summary, history, figures),
        heading("The data"),
        paragraph(
            f"{len(vectors):,} senses of {vectors['synset'].nunique():,} synsets. Inverse relations are one pair, "
            "counted under the name it is kept by."
        ),
        table(relation_counts.assign(relation=relation_counts["relation"].str.replace("_", " "))),
        *_use(),
    ]
    return page("Word senses", blocks)


def _quality(metrics: dict[str, float], variants: pd.DataFrame, figures: dict[str, Any]) -> list[Block]:
    shown = [measure for measure in _MEASURES if measure[0] in variants]
    kept = variants[variants["variant"].isin(["trained", "random"]) | variants["variant"].str.startswith("PCA")]
    rows = kept.set_index("variant")[[name for name, *_ in shown]].T
    rows.insert(0, "measure", [label for _, label, _ in shown])
    rows["what it says"] = [text for *_, text in shown]
    return [
        heading("How good the vectors are"),
        paragraph(
            f"Vectors of {number(metrics['dim'])} dimensions beside random ones of the same size and the trained ones "
            "cut to fewer dimensions by principal components. Held-out pairs took no part in training, in no direction."
        ),
        table(rows.reset_index(drop=True)),
        figure(figures["similarity"], "similarity"),
        figure(figures["sparsity"], "sparsity"),
    ]


def _relations(relations: pd.DataFrame, figures: dict[str, Any]) -> list[Block]:
    return [
        heading("Held-out relations"),
        paragraph(
            "For each held-out pair one end and the relation are given and the other end is looked for among all "
            "synsets, other right answers left out; both directions."
        ),
        figure(figures["relations"], "relations"),
        table(relations.assign(relation=relations["relation"].str.replace("_", " "))),
    ]


def _axes(metrics: dict[str, float], axes: pd.DataFrame) -> list[Block]:
    if axes.empty:
        return [heading("Axes"), paragraph("No dimension opposes enough antonym pairs to be called an axis.")]
    return [
        heading("Axes"),
        paragraph(
            "Dimensions on which antonyms oppose most. Poles are set on half of the trained pairs. A tested pair takes "
            "axis and poles from its nearest pair of that half; agreement is the share of the pairs whose ends lie on "
            "the sides so given, beside random directions. Of the other half of the trained pairs "
            f"{number(metrics['axes_beyond_null'])} of {number(metrics['axes'])} axes lie above the 95 % quantile of "
            f"the random ones; of held-out antonyms {number(metrics['axes_held_out_beyond_null'])} of "
            f"{number(metrics['axes_held_out'])}."
        ),
        table(axes),
    ]


def _look(vectors: pd.DataFrame, reporting: ReportingOptions) -> list[Block]:
    columns = [column for column in vectors.columns if column.startswith("x") and column[1:].isdigit()]
    rows = vectors[columns].to_numpy(np.float32)
    blocks = [heading("Nearest senses"), table(nearest_senses(vectors, rows, reporting))]
    return [*blocks, heading("Words of dimensions"), table(dimension_words(vectors, rows, reporting))]


def nearest_senses(vectors: pd.DataFrame, rows: np.ndarray, reporting: ReportingOptions) -> pd.DataFrame:
    """The nearest senses, of other synsets, of each sense of some words: word, sense, nearest."""
    found = []
    names = (vectors["lemma"] + " (" + vectors["synset"] + ")").to_numpy()
    synset = vectors["synset"].to_numpy()
    for word in reporting.neighbours_of:
        for place in np.flatnonzero((vectors["lemma"] == word.lower().replace(" ", "_")).to_numpy())[:3]:
            score = rows @ rows[place]
            score[synset == synset[place]] = -np.inf
            order = np.argsort(-score)
            first = order[~pd.Series(synset[order[:200]]).duplicated().reindex(range(len(order)), fill_value=True)]
            near = ", ".join(f"{names[i]} {score[i]:.2f}" for i in first[: reporting.neighbours])
            found.append({"word": word, "sense": vectors["sense_key"].iloc[place], "nearest": near})
    return pd.DataFrame(found, columns=["word", "sense", "nearest"])


def dimension_words(vectors: pd.DataFrame, rows: np.ndarray, reporting: ReportingOptions) -> pd.DataFrame:
    """The words at either end of the dimensions with the largest entries: dimension, highest, lowest."""
    lemma = vectors["lemma"].to_numpy()
    first = np.flatnonzero(~vectors["synset"].duplicated().to_numpy())
    strongest = np.argsort(-np.abs(rows[first]).max(axis=0))[: reporting.dimensions]
    found = []
    for dimension in np.sort(strongest):
        order = first[np.argsort(rows[first, dimension])]
        low, high = order[: reporting.top_words], order[::-1][: reporting.top_words]
        found.append({"dimension": f"x{dimension}", "highest": ", ".join(lemma[high]), "lowest": ", ".join(lemma[low])})
    return pd.DataFrame(found, columns=["dimension", "highest", "lowest"])


def _training(summary: dict[str, Any], history: pd.DataFrame, figures: dict[str, Any]) -> list[Block]:
    return [
        heading("Training"),
        paragraph(
            f"{summary['stop_reason']} The vectors are those of epoch {summary['best_epoch']}. "
            f"{summary['minutes']:.1f} minutes."
        ),
        figure(figures["loss"], "loss"),
        figure(figures["growth"], "growth"),
        table(
            history.tail(10)[
                [
                    name
                    for name in ("epoch", "loss", "validation_loss", "dim", "batch_size", "seconds")
                    if name in history
                ]
            ]
        ),
    ]


def _use() -> list[Block]:
    return [
        heading("Use the vectors"),
        code(
            'vectors = catalog.load("senses.vectors").set_index("sense_key")\n'
            'vectors.loc["dog%1:05:00::"]  # lemma, pos, synset, x0 ...'
        ),
    ]
