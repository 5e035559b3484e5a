"""All metrics of a layout, next to those of layouts that need no training."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.groups import AUTO, choose_ranks
from terrarium.hyperbolic.evaluation.distortion import distortion
from terrarium.hyperbolic.evaluation.norms import depth_correlations, norm_statistics
from terrarium.hyperbolic.evaluation.purity import purity_metrics, purity_table
from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct, reconstruct_undirected
from terrarium.hyperbolic.evaluation.separation import separation_metrics, separation_table
from terrarium.hyperbolic.geometry.ball import Layout, to_ball
from terrarium.hyperbolic.geometry.precision import row_norms
from terrarium.hyperbolic.options import EvaluationOptions

TRAINED = "trained"
"""Name of a trained layout."""


class LayoutMetrics(NamedTuple):
    """The metrics of one layout.

    Attributes:
        metrics: value of each metric.
        by_rank: one row per rank with at least two groups: the columns of `separation_table` and `purity_table`.
    """

    metrics: dict[str, float]
    by_rank: pd.DataFrame


class Comparison(NamedTuple):
    """The metrics of several layouts.

    Attributes:
        result: metrics of the first layout.
        by_layout: one row per layout: layout, and a column per metric.
        by_rank: one row per layout and rank: layout, rank, and the columns of `separation_table` and `purity_table`.
    """

    result: dict[str, float]
    by_layout: pd.DataFrame
    by_rank: pd.DataFrame


def compare_layouts(
    tree: Hierarchy,
    layouts: dict[str, Layout],
    taxon_ranks: pd.Series,
    options: EvaluationOptions,
    norm: Float64Array | None = None,
    root_distance: Float64Array | None = None,
) -> Comparison:
    """Measure the first layout on up to `max_exact_queries` queries and the others on a sample.

    Args:
        tree: N nodes.
        layouts: layouts by name; the first is the one that the others are compared with.
        taxon_ranks: (N,) rank of each row.
        options: what to measure.
        norm: (N,) Euclidean norms of the first layout if these may be outside the ball, where a layout cannot be:
            the metrics of norms are then computed from them.
        root_distance: (N,) lengths of the paths from the root, if the links have lengths.
    """
    result = next(iter(layouts))
    max_exact = {name: options.max_exact_queries if name == result else 0 for name in layouts}
    measured = {
        name: measure_layout(tree, layout, taxon_ranks, options, max_exact=max_exact[name], root_distance=root_distance)
        for name, layout in layouts.items()
    }
    if norm is not None:
        measured[result].metrics.update(norm_statistics(tree.depth, norm))
    by_layout = pd.DataFrame([{"layout": name, **found.metrics} for name, found in measured.items()])
    by_rank = pd.concat([found.by_rank.assign(layout=name) for name, found in measured.items()], ignore_index=True)
    first = ["layout", "rank"]
    by_rank = by_rank[first + [column for column in by_rank.columns if column not in first]]
    return Comparison(measured[result].metrics, by_layout, by_rank)


def measure_layout(
    tree: Hierarchy,
    layout: Layout,
    taxon_ranks: pd.Series,
    options: EvaluationOptions,
    *,
    max_exact: int,
    root_distance: Float64Array | None = None,
) -> LayoutMetrics:
    """Measure one layout.

    Args:
        tree: N nodes.
        layout: their points.
        taxon_ranks: (N,) rank of each row.
        options: what to measure.
        max_exact: up to this many taxa every taxon is a query; beyond it a sample is.
        root_distance: (N,) lengths of the paths from the root, if the links have lengths.
    """
    ranks = measured_ranks(tree, taxon_ranks, options)
    sample = choose_queries(tree, max_exact, options.num_queries, options.seed)
    separation = separation_table(
        tree,
        layout,
        taxon_ranks,
        ranks,
        min_group_size=options.min_group_size,
        max_group_sample=options.max_group_sample,
        seed=options.seed,
    )
    purity = purity_table(
        tree,
        layout,
        taxon_ranks,
        ranks,
        num_neighbors=options.num_neighbors,
        max_taxa=options.max_purity_taxa,
        seed=options.seed,
    )
    metrics = {
        **norm_statistics(tree.depth, row_norms(to_ball(layout))),
        **depth_correlations(tree.depth, layout.radius),
        **reconstruct(tree, layout, sample).metrics(),
        **(reconstruct_undirected(tree, layout, sample) if options.undirected else {}),
        **distortion(
            tree, layout, max_pairs=options.max_distortion_pairs, seed=options.seed, root_distance=root_distance
        ),
        **separation_metrics(separation),
        **purity_metrics(purity),
    }
    return LayoutMetrics(metrics, _merge_by_rank(separation, purity, ranks))


def measured_ranks(tree: Hierarchy, taxon_ranks: pd.Series, options: EvaluationOptions) -> list[str]:
    """Return the ranks of the options, or, for "auto", the four highest with enough groups.

    Args:
        tree: N nodes.
        taxon_ranks: (N,) rank of each row.
        options: ranks and min_group_size.
    """
    if options.ranks == AUTO:
        return choose_ranks(tree, taxon_ranks, min_group_size=options.min_group_size)
    return list(options.ranks)


def tree_statistics(tree: Hierarchy) -> dict[str, float]:
    """Return the size of a tree and of its closure.

    Returns:
        taxa, max_depth, pairs (of ancestor and descendant), and for depth differences 1, 2 and 3_or_more the number of
        pairs, pairs_difference_<k>, and their fraction of all pairs, fraction_difference_<k>.
    """
    pairs = tree.pair_count
    if tree.is_tree:
        near = {k: int((tree.depth >= k).sum()) for k in (1, 2)}
    else:
        near = {k: int((tree.ancestor_rows.difference == k).sum()) for k in (1, 2)}
    counts = {"1": near[1], "2": near[2], "3_or_more": pairs - near[1] - near[2]}
    return {
        "taxa": float(len(tree)),
        "max_depth": float(tree.max_depth),
        "pairs": float(pairs),
        **{f"pairs_difference_{name}": float(count) for name, count in counts.items()},
        **{f"fraction_difference_{name}": count / pairs for name, count in counts.items()},
    }


def _merge_by_rank(separation: pd.DataFrame, purity: pd.DataFrame, ranks: list[str]) -> pd.DataFrame:
    """Join the two tables by rank, in the order of the options; columns in both are those of separation."""
    shared = [column for column in purity.columns if column in separation.columns and column != "rank"]
    table = separation.merge(purity.drop(columns=shared), on="rank", how="outer")
    position = {rank: place for place, rank in enumerate(ranks)}
    return table.sort_values("rank", key=lambda column: column.map(position)).reset_index(drop=True)
