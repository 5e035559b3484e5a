"""The report of a run of the hyperbolic family."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.reporting.page import Block, code, figure, heading, listing, page, paragraph, table
from terrarium.reporting.theme import number

# name, label, whether more is better (None: neither), what it says
_MEASURES: tuple[tuple[str, str, bool | None, str], ...] = (
    (
        "ancestor_map_slack",
        "ancestor MAP, slack",
        True,
        "Each taxon's ancestors are ranked against all other taxa by slack, the detour on the way to the origin "
        "(radius of the candidate + distance - radius of the taxon). 1 puts every ancestor first.",
    ),
    ("ancestor_mean_rank_slack", "ancestor mean rank, slack", False, "The same as a mean rank; 1 is best."),
    (
        "ancestor_map_distance",
        "ancestor MAP, distance",
        True,
        "The same ranking by hyperbolic distance alone. Siblings lie nearer than far ancestors in any faithful "
        "picture of a tree, so this stays low unless it is trained for.",
    ),
    ("ancestor_mean_rank_distance", "ancestor mean rank, distance", False, "The same as a mean rank; 1 is best."),
    (
        "undirected_map_distance",
        "undirected MAP, distance",
        True,
        "Ancestors and descendants together ranked by distance, as in Nickel and Kiela (2018).",
    ),
    ("undirected_mean_rank_distance", "undirected mean rank, distance", False, "The same as a mean rank; 1 is best."),
    ("edge_map", "edge MAP", True, "Parent and children ranked against all other taxa by distance. 1 is best."),
    (
        "hops_spearman",
        "rank correlation of distance and hops",
        True,
        "Over pairs of taxa: whether what is far apart in the tree is far apart here.",
    ),
    (
        "distortion_mean",
        "mean distortion",
        False,
        "Mean |distance / hops - 1| at the best common scale; where links have lengths, of these in place of hops.",
    ),
    (
        "depth_norm_pearson",
        "r of depth and norm",
        None,
        "Pearson correlation. The untrained layouts have it by construction: it shows that radii were kept, not that "
        "anything was learned.",
    ),
    ("depth_radius_pearson", "r of depth and radius", None, "The same with the hyperbolic radius."),
    ("mean_norm", "mean norm", None, "Mean Euclidean norm in the ball."),
    ("max_norm", "largest norm", None, "Below 1: inside the ball."),
    ("share_outside", "share outside", False, "Share of taxa with a norm of 1 or more."),
)


def report_page(
    *,
    source: dict[str, Any],
    cleaning: pd.DataFrame,
    training_summary: dict[str, Any],
    history: pd.DataFrame,
    metrics: dict[str, float],
    layout_metrics: pd.DataFrame,
    rank_metrics: pd.DataFrame,
    figures: dict[str, Any],
) -> str:
    """The page: what was embedded, how training went, how good it is, and how to use it.

    Args:
        source: the source's options.
        cleaning: rule and removed.
        training_summary: stop_reason, epochs, best_epoch.
        history: a row an epoch.
        metrics: numbers of the trained layout.
        layout_metrics: a row a layout; rank_metrics: a row a layout and rank.
        figures: loss, norms, radius, separation, purity and disk.
    """
    blocks = [
        *_data(source, cleaning, metrics),
        heading("The disk"),
        paragraph(
            "Each taxon lies at its own hyperbolic radius; the rim is infinitely far away. Its angle comes from the "
            "vectors alone: taxa of like directions stand side by side on the circle, so groups that lie mixed in the "
            "ball lie mixed here. A picture in two dimensions keeps only a part of the distances; the line under the "
            "title says how much."
        ),
        figure(figures["disk"], "disk"),
        *_quality(layout_metrics),
        *_ranks(rank_metrics, figures),
        *_training(training_summary, history, figures),
        *_precision(metrics),
        *_use(),
    ]
    return page(f"{_subject(source)} in hyperbolic space", blocks)


def _subject(source: dict[str, Any]) -> str:
    match source["select"]:
        case "clade":
            return str(source["clade"])
        case "lowest_taxids":
            return f"The {source['count']:,} lowest tax ids"
    return "All taxa"


def _data(source: dict[str, Any], cleaning: pd.DataFrame, metrics: dict[str, float]) -> list[Block]:
    origin = "the NCBI taxonomy" if source["path"] is None else "a table of parents"
    pairs = ", ".join(
        f"{number(metrics[f'pairs_difference_{k}'])} ({metrics[f'share_difference_{k}']:.1%}) {label}"
        for k, label in (("1", "one step apart"), ("2", "two"), ("3_or_more", "three or more"))
    )
    blocks = [
        heading("What was embedded"),
        paragraph(
            f"{_subject(source)}, from {origin}: {number(metrics['taxa'])} taxa, {number(metrics['max_depth'])} levels "
            f"below the root, {number(metrics['pairs'])} pairs of ancestor and descendant: {pairs}."
        ),
    ]
    removed = cleaning[cleaning["removed"] > 0]
    if len(removed):
        blocks += [paragraph("The noise filter removed:"), table(removed)]
    return blocks


def _quality(layouts: pd.DataFrame) -> list[Block]:
    known = [m for m in _MEASURES if m[0] in layouts]
    by_name = layouts.set_index("layout")
    rows = [{"measure": label, **{str(n): by_name.loc[n, name] for n in by_name.index}} for name, label, _, _ in known]
    guide = pd.DataFrame({"measure": [m[1] for m in known], "what it says": [m[3] for m in known]})
    sampled = layouts.loc[layouts["layout"] != "trained", "reconstruction_queries"]
    return [
        heading("How faithful it is"),
        paragraph(
            "The trained layout beside three that need no training. Constructed places the children of each node "
            "around it, as far apart as they can be, at radii of its own. The other two lie at the target radii; "
            "inherited takes each direction from the parent with a random step, random draws each by itself. The "
            "trained layout was asked "
            f"{number(layouts.set_index('layout').loc['trained', 'reconstruction_queries'])} queries, the others "
            f"{number(sampled.max())}."
        ),
        table(pd.DataFrame(rows)),
        paragraph(_verdict(by_name, known)),
        table(guide),
    ]


def _verdict(by_name: pd.DataFrame, known: list[tuple[str, str, bool | None, str]]) -> str:
    """On which numbers training fell behind a layout that needs none."""
    judged = [(name, label, more) for name, label, more, _ in known if more is not None]
    behind = [label for name, label, more in judged if _is_behind(by_name[name], more)]
    if behind:
        return f"Training made it worse than an untrained layout on: {listing(behind)}."
    return "Training is at least as good as every untrained layout on every measure that has a better side."


def _rank_verdict(rank_metrics: pd.DataFrame) -> str:
    """At which ranks training fell behind a layout that needs none."""
    behind = [
        f"{label} at rank {rank}"
        for label in ("separation", "purity")
        for rank, part in rank_metrics.groupby("rank", sort=False)
        if _is_behind(part.set_index("layout")[label], more=True)
    ]
    if behind:
        return f"Training made it worse than an untrained layout on: {listing(behind)}."
    return "Training is at least as good as every untrained layout at every rank."


def _is_behind(values: pd.Series, more: bool) -> bool:
    """Whether the trained layout has a worse value than another, or none where another has one."""
    others = values.drop("trained").dropna()
    if others.empty:
        return False
    mine = values["trained"] if more else -values["trained"]
    best = others.max() if more else -others.min()
    return bool(pd.isna(mine) or best > mine)


def _ranks(rank_metrics: pd.DataFrame, figures: dict[str, Any]) -> list[Block]:
    columns = ["layout", "rank", "groups", "separation", "hop_separation", "purity", "purity_chance", "purity_permuted"]
    labels = {
        "hop_separation": "the tree's own",
        "purity_chance": "chance",
        "purity_permuted": "directions permuted within depth",
    }
    if rank_metrics.empty:
        return [heading("Groups by rank"), paragraph("None of the ranks asked for has two groups here.")]
    return [
        heading("Groups by rank"),
        paragraph(
            "Separation is the mean distance between groups over the mean distance inside them; the tree's own, in "
            "hops over the same pairs, says how far apart the groups are to begin with. Purity is the share of a "
            "taxon's nearest neighbours that are of its group. Ranks with fewer than two groups are left out."
        ),
        table(rank_metrics[[c for c in columns if c in rank_metrics]], labels),
        paragraph(_rank_verdict(rank_metrics)),
        figure(figures["separation"], "separation"),
        figure(figures["purity"], "purity"),
    ]


def _training(summary: dict[str, Any], history: pd.DataFrame, figures: dict[str, Any]) -> list[Block]:
    text = str(summary["stop_reason"])
    if len(history):
        text = (
            f"{summary['epochs']} epochs in {history['seconds'].sum():.0f} s. {text} The weights are those of epoch "
            f"{summary['best_epoch']}, the best one."
        )
    return [
        heading("How training went"),
        paragraph(text),
        figure(figures["loss"], "loss"),
        figure(figures["norms"], "norms"),
        figure(figures["radius"], "radius"),
    ]


def _precision(metrics: dict[str, float]) -> list[Block]:
    return [
        heading("Precision"),
        paragraph(
            f"The largest hyperbolic radius is {number(metrics['max_radius'])}, the largest norm "
            f"{metrics['max_norm']:.9g}. Distances are exact up to a radius of about 34 in float64 and 15 in float32: "
            f"{metrics['past_safe_radius_float64']:.2%} and {metrics['past_safe_radius_float32']:.2%} of the taxa lie "
            f"beyond. Written as ball coordinates {number(metrics['duplicates_float64'])} taxa coincide with another "
            f"in float64 and {number(metrics['duplicates_float32'])} in float32."
        ),
    ]


def _use() -> list[Block]:
    return [
        heading("Using the vectors"),
        paragraph("In kedro ipython or a notebook of the project:"),
        code(
            'vectors = catalog.load("hyperbolic.vectors")\n'
            'species = vectors[vectors["rank"] == "species"]\n'
            'points = species.set_index("name").filter(regex="^x[0-9]+$")'
        ),
        paragraph(
            "Columns: id, name, rank, depth, parent, radius (hyperbolic), and x0, x1, … in the ball. Another version: "
            'catalog.load("hyperbolic.vectors", version="…").'
        ),
    ]
