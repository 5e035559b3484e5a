"""The report of a run of the pipeline `hyperbolic`; its text is in `report.html.j2`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from terrarium.hyperbolic.data.read import PACKAGE_CLADE, source_kind
from terrarium.hyperbolic.evaluation.compare import TRAINED
from terrarium.hyperbolic.options import SourceOptions
from terrarium.reporting.page import listing, render_page

_TEMPLATE = "hyperbolic/reporting/report.html.j2"
_ORIGINS = {
    "package": "the NCBI taxonomy",
    "taxdump": "an NCBI taxdump",
    "table": "a table of parents",
    "obo": "an OBO ontology",
    "newick": "a Newick tree",
    "lineages": "a file of taxonomy strings",
    "wordnet_nouns": "the nouns of WordNet",
    "wordnet_verbs": "the verbs of WordNet",
}
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
    "purity": "purity",
    "purity_chance": "chance",
    "purity_permuted": "permuted",
}


def report_page(
    *,
    source: SourceOptions,
    cleaning_report: pd.DataFrame,
    training_summary: dict[str, Any],
    history: pd.DataFrame,
    metrics: dict[str, float],
    layout_metrics: pd.DataFrame,
    rank_metrics: pd.DataFrame,
    **figures: Any,
) -> str:
    """Render the report: what was embedded, how good it is, how training went, how to use it.

    Args:
        source: the options of the source.
        cleaning_report: rule and removed, one row per rule.
        training_summary: stop_reason, epochs, best_epoch.
        history: one row per epoch.
        metrics: metrics of the trained layout.
        layout_metrics: one row per layout.
        rank_metrics: one row per layout and rank.
        figures: figure_disk, figure_loss, figure_norms, figure_radius, figure_separation, figure_purity.

    Returns:
        A self-contained HTML page.
    """
    subject, by_layout = _subject(source), layout_metrics.set_index("layout")
    shown = [metric for metric in _METRICS if metric.name in by_layout]
    queries = by_layout["reconstruction_queries"]
    return render_page(
        _TEMPLATE,
        title=f"{subject} in hyperbolic space",
        subject=subject,
        origin=_ORIGINS[source_kind(source)],
        metrics=metrics,
        removed=cleaning_report[cleaning_report["removed"] > 0],
        queries={"trained": queries[TRAINED], "untrained": queries.drop(TRAINED).max()},
        layouts=pd.DataFrame([{"metric": metric.label, **by_layout[metric.name].to_dict()} for metric in shown]),
        layout_verdict=_layout_verdict(by_layout, shown),
        guide=pd.DataFrame([{"metric": metric.label, "what it says": metric.explanation} for metric in shown]),
        ranks=rank_metrics[[column for column in _RANK_COLUMNS if column in rank_metrics]],
        rank_labels=_RANK_COLUMNS,
        rank_verdict=_rank_verdict(rank_metrics),
        training_summary=training_summary,
        history=history,
        figures={name.removeprefix("figure_"): plot for name, plot in figures.items()},
        example=_EXAMPLE,
    )


def _subject(source: SourceOptions) -> str:
    match source.select:
        case "clade" if source.clade is not None or source.path is None:
            return str(source.clade or PACKAGE_CLADE)
        case "lowest_taxids":
            return f"The {source.count:,} lowest tax ids"
    return "All taxa" if source.path is None else f"All of {Path(source.path).name}"


def _layout_verdict(by_layout: pd.DataFrame, shown: list[Metric]) -> str:
    """Name the metrics on which an untrained layout is better than the trained one."""
    behind = [
        metric.label
        for metric in shown
        if metric.higher_is_better is not None and _is_behind(by_layout[metric.name], metric.higher_is_better)
    ]
    if behind:
        return f"Training made it worse than an untrained layout on: {listing(behind)}."
    return "Training is at least as good as every untrained layout on every metric that has a better direction."


def _rank_verdict(rank_metrics: pd.DataFrame) -> str:
    """Name the ranks at which an untrained layout is better than the trained one."""
    behind = [
        f"{label} at rank {rank}"
        for label in ("separation", "purity")
        for rank, part in rank_metrics.groupby("rank", sort=False)
        if _is_behind(part.set_index("layout")[label], higher_is_better=True)
    ]
    if behind:
        return f"Training made it worse than an untrained layout on: {listing(behind)}."
    return "Training is at least as good as every untrained layout at every rank."


def _is_behind(values: pd.Series, higher_is_better: bool) -> bool:
    """Return whether the trained layout is worse than another one, or lacks a value that another one has."""
    others = values.drop(TRAINED).dropna()
    if others.empty:
        return False
    sign = 1.0 if higher_is_better else -1.0
    return bool(pd.isna(values[TRAINED]) or (sign * others).max() > sign * values[TRAINED])
