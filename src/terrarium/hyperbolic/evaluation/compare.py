"""All measures of a layout on its tree, beside the layouts that need no training."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.distortion import distortion
from terrarium.hyperbolic.evaluation.norms import depth_correlations, norm_numbers, norm_statistics
from terrarium.hyperbolic.evaluation.purity import purity, purity_metrics
from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct, reconstruct_undirected
from terrarium.hyperbolic.evaluation.separation import separation, separation_metrics
from terrarium.hyperbolic.geometry.ball import Floats, Layout, to_ball
from terrarium.hyperbolic.options import EvaluationOptions

TRAINED = "trained"


@dataclass(frozen=True, eq=False)
class Measured:
    """The measures of one layout: plain numbers, and a table by rank."""

    numbers: dict[str, float]
    by_rank: pd.DataFrame


def measure(
    tree: Hierarchy,
    layout: Layout,
    ranks: pd.Series,
    options: EvaluationOptions,
    *,
    exact_limit: int,
    way: Floats | None = None,
) -> Measured:
    """Everything that is measured of a layout.

    Args:
        tree: N nodes.
        layout: their points.
        ranks: (N,) rank of each row.
        options: what and how much.
        exact_limit: up to this many taxa every one is a query; beyond it a sample.
        way: (N,) lengths of the ways from the root, if the links have lengths.
    """
    sample = choose_queries(tree, exact_limit, options.num_queries, options.seed)
    groups = {"group_min": options.min_group_size, "group_sample": options.max_group_sample, "seed": options.seed}
    apart = separation(tree, layout, ranks, options.ranks, **groups)
    pure = purity(
        tree,
        layout,
        ranks,
        options.ranks,
        neighbours=options.num_neighbors,
        sample=options.max_purity_taxa,
        seed=options.seed,
    )
    undirected = reconstruct_undirected(tree, layout, sample) if options.undirected else {}
    numbers = {
        **norm_statistics(to_ball(layout)),
        **depth_correlations(tree.depth, layout.radius),
        **reconstruct(tree, layout, sample).metrics(),
        **undirected,
        **distortion(tree, layout, pairs=options.max_distortion_pairs, seed=options.seed, way=way),
        **separation_metrics(apart),
        **purity_metrics(pure),
    }
    shared = [column for column in pure.columns if column in apart.columns and column != "rank"]
    by_rank = apart.merge(pure.drop(columns=shared), on="rank", how="outer")
    return Measured(numbers, in_order(by_rank, options.ranks))


def in_order(table: pd.DataFrame, ranks: list[str]) -> pd.DataFrame:
    """Rows in the order of the ranks asked for."""
    order = {rank: place for place, rank in enumerate(ranks)}
    return table.sort_values("rank", key=lambda column: column.map(order)).reset_index(drop=True)


def compare(
    tree: Hierarchy,
    layouts: dict[str, Layout],
    ranks: pd.Series,
    options: EvaluationOptions,
    norm: Floats | None = None,
    way: Floats | None = None,
) -> tuple[dict[str, float], pd.DataFrame, pd.DataFrame]:
    """Measure the trained layout exactly and the others on a sample of queries.

    Args:
        tree: N nodes.
        layouts: by name; `trained` is among them.
        ranks: (N,) rank of each row.
        options: what and how much.
        norm: (N,) Euclidean norms of the trained points, where these may lie outside the ball and the layout cannot:
            what is said of norms is then said of them.
        way: see `measure`.

    Returns:
        numbers of the trained layout; a row a layout with all its numbers; a row a layout and rank.
    """
    limit = {name: options.max_exact_queries if name == TRAINED else 0 for name in layouts}
    measured = {
        name: measure(tree, layout, ranks, options, exact_limit=limit[name], way=way)
        for name, layout in layouts.items()
    }
    if norm is not None:
        measured[TRAINED].numbers.update(norm_numbers(tree.depth, norm))
    rows = [{"layout": name, **found.numbers} for name, found in measured.items()]
    tables = [found.by_rank.assign(layout=name) for name, found in measured.items()]
    by_rank = pd.concat(tables, ignore_index=True)
    first = ["layout", "rank"]
    by_rank = by_rank[first + [column for column in by_rank.columns if column not in first]]
    return measured[TRAINED].numbers, pd.DataFrame(rows), by_rank


def tree_numbers(tree: Hierarchy) -> dict[str, float]:
    """Size of the tree and of its closure: pairs and shares at depth difference 1, 2 and 3 or more."""
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
        **{f"share_difference_{name}": count / pairs for name, count in counts.items()},
    }
