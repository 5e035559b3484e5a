"""The whole evaluation: all metrics of the trained vectors, of variants of them, and of random vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from terrarium.senses.data.relations import Lexicon
from terrarium.senses.evaluation.antonyms import AntonymTask, antonym_metrics, build_antonym_task
from terrarium.senses.evaluation.axes import axes_metrics, find_axes
from terrarium.senses.evaluation.ranking import (
    SynsetPairs,
    direction_accuracy,
    filtered_ranks,
    ranking_metrics,
    select_is_a_pairs,
)
from terrarium.senses.evaluation.similarity import WordPair, find_senses, similarity_metrics
from terrarium.senses.models.sparsity import small_fraction, zero_fraction
from terrarium.senses.models.vectors import SenseVectors, random_vectors, truncate, truncate_by_pca, with_zeros
from terrarium.senses.options import EvaluationOptions
from terrarium.training.torch.seeding import generator

TRAINED, UNTRAINED, RANDOM = "trained", "untrained", "random"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Results of an evaluation.

    Attributes:
        metrics: of the trained vectors.
        variants: one row per variant: variant and its metrics; trained, untrained and random are three of them.
        relations: one row per relation: relation, queries, mrr, hits_at_10, mean_rank, untrained_mrr, random_mrr.
        axes: one row per axis and test, see `find_axes`.
    """

    metrics: dict[str, float]
    variants: pd.DataFrame
    relations: pd.DataFrame
    axes: pd.DataFrame


def evaluate_vectors(
    trained: SenseVectors,
    untrained: SenseVectors,
    lexicon: Lexicon,
    distant: SynsetPairs,
    word_pairs: pd.DataFrame,
    options: EvaluationOptions,
) -> Evaluation:
    """Evaluate trained vectors.

    Args:
        trained: the vectors.
        untrained: the vectors that training started from.
        lexicon: synsets and senses; its relations are the pairs with their column split.
        distant: descendants and ancestors that only held-out pairs connect.
        word_pairs: columns dataset, word1, word2, score; may be empty.
        options: of the evaluation.
    """
    variants = make_variants(trained, untrained, lexicon, options)
    words = find_senses(word_pairs, lexicon)
    antonyms = build_antonym_task(lexicon, generator(options.seed, "antonyms"))
    is_a = select_is_a_pairs(lexicon.relations, "test")
    rows = {name: vector_metrics(vectors, is_a, distant, words, antonyms) for name, vectors in variants.items()}
    relations = _relation_metrics(variants, lexicon.relations, options)
    axes = find_axes(
        trained,
        lexicon,
        min_pairs=options.min_axis_pairs,
        num_directions=options.num_null_directions,
        rng=generator(options.seed, "axes"),
    )
    weight = relations["queries"] / relations["queries"].sum()
    metrics = {
        **rows[TRAINED],
        "test_mrr": float((relations["mrr"] * weight).sum()),
        "untrained_mrr": float((relations["untrained_mrr"] * weight).sum()),
        "test_hits_at_10": float((relations["hits_at_10"] * weight).sum()),
        **axes_metrics(axes),
    }
    return Evaluation(
        metrics={name: value for name, value in metrics.items() if np.isfinite(value)},
        variants=pd.DataFrame([{"variant": name, **numbers} for name, numbers in rows.items()]),
        relations=relations,
        axes=axes,
    )


def make_variants(
    trained: SenseVectors, untrained: SenseVectors, lexicon: Lexicon, options: EvaluationOptions
) -> dict[str, SenseVectors]:
    """Return by name: the trained vectors, the untrained, variants of the trained, and random vectors of their size."""
    dims = [dim for dim in options.truncated_dims if dim < trained.dim]
    rng = generator(options.seed, "null")
    return {
        TRAINED: trained,
        UNTRAINED: untrained,
        **{f"{zeros:.0%} zeros": with_zeros(trained, zeros) for zeros in options.zero_fractions if zeros > 0},
        **{f"PCA to {dim}": truncate_by_pca(trained, dim) for dim in dims},
        **{f"first {dim}": truncate(trained, dim) for dim in dims},
        RANDOM: random_vectors(len(lexicon.synsets), lexicon.senses, trained.dim, trained.polar, rng),
    }


def vector_metrics(
    vectors: SenseVectors,
    is_a: SynsetPairs,
    distant: SynsetPairs,
    words: Sequence[WordPair],
    antonyms: AntonymTask,
) -> dict[str, float]:
    """Return the metrics that every variant has: size, zeros, similarity, antonyms, and the direction of is-a.

    Args:
        vectors: of the variant.
        is_a: held-out children and parents.
        distant: as for `evaluate_vectors`.
        words: from `find_senses`.
        antonyms: from `build_antonym_task`.
    """
    return {
        "dim": float(vectors.dim),
        "exact_zeros": zero_fraction(vectors.synsets),
        "exact_zeros_senses": zero_fraction(vectors.senses),
        "fraction_below_0.01": small_fraction(vectors.synsets),
        "mean_length": float(np.linalg.norm(vectors.synsets, axis=1).mean()),
        **similarity_metrics(words, vectors.senses),
        **antonym_metrics(vectors, antonyms),
        "is_a_direction": direction_accuracy(vectors, is_a),
        "is_a_direction_transitive": direction_accuracy(vectors, distant),
    }


def _relation_metrics(
    variants: dict[str, SenseVectors], pairs: pd.DataFrame, options: EvaluationOptions
) -> pd.DataFrame:
    tables = {}
    for name in (TRAINED, UNTRAINED, RANDOM):
        rng = generator(options.seed, "ranking")
        tables[name] = ranking_metrics(filtered_ranks(variants[name], pairs, options.max_ranking_pairs, rng))
    result = tables[TRAINED]
    for name in (UNTRAINED, RANDOM):
        mrr = tables[name][["relation", "mrr"]].rename(columns={"mrr": f"{name}_mrr"})
        result = result.merge(mrr, on="relation")
    return result
