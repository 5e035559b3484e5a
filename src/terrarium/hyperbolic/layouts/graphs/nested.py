"""Caps and cones of a hierarchy: nested along a spanning tree, then refitted for descendants by further links."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.layouts.caps import cap_layout
from terrarium.hyperbolic.layouts.cones import cone_layout
from terrarium.hyperbolic.layouts.graphs.separators import CAP, cone_score, refit_separators
from terrarium.hyperbolic.layouts.graphs.spanning import in_rows_of, spanning_tree
from terrarium.hyperbolic.options import ModelOptions


def nested_layout(graph: Hierarchy, model: ModelOptions, lengths: Float64Array | None = None) -> Layout:
    """Return the layout of caps or of cones that `model.construction` names.

    In a graph the tree that it follows keeps the parents farthest from the root; with branch lengths, which belong to
    first parents, those.

    Args:
        graph: N nodes, a tree or with several parents.
        model: construction, dimension, largest radius and seed; `missed_weight` and `leaf_radius` of the refit.
        lengths: (N,) length of the branch above each node, 0 at the root; None where there are none.
    """
    make = cap_layout if model.construction == "caps" else cone_layout
    if graph.is_tree:
        layout = make(graph, model.dim, model.max_radius, model.seed, lengths)
    else:
        tree = first_parents(graph) if lengths is not None else spanning_tree(graph)
        nested = make(tree, model.dim, model.max_radius, model.seed, lengths)
        score = CAP if model.construction == "caps" else cone_score(tree, nested)
        inside = (tree.end - np.arange(len(tree)) - 1)[tree.rows(graph.ids)]
        followed = in_rows_of(graph, tree, nested)
        layout = refit_separators(graph, followed, inside, score, model.missed_weight, model.seed)
    if model.construction == "caps" and model.leaf_radius == "largest":
        return with_outer_leaves(graph, layout, model.max_radius)
    return layout


def first_parents(graph: Hierarchy) -> Hierarchy:
    """Return the tree of first parents, with the rows of the graph."""
    none = np.zeros(0, np.int32)
    return replace(graph, extra_child=none, extra_parent=none)


def with_outer_leaves(graph: Hierarchy, layout: Layout, radius: float) -> Layout:
    """Return the layout with all leaves at a radius that is no smaller than theirs.

    The cap rule d(v, a) <= r_v hardly depends on r_v, but the distance of any node to v grows with it. So a leaf no
    longer comes before an ancestor whose cap another node is outside of.
    """
    is_leaf = np.ones(len(graph), np.bool_)
    is_leaf[graph.links()[1]] = False
    return Layout(np.where(is_leaf, np.maximum(layout.radius, radius), layout.radius), layout.direction)
