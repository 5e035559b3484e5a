import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.data.holdout import hold_out_taxa
from terrarium.hyperbolic.evaluation.placement import (
    LEVEL_RULE,
    ROOT_RULE,
    centroids_of_children,
    evaluate_placement,
    placement_metrics,
    predict_parents,
    score_placement,
)
from terrarium.hyperbolic.geometry.ball import Layout, detour, distance
from terrarium.hyperbolic.layouts.combinatorial import construct
from tests.hyperbolic.trees import chain, random_layout, random_tree, tree_of


@given(st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_centroids_of_children_are_the_lorentz_centroids(seed):
    rng = np.random.default_rng(seed)
    tree = random_tree(rng, 40)
    layout = random_layout(rng, 40)
    parents = np.unique(tree.parent[1:])
    found = centroids_of_children(tree, layout, parents)
    for place, parent in enumerate(parents):
        rows = tree.children(parent)
        centroid = (np.sinh(layout.radius[rows])[:, None] * layout.direction[rows]).sum(axis=0)
        assert found.direction[place] == pytest.approx(centroid / np.linalg.norm(centroid), abs=1e-9)
        assert found.radius[place] == pytest.approx(layout.radius[rows].mean())


def test_children_that_cancel_leave_the_first():
    tree = tree_of([0, 1, 1])
    layout = Layout(np.array([0.0, 1.0, 2.0, 2.0]), np.array([[1.0, 0], [1, 0], [0, 1], [0, -1]]))
    assert centroids_of_children(tree, layout, np.array([1])).direction.tolist() == [[0.0, 1.0]]


@given(st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_the_search_is_the_definition(seed):
    rng = np.random.default_rng(seed)
    tree = random_tree(rng, 60)
    layout, placed = random_layout(rng, 60), random_layout(rng, 5)
    group = rng.choice(np.unique(tree.parent[1:]), 5)
    found = predict_parents(tree, layout, placed, group)
    for q in range(5):
        own = placed.radius[q], placed.direction[q]
        far = distance(*own, layout.radius, layout.direction)
        inner = (layout.radius < placed.radius[q]) & (tree.parent != group[q])
        if inner.any():
            assert found["distance"][q] == np.argmin(np.where(inner, far, np.inf))
        behind = detour(*own, layout.radius, layout.direction)
        assert found["detour"][q] == np.argmin(np.where(tree.depth == tree.depth[group[q]], behind, np.inf))


@given(st.integers(2, 60), st.floats(0.1, 30.0))
def test_taxa_as_far_out_as_the_siblings_are_no_parents(count, radius):
    """The mean of equal radii may lie above them by rounding."""
    tree = tree_of([0] * 2 + [1] * count + [2] * count)
    layout = Layout(np.array([0.0, 0.01, 0.01] + [radius] * 2 * count), np.tile([1.0, 0.0], (3 + 2 * count, 1)))
    placed = centroids_of_children(tree, layout, np.array([1]))
    assert predict_parents(tree, layout, placed, np.array([1]))["distance"][0] in {0, 1, 2}


def test_scores_by_hand():
    tree = chain(4)
    found = score_placement(tree, np.array([3, 3]), np.array([3, 1]))
    assert found["exact"].tolist() == [1.0, 0.0]
    assert found["hops"].tolist() == [0.0, 2.0]
    assert found["wu_palmer"] == pytest.approx([1.0, 2 * 2 / (4 + 2)])


def test_the_construction_knows_where_siblings_hang_and_a_random_layout_does_not():
    tree = random_tree(np.random.default_rng(0), 600)
    chosen = hold_out_taxa(tree, leaf_fraction=0.1, clade_fraction=0.05, max_clade_size=10, seed=0)
    rest = tree.part(chosen.keep)
    parents = rest.rows(tree.ids[tree.parent[chosen.rows]])
    layouts = {"constructed": construct(rest, 8, 30.0), "random": random_layout(np.random.default_rng(1), len(rest), 8)}
    table, predicted = evaluate_placement(rest, layouts, parents, chosen.kind, 0)
    exact = table.groupby("layout")["exact"].mean()
    assert exact["constructed"] > 0.9
    assert exact["random"] < 0.3
    assert (predicted["detour"] == parents).mean() > 0.9
    assert set(table["layout"]) == {*layouts, ROOT_RULE, LEVEL_RULE}
    root = table[(table["layout"] == ROOT_RULE) & (table["kind"] == "leaf")]
    assert root["hops"].item() == pytest.approx(rest.depth[parents[chosen.kind == "leaf"]].mean())
    metrics = placement_metrics(table, "constructed")
    assert len(metrics) == 12
    assert metrics["placement_exact_leaf_detour"] > 0.9
