"""Caps and cones of graphs: nested along a spanning tree, then refitted, perhaps with outer leaves."""

import numpy as np
import pytest

from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.layouts.caps import cap_layout
from terrarium.hyperbolic.layouts.cones import cone_layout
from terrarium.hyperbolic.layouts.graphs.nested import first_parents, nested_layout, with_outer_leaves
from terrarium.hyperbolic.layouts.graphs.separators import CAP, cone_score, refit_separators
from terrarium.hyperbolic.layouts.graphs.spanning import in_rows_of, spanning_tree
from tests.hyperbolic.data.options import model_options
from tests.hyperbolic.trees import random_dag, random_tree

MODEL = model_options(
    dim=6, init="constructed", init_noise=0.1, construction="caps", max_radius=30.0, missed_weight=2.0, seed=3
)
KINDS = {"caps": (cap_layout, lambda tree, layout: CAP), "cones": (cone_layout, cone_score)}


@pytest.mark.parametrize("name", KINDS)
def test_a_tree_is_laid_out_without_a_refit(name):
    tree = random_tree(np.random.default_rng(0), 60)
    layout = nested_layout(tree, MODEL.model_copy(update={"construction": name}))
    expected = KINDS[name][0](tree, 6, 30.0, 3)
    assert (layout.radius == expected.radius).all()
    assert (layout.direction == expected.direction).all()


@pytest.mark.parametrize("name", KINDS)
def test_a_graph_follows_its_spanning_tree_and_is_refitted(name):
    graph, (make, score) = random_dag(np.random.default_rng(0), 200), KINDS[name]
    tree = spanning_tree(graph)
    inside = np.array([len(tree.below(int(tree.rows(node)))) for node in graph.ids])
    nested = make(tree, 6, 30.0, 3)
    expected = refit_separators(graph, in_rows_of(graph, tree, nested), inside, score(tree, nested), 2.0, 3)
    layout = nested_layout(graph, MODEL.model_copy(update={"construction": name}))
    assert (layout.direction == expected.direction).all()
    assert (layout.radius == expected.radius).all()


def test_with_branch_lengths_a_graph_follows_its_first_parents():
    graph = random_dag(np.random.default_rng(0), 100)
    lengths = np.random.default_rng(1).random(100)
    alone = cap_layout(first_parents(graph), 6, 30.0, 3, lengths)
    layout = nested_layout(graph, MODEL, lengths)
    stays = np.array([len(graph.below(row)) == graph.end[row] - row - 1 for row in range(100)])
    assert (layout.direction[stays] == alone.direction[stays]).all()
    assert not stays.all()


def test_leaves_move_to_the_largest_radius_and_ancestors_rank_before_them():
    graph = random_dag(np.random.default_rng(0), 300)
    nested = nested_layout(graph, MODEL)
    outer = nested_layout(graph, MODEL.model_copy(update={"leaf_radius": "largest"}))
    is_leaf = ~np.isin(np.arange(300), graph.links()[1])
    assert (outer.radius[is_leaf] == 30.0).all()
    assert (outer.radius[~is_leaf] == nested.radius[~is_leaf]).all()
    assert (outer.direction == nested.direction).all()
    sample = choose_queries(graph, 1000, 1000, 0)
    before, after = (reconstruct(graph, layout, sample).metrics() for layout in (nested, outer))
    assert after["ancestor_mean_rank_distance"] < before["ancestor_mean_rank_distance"]


def test_no_leaf_moves_inwards():
    graph = random_tree(np.random.default_rng(0), 50)
    layout = cap_layout(graph, 6, 30.0)
    assert (with_outer_leaves(graph, layout, 1.0).radius >= layout.radius).all()
