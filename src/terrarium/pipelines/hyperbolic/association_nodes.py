"""Nodes of the pipeline hyperbolic_associations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from terrarium.hyperbolic.associations import table as library
from terrarium.hyperbolic.associations.targets import targets_of
from terrarium.hyperbolic.data.build import hierarchy_of
from terrarium.hyperbolic.options import AssociationOptions, SourceOptions
from terrarium.hyperbolic.training.weights import pack_weights
from terrarium.pipelines.hyperbolic.nodes import layout_of
from terrarium.training.checkpointing.state import State


def read_associations(
    taxa: pd.DataFrame, edges: pd.DataFrame, source: SourceOptions, associations: AssociationOptions
) -> pd.DataFrame:
    """Read typed links of the taxa and split them: node, relation, other, split."""
    links = library.read_associations(source.associations, taxa)
    return library.split_associations(links, hierarchy_of(edges), taxa["rank"], associations)


def fit_associations(
    taxa: pd.DataFrame,
    edges: pd.DataFrame,
    weights: State,
    links: pd.DataFrame,
    associations: AssociationOptions,
) -> dict[str, Any]:
    """Learn points for what the taxa are associated with, and rank the held-out links by every method.

    Returns:
        weights: the layout of the taxa after training with the links; targets: one row per point with its relation,
        other, radius and direction; predictions: the best target of each relation for each taxon without a link;
        metrics of the points; layout_metrics: one row per method.
    """
    from terrarium.hyperbolic.associations.evaluate import evaluate_associations, point_table, predict_links

    tree = hierarchy_of(edges)
    targets = targets_of(links, tree)
    result = evaluate_associations(tree, layout_of(weights, tree), targets, associations)
    learned = result.table[result.table["method"] == result.method].iloc[0]
    rows, best = predict_links(targets, result.fitted)
    return {
        "weights": pack_weights(tree, result.fitted.nodes),
        "targets": point_table(targets, result.fitted),
        "predictions": pd.concat(
            [
                taxa.iloc[rows][["id", "name"]].reset_index(drop=True),
                targets.names.iloc[best].reset_index(drop=True),
            ],
            axis=1,
        ),
        "metrics": {name: float(value) for name, value in learned.drop("method").items() if np.isfinite(value)},
        "layout_metrics": result.table,
    }
