"""Everything that is measured of sense vectors, beside random ones and shorter ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.senses.data.relations import Lexicon
from terrarium.senses.evaluation.antonyms import antonym_metrics
from terrarium.senses.evaluation.axes import antonym_axes, axes_metrics
from terrarium.senses.evaluation.ranking import direction_accuracy, filtered_ranks, held_out_hypernyms, summary_of
from terrarium.senses.evaluation.similarity import WordPair, find_senses, similarity_metrics
from terrarium.senses.models.sparsity import exact_zero_share, small_share
from terrarium.senses.models.vectors import Vectors, cut_by_pca, cut_to_first, random_vectors, with_zeros
from terrarium.senses.options import EvaluationOptions
from terrarium.training.torch.seeding import generator

Measured = tuple[dict[str, float], pd.DataFrame, pd.DataFrame, pd.DataFrame]
TRAINED = "trained"


def measure(
    lexicon: Lexicon,
    far: tuple[np.ndarray, np.ndarray],
    word_pairs: pd.DataFrame,
    trained: Vectors,
    options: EvaluationOptions,
) -> Measured:
    """Metrics of the trained vectors; a row a variant; a row a relation; a row a named axis.

    Args:
        lexicon: with the pairs, and the part of each, as its relations.
        far: descendants and ancestors that only a held-out pair connects.
        word_pairs: dataset, word1, word2, score; may be empty.
        trained: vectors.
        options: of the evaluation.
    """
    dim = trained.synsets.shape[1]
    variants = {TRAINED: trained}
    variants |= {f"{share:.0%} zeros": with_zeros(trained, share) for share in options.sparsity_curve if share > 0}
    widths = [width for width in options.truncations if width < dim]
    variants |= {f"PCA to {width}": cut_by_pca(trained, width) for width in widths}
    variants |= {f"first {width}": cut_to_first(trained, width) for width in widths}
    rng = generator(options.seed, "null")
    variants["random"] = random_vectors(len(lexicon.synsets), lexicon.senses, dim, trained.polar, rng)
    words = find_senses(word_pairs, lexicon.senses, lexicon.relations, len(lexicon.synsets))
    rows = {name: quality(lexicon, far, words, vectors, options) for name, vectors in variants.items()}
    ranks = summary_of(
        filtered_ranks(trained, lexicon.relations, options.ranking_queries, generator(options.seed, "ranking"))
    )
    null = filtered_ranks(
        variants["random"], lexicon.relations, options.ranking_queries, generator(options.seed, "ranking")
    )
    ranks = ranks.merge(summary_of(null)[["relation", "mrr"]].rename(columns={"mrr": "random_mrr"}), on="relation")
    axes = antonym_axes(
        *(trained, lexicon.senses, lexicon.relations, options.axis_pairs, options.null_directions),
        generator(options.seed, "axes"),
    )
    weight = ranks["queries"] / ranks["queries"].sum()
    metrics = {
        **rows[TRAINED],
        "test_mrr": float((ranks["mrr"] * weight).sum()),
        "test_hits_at_10": float((ranks["hits_at_10"] * weight).sum()),
        **axes_metrics(axes),
    }
    table = pd.DataFrame([{"variant": name, **numbers} for name, numbers in rows.items()])
    return {name: value for name, value in metrics.items() if np.isfinite(value)}, table, ranks, axes


def quality(
    lexicon: Lexicon,
    far: tuple[np.ndarray, np.ndarray],
    words: list[WordPair],
    vectors: Vectors,
    options: EvaluationOptions,
) -> dict[str, float]:
    """What is measured of each variant: size, zeros, similarity, antonyms, and which way is-a points."""
    return {
        "dim": float(vectors.synsets.shape[1]),
        "exact_zeros": exact_zero_share(vectors.synsets),
        "exact_zeros_senses": exact_zero_share(vectors.senses),
        "share_below_0.01": small_share(vectors.synsets),
        "mean_length": float(np.linalg.norm(vectors.synsets, axis=1).mean()),
        **similarity_metrics(words, vectors.senses),
        **antonym_metrics(vectors, lexicon.senses, lexicon.relations, generator(options.seed, "antonyms")),
        "is_a_direction": direction_accuracy(vectors, *held_out_hypernyms(lexicon.relations)),
        "is_a_direction_transitive": direction_accuracy(vectors, *far),
    }
