"""The report of a run of the pipeline `hyperbolic`; its text is in `report.html.j2`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from terrarium.hyperbolic.data.groups import AUTO, NO_RANKS
from terrarium.hyperbolic.reporting.disk_map import embedded_disk
from terrarium.hyperbolic.reporting.example import work_out_example
from terrarium.hyperbolic.reporting.radius_quality import quality_table
from terrarium.reporting.page import listing, render_page

_TEMPLATE = "hyperbolic/reporting/report.html.j2"
_EXAMPLE = """vectors = catalog.load("hyperbolic.vectors")
species = vectors[vectors["rank"] == "species"]
points = species.set_index("name").filter(regex="^x[0-9]+$")"""


class Metric(NamedTuple):
    """A metric of the report.

    Attributes:
        name: its column in the table of layouts.
        label: what the report calls it.
        higher_is_better: None if neither direction is better.
        explanation: what it says.
    """

    name: str
    label: str
    higher_is_better: bool | None
    explanation: str


_METRICS = (
    Metric(
        "ancestor_map_detour",
        "ancestor MAP, detour",
        True,
        "Each taxon's ancestors are ranked among all other taxa by detour: radius of the candidate + distance - radius "
        "of the taxon. It is 0 for a candidate on the geodesic from the origin to the taxon. MAP is 1 if every "
        "ancestor comes first.",
    ),
    Metric("ancestor_mean_rank_detour", "ancestor mean rank, detour", False, "Mean rank of the same; 1 is best."),
    Metric(
        "ancestor_map_distance",
        "ancestor MAP, distance",
        True,
        "The same ranking by hyperbolic distance alone. Siblings are nearer than distant ancestors in any faithful "
        "picture of a tree, so this stays low unless it is trained for.",
    ),
    Metric("ancestor_mean_rank_distance", "ancestor mean rank, distance", False, "Mean rank of the same; 1 is best."),
    Metric(
        "undirected_map_distance",
        "undirected MAP, distance",
        True,
        "Ancestors and descendants together, ranked by distance (Nickel and Kiela 2018).",
    ),
    Metric("undirected_mean_rank_distance", "undirected mean rank, distance", False, "Mean rank of the same."),
    Metric("edge_map", "edge MAP", True, "Parent and children, ranked among all other taxa by distance. 1 is best."),
    Metric(
        "hops_spearman",
        "rank correlation of distance and hops",
        True,
        "Over pairs of taxa: whether taxa that are far apart in the tree are far apart here.",
    ),
    Metric(
        "distortion_mean",
        "mean distortion",
        False,
        "Mean |distance / hops - 1| at the best common scale. If the links have lengths, the length of the path "
        "replaces hops.",
    ),
    Metric(
        "depth_norm_pearson",
        "r of depth and norm",
        None,
        "Pearson correlation. The inherited and random layouts have it by construction: it shows that radii were kept, "
        "not that anything was learned.",
    ),
    Metric("depth_radius_pearson", "r of depth and radius", None, "The same with the hyperbolic radius."),
    Metric("mean_norm", "mean norm", None, "Mean Euclidean norm in the ball."),
    Metric("max_norm", "largest norm", None, "Below 1: inside the ball."),
    Metric("fraction_outside", "fraction outside", False, "Fraction of taxa with a norm of 1 or more."),
)
_RANK_COLUMNS = {
    "layout": "layout",
    "rank": "rank",
    "groups": "groups",
    "separation": "separation",
    "hop_separation": "in the tree",
    "separation_nearest": "from the nearest group",
    "hop_separation_nearest": "in the tree",
    "purity": "purity",
    "purity_chance": "chance",
    "purity_permuted": "permuted",
}
_MISPLACED_COLUMNS = {
    "rank": "rank",
    "name": "taxon",
    "group": "its group",
    "own_fraction": "neighbours in its group",
    "neighbour_group": "most are in",
    "neighbour_fraction": "fraction",
}
_EXPLORED = 3000
"""Most points of the interactive disk: the page grows by about 100 bytes for each."""
_NO_NAME = frozenset({"", "root", "nan", "None"})
_MOST_RANKS = 12
_STILL = 1e-9
"""Radii of a depth, or norms of the epochs, that differ by less are prescribed, and a figure of them says nothing."""


def report_page(
    *,
    source_info: dict[str, str],
    vectors: pd.DataFrame,
    cleaning_report: pd.DataFrame,
    training_summary: dict[str, Any],
    history: pd.DataFrame,
    metrics: dict[str, float],
    layout_metrics: pd.DataFrame,
    rank_metrics: pd.DataFrame,
    misplaced: pd.DataFrame,
    radius_metrics: pd.DataFrame,
    example: str | int,
    **figures: Any,
) -> str:
    """Render the report: what was embedded, the disk, one taxon, how faithful it is, and how training went.

    Args:
        source_info: name, version, date, location and part of the source, see `describe_source`.
        vectors: id, name, rank, depth, parent, radius and ball coordinates.
        cleaning_report: rule and removed, one row per rule.
        training_summary: stop_reason, epochs, best_epoch.
        history: one row per epoch.
        metrics: metrics of the first layout.
        layout_metrics: one row per layout; the first is the one that is reported.
        rank_metrics: one row per layout and rank.
        misplaced: taxa whose neighbours are in another group, see `misplaced_taxa`.
        radius_metrics: quality of the layouts at several largest radii, see `quality_table`.
        example: name or id of the taxon that is worked out; "auto" chooses one.
        figures: figure_disk, figure_loss, figure_norms, figure_quality, figure_radius, figure_separation and
            figure_purity.

    Returns:
        A self-contained HTML page.
    """
    by_layout = layout_metrics.set_index("layout")
    shown = [metric for metric in _METRICS if metric.name in by_layout]
    queries = by_layout["reconstruction_queries"]
    subject = subject_of(vectors)
    return render_page(
        _TEMPLATE,
        title=f"{subject} in hyperbolic space",
        subject=subject,
        source=source_info,
        metrics=metrics,
        counts=count_ranks(vectors),
        removed=cleaning_report[cleaning_report["removed"] > 0],
        worked=work_out_example(vectors, example),
        explorer=embedded_disk(vectors, AUTO, _EXPLORED, f"{subject}: a walk through the disk"),
        queries={"first": queries.iloc[0], "others": queries.iloc[1:].max()},
        layouts=pd.DataFrame([{"metric": metric.label, **by_layout[metric.name].to_dict()} for metric in shown]),
        winners=best_layouts(by_layout, shown),
        guide=pd.DataFrame([{"metric": metric.label, "what it says": metric.explanation} for metric in shown]),
        ranks=rank_metrics[[column for column in _RANK_COLUMNS if column in rank_metrics]],
        rank_labels=_RANK_COLUMNS,
        quality=quality_table(radius_metrics),
        misplaced=misplaced[[column for column in _MISPLACED_COLUMNS if column in misplaced]],
        misplaced_labels=_MISPLACED_COLUMNS,
        training_summary=training_summary,
        history=history,
        radii_vary=bool(vectors.groupby("depth")["radius"].std().max() > _STILL),
        norms_vary=bool("mean_norm" in history and history["mean_norm"].std() > _STILL),
        figures={name.removeprefix("figure_"): plot for name, plot in figures.items()},
        example=_EXAMPLE,
    )


def subject_of(vectors: pd.DataFrame) -> str:
    """Return what the taxa are: the name of their root, or their number if the root has none."""
    root = vectors.loc[vectors["parent"] < 0, "name"].astype(str).iloc[0]
    return f"{len(vectors):,} taxa" if root in _NO_NAME or root.isdigit() else root


def count_ranks(vectors: pd.DataFrame) -> pd.DataFrame:
    """Return rank and taxa: the most frequent ranks with a name, the highest first, then the number of the others.

    Args:
        vectors: columns rank and depth.
    """
    named = vectors[~vectors["rank"].astype(str).isin(NO_RANKS)]
    groups = named.groupby(named["rank"].astype(str))["depth"].agg(["size", "mean"])
    groups = groups.nlargest(_MOST_RANKS, "size").sort_values("mean")
    table = pd.DataFrame({"rank": groups.index, "taxa": groups["size"].to_numpy(np.int64)})
    rest = len(vectors) - int(table["taxa"].sum())
    if rest:
        table = pd.concat([table, pd.DataFrame({"rank": ["other or no rank"], "taxa": [rest]})], ignore_index=True)
    return table


def best_layouts(by_layout: pd.DataFrame, shown: list[Metric]) -> list[str]:
    """Return one sentence part per layout that is the best by some metric: "trained: edge MAP and mean distortion".

    Metrics without a better direction do not count, and neither do those by which all layouts are equal.

    Args:
        by_layout: one row per layout.
        shown: the metrics.
    """
    best: dict[str, list[str]] = {}
    for metric in shown:
        values = by_layout[metric.name].dropna()
        if metric.higher_is_better is None or values.nunique() < 2:
            continue
        winner = values.idxmax() if metric.higher_is_better else values.idxmin()
        best.setdefault(str(winner), []).append(metric.label)
    return [f"{name}: {listing(best[name])}" for name in by_layout.index if name in best]
