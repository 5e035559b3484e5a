"""Separators: the caps and cones of ancestors with second children are moved until they hold these as well."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.common.vectors import normalize_rows
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.geometry.ball import Layout, detour, pairwise
from terrarium.hyperbolic.layouts.caps import cap_layout
from terrarium.hyperbolic.layouts.cones import cone_layout
from terrarium.hyperbolic.layouts.graphs import separators
from terrarium.hyperbolic.layouts.graphs.separators import CAP, cone_score, refit_separators
from tests.hyperbolic.trees import binary_tree, random_dag


def two_lineages():
    """Nodes 1 and 2 below the root, 3 and 4 below 1, 5 below 2, with ten leaves each; 3 is also below 2."""
    leaves = np.arange(6, 36)
    child = [1, 2, 3, 4, 5, *leaves, 3]
    parent = [0, 0, 1, 1, 2, *np.repeat([3, 4, 5], 10), 2]
    return Hierarchy.from_edges(child, parent, several_parents=True)


def detours(layout, rows, others):
    return detour(layout.radius[rows], layout.direction[rows], layout.radius[others], layout.direction[others])


def siblings(tree, rows):
    return np.array([np.setdiff1d(tree.children(int(tree.parent[row])), row)[0] for row in rows])


def subtree_sizes(graph):
    return graph.end - np.arange(len(graph)) - 1


def wrong_rows(graph, layout, row):
    """How many nodes the rule d(v, a) <= r_v gets wrong for the ancestor a = row."""
    others = np.setdiff1d(np.arange(1, len(graph)), row)
    inside = pairwise(layout, others, np.array([row])) <= layout.radius[others]
    return int((inside != graph.is_ancestor(row, others)).sum())


def test_a_cap_takes_in_the_children_that_it_shares():
    graph = two_lineages()
    second = int(graph.rows(2))
    caps = cap_layout(graph, 10, 20.0)
    assert wrong_rows(graph, caps, second) == 11
    assert wrong_rows(graph, refit_separators(graph, caps, subtree_sizes(graph), CAP), second) <= 1


def test_only_ancestors_with_further_descendants_move():
    graph = two_lineages()
    caps = cap_layout(graph, 10, 20.0)
    moved = (refit_separators(graph, caps, subtree_sizes(graph), CAP).direction != caps.direction).any(axis=1)
    assert graph.ids[moved].tolist() == [2]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["caps", "cones"]))
def test_ancestors_are_found_better_and_points_stay_valid(seed, kind):
    graph = random_dag(np.random.default_rng(seed), 150)
    nested = (cap_layout if kind == "caps" else cone_layout)(graph, 10, 34.0)
    score, measure = (CAP, "distance") if kind == "caps" else (cone_score(graph, nested), "detour")
    refitted = refit_separators(graph, nested, subtree_sizes(graph), score)
    sample = choose_queries(graph, 1000, 1000, 0)
    before, after = (reconstruct(graph, layout, sample).metrics() for layout in (nested, refitted))
    assert after[f"ancestor_mean_rank_{measure}"] < before[f"ancestor_mean_rank_{measure}"]
    assert np.linalg.norm(refitted.direction, axis=1) == pytest.approx(1.0)
    assert refitted.radius.max() <= nested.radius.max()
    assert refitted.radius[0] == 0.0


@pytest.mark.parametrize("max_radius", [9.0, 34.0])
def test_the_threshold_of_cones_is_between_the_detours_of_parents_and_of_siblings(max_radius):
    tree = binary_tree(6)
    layout = cone_layout(tree, 10, max_radius)
    rows = np.flatnonzero(tree.depth > 2)
    threshold = cone_score(tree, layout).threshold
    assert (
        detours(layout, rows, tree.parent[rows]).max() < threshold < detours(layout, rows, siblings(tree, rows)).min()
    )


def test_a_weight_on_missed_descendants_leaves_fewer_outside():
    graph = random_dag(np.random.default_rng(1), 400)
    caps, (ancestor, descendant, _) = cap_layout(graph, 10, 34.0), graph.closure()
    missed = []
    for weight in (1.0, 10.0):
        layout = refit_separators(graph, caps, subtree_sizes(graph), CAP, weight)
        missed.append(int((pairwise(layout, descendant, ancestor) > layout.radius[descendant]).sum()))
    assert missed[1] < missed[0]


def test_the_sample_stands_for_all_nodes(monkeypatch):
    """The weights of each side add up to its number of nodes, whether all are taken or some."""
    graph = random_dag(np.random.default_rng(2), 300)
    caps = cap_layout(graph, 10, 34.0)
    below = np.flatnonzero(graph.is_ancestor(0, np.arange(300)))[:120].astype(np.int32)
    for below_limit, near, far in ((4000, 600, 1000), (50, 60, 20)):
        monkeypatch.setattr(separators, "MAX_BELOW", below_limit)
        monkeypatch.setattr(separators, "_MIN_NEAR", near)
        monkeypatch.setattr(separators, "_NEAR_PER_DESCENDANT", 0)
        monkeypatch.setattr(separators, "MAX_FAR", far)
        refit = separators._Refit(caps, CAP, 3.0, 0)
        sides = refit._sample(0, below, [(1.0, caps.direction[1])])
        assert sides.weight[sides.sign > 0].sum() == pytest.approx(3.0 * 120)
        assert sides.weight[sides.sign < 0].sum() == pytest.approx(300 - 1 - 120)


@pytest.mark.parametrize("half_angle", [1.0, 1e-5, 1e-9])
def test_chords_are_exact_in_caps_of_any_size(half_angle):
    start = np.eye(4)[0]
    rows = normalize_rows(start + half_angle * np.random.default_rng(0).normal(size=(50, 4)))
    refit = separators._Refit(Layout(np.ones(50), rows), CAP, 1.0, 0)
    expected = np.square(rows - start).sum(axis=1)
    assert refit._square_chords(start, half_angle) == pytest.approx(expected, rel=1e-4)
