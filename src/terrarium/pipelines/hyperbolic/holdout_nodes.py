"""Nodes of the pipelines that hold something out of training and predict it afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data import holdout as library
from terrarium.hyperbolic.data.build import closure_table, edge_table, hierarchy_of
from terrarium.hyperbolic.evaluation.placement import draw_relatives, evaluate_placement, placement_metrics
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.options import HoldoutOptions, LossName, ModelOptions, SourceOptions
from terrarium.hyperbolic.training.weights import layout_name
from terrarium.pipelines.hyperbolic.nodes import layout_of, untrained
from terrarium.training.checkpointing.state import State


def hold_out_taxa(taxa: pd.DataFrame, edges: pd.DataFrame, holdout: HoldoutOptions) -> dict[str, pd.DataFrame]:
    """Hold out leaves and clades.

    Returns:
        taxa and edges that stay; held_out: id, name, kind and parent of the taxa to place.
    """
    tree = hierarchy_of(edges)
    chosen = library.hold_out_taxa(
        tree,
        leaf_fraction=holdout.leaf_fraction,
        clade_fraction=holdout.clade_fraction,
        max_clade_size=holdout.max_clade_size,
        seed=holdout.seed,
    )
    order = np.random.default_rng(holdout.seed).permutation(len(chosen.rows))[: holdout.max_placements]
    rows = chosen.rows[order]
    held_out = taxa.iloc[rows][["id", "name"]].reset_index(drop=True)
    return {
        "taxa": taxa[chosen.keep].reset_index(drop=True),
        "edges": edge_table(tree.part(chosen.keep), edges),
        "held_out": held_out.assign(kind=chosen.kind[order], parent=tree.ids[tree.parent[rows]].astype(np.int32)),
    }


def place_taxa(
    taxa: pd.DataFrame,
    edges: pd.DataFrame,
    constructed: State,
    weights: State,
    held_out: pd.DataFrame,
    model: ModelOptions,
    holdout: HoldoutOptions,
    loss: LossName,
) -> dict[str, Any]:
    """Place the held-out taxa from a few noisy relatives: predict their parents.

    Returns:
        metrics of the trained layout; layout_metrics: one row per layout or rule, score and kind; placements: one row
        per held-out taxon with its parent, its relatives, the predictions of the trained layout by each score, and
        their hops from the parent.
    """
    tree = hierarchy_of(edges)
    parents, names = tree.rows(held_out["parent"]), taxa["name"].to_numpy()
    layouts = _layouts(tree, edges, constructed, weights, model, loss)
    relatives = draw_relatives(tree, parents, holdout)
    result = evaluate_placement(tree, layouts, parents, held_out["kind"].to_numpy(), relatives)
    placements = held_out.assign(
        parent=names[parents], relatives=["; ".join(row) for row in names[relatives.rows].astype(str)]
    )
    for score, rows in result.predicted.items():
        placements[f"by_{score}"] = names[rows]
        placements[f"hops_{score}"] = tree.hops(parents, rows)
    return {
        "metrics": placement_metrics(result.table, layout_name(weights)),
        "layout_metrics": result.table,
        "placements": placements,
    }


def hold_out_links(edges: pd.DataFrame, source: SourceOptions, holdout: HoldoutOptions) -> dict[str, pd.DataFrame]:
    """Hold out pairs of ancestor and descendant.

    Returns:
        closure: the training pairs (ancestor, descendant, depth_diff, in_reduction); link_pairs: the pairs to
        classify (ancestor, descendant, label, split).
    """
    if source.legacy.max_tax_id is not None:
        raise library.HoldoutError("hyperbolic_links needs whole lineages: set source.legacy.max_tax_id to null")
    tree = hierarchy_of(edges)
    links = library.split_links(
        tree,
        link_fraction=holdout.link_fraction,
        train_fraction=holdout.link_train_fraction,
        num_corruptions=holdout.link_corruptions,
        seed=holdout.seed,
    )
    closure = closure_table(tree).iloc[links.train]
    pairs = [
        sample.table(tree).assign(split=split)
        for split, sample in (("validation", links.validation), ("test", links.test))
    ]
    return {
        "closure": closure.assign(in_reduction=np.isin(links.train, links.reduction)).reset_index(drop=True),
        "link_pairs": pd.concat(pairs, ignore_index=True),
    }


def classify_links(
    edges: pd.DataFrame,
    constructed: State,
    weights: State,
    closure: pd.DataFrame,
    link_pairs: pd.DataFrame,
    model: ModelOptions,
    loss: LossName,
) -> dict[str, Any]:
    """Tell the held-out pairs from corrupted ones.

    Returns:
        metrics of the trained layout; layout_metrics: one row per layout and score.
    """
    from terrarium.hyperbolic.evaluation.link_prediction import link_metrics, link_table

    tree = hierarchy_of(edges)
    validation, test = (
        library.LabelledPairs.from_table(tree, link_pairs[link_pairs["split"] == split])
        for split in ("validation", "test")
    )
    layouts = _layouts(tree, edges, constructed, weights, model, loss)
    table = link_table(tree, layouts, closure[closure["in_reduction"]], validation, test)
    return {"metrics": link_metrics(table, layout_name(weights)), "layout_metrics": table}


def _layouts(
    tree: Hierarchy,
    edges: pd.DataFrame,
    constructed: State,
    weights: State,
    model: ModelOptions,
    loss: LossName,
) -> dict[str, Layout]:
    result, name = layout_of(weights, tree), layout_name(weights)
    return {name: result, **untrained(tree, edges, constructed, result.dim, model, loss)} | {name: result}
