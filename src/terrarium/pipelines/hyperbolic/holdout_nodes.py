"""Nodes of the pipelines that keep something out of training and look for it afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data import holdout as withholding
from terrarium.hyperbolic.data import taxonomy
from terrarium.hyperbolic.evaluation import placement
from terrarium.hyperbolic.evaluation.compare import TRAINED
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.options import HoldoutOptions, ModelOptions, SourceOptions
from terrarium.pipelines.hyperbolic.nodes import layout_of, untrained
from terrarium.training.checkpointing.state import State


def withhold_taxa(
    taxa: pd.DataFrame, edges: pd.DataFrame, holdout: HoldoutOptions
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Taxa and edges of what stays; id, name, kind and parent of the leaves and clades to place."""
    tree = taxonomy.tree_of(edges)
    chosen = withholding.withhold_taxa(
        tree,
        leaf_share=holdout.leaf_fraction,
        clade_share=holdout.clade_fraction,
        clade_size=holdout.max_clade_size,
        seed=holdout.seed,
    )
    rest = tree.part(chosen.keep)
    order = np.random.default_rng(holdout.seed).permutation(len(chosen.rows))[: holdout.max_placements]
    rows = chosen.rows[order]
    described = taxa.iloc[rows][["id", "name"]].reset_index(drop=True)
    tops = described.assign(kind=chosen.kind[order], parent=tree.ids[tree.parent[rows]].astype(np.int32))
    return taxa[chosen.keep].reset_index(drop=True), taxonomy.edge_table(rest, edges), tops


def place_withheld(
    taxa: pd.DataFrame,
    edges: pd.DataFrame,
    depths: pd.DataFrame,
    weights: State,
    tops: pd.DataFrame,
    model: ModelOptions,
    holdout: HoldoutOptions,
) -> tuple[dict[str, float], pd.DataFrame, pd.DataFrame]:
    """Hang the withheld taxa: metrics, a row a layout, score and kind, and where the trained layout hung each."""
    tree = taxonomy.tree_of(edges)
    parents = tree.rows(tops["parent"])
    table, predicted = placement.placement_table(
        tree, _layouts(tree, depths, weights, model), parents, tops["kind"].to_numpy(), holdout.seed
    )
    names = taxa["name"].to_numpy()
    found = tops.drop(columns="parent").assign(parent=names[parents])
    for score, rows in predicted.items():
        found[f"by_{score}"] = names[rows]
        found[f"hops_{score}"] = tree.hops(parents, rows)
    return placement.placement_metrics(table, TRAINED), table, found


def withhold_links(
    edges: pd.DataFrame, source: SourceOptions, holdout: HoldoutOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The pairs of the training (ancestor, descendant, depth_diff, basic) and those to classify (part, true)."""
    if source.legacy.max_tax_id is not None:
        raise withholding.WithholdingError(
            "links are withheld from whole lineages alone: set source.legacy.max_tax_id to null"
        )
    tree = taxonomy.tree_of(edges)
    split = withholding.split_links(
        tree,
        link_share=holdout.link_fraction,
        train_share=holdout.link_train_fraction,
        corruptions=holdout.link_corruptions,
        seed=holdout.seed,
    )
    closure = taxonomy.closure_table(tree).iloc[split.train]
    closure = closure.assign(basic=np.isin(split.train, split.basic)).reset_index(drop=True)
    parts = {"validation": split.validation, "test": split.test}
    return closure, pd.concat([_sample_table(tree, sample, part) for part, sample in parts.items()], ignore_index=True)


def classify_links(
    edges: pd.DataFrame,
    depths: pd.DataFrame,
    weights: State,
    closure: pd.DataFrame,
    link_pairs: pd.DataFrame,
    model: ModelOptions,
) -> tuple[dict[str, float], pd.DataFrame]:
    """Tell the withheld links from corrupted ones: metrics, and a row a layout and score."""
    from terrarium.hyperbolic.evaluation.link_prediction import link_metrics, link_table

    tree = taxonomy.tree_of(edges)
    basic = closure[closure["basic"]]
    samples = [_sample_of(tree, link_pairs[link_pairs["part"] == part]) for part in ("validation", "test")]
    links = tree.rows(basic["ancestor"]), tree.rows(basic["descendant"])
    table = link_table(tree, _layouts(tree, depths, weights, model), links, *samples)
    return link_metrics(table, TRAINED), table


def draw_placement(placement_table: pd.DataFrame) -> Any:
    """Share of withheld taxa whose parent is found."""
    from terrarium.hyperbolic.reporting.figures import placement_figure

    return placement_figure(placement_table)


def draw_links(link_table: pd.DataFrame) -> Any:
    """F1 of the withheld links."""
    from terrarium.hyperbolic.reporting.figures import link_figure

    return link_figure(link_table)


def _layouts(tree: Hierarchy, depths: pd.DataFrame, weights: State, model: ModelOptions) -> dict[str, Layout]:
    trained = layout_of(weights, tree)
    return {TRAINED: trained, **untrained(tree, depths, trained.dim, model)}


def _sample_table(tree: Hierarchy, sample: withholding.LinkSample, part: str) -> pd.DataFrame:
    ids = tree.ids.astype(np.int32)
    columns = {"ancestor": ids[sample.ancestor], "descendant": ids[sample.descendant], "true": sample.true}
    return pd.DataFrame(columns).assign(part=part)


def _sample_of(tree: Hierarchy, table: pd.DataFrame) -> withholding.LinkSample:
    ancestor, descendant = tree.rows(table["ancestor"]), tree.rows(table["descendant"])
    return withholding.LinkSample(ancestor, descendant, table["true"].to_numpy(bool))
