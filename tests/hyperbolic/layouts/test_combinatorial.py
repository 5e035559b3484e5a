import numpy as np
import pytest
from hypothesis import given, settings

from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.geometry.ball import pairwise
from terrarium.hyperbolic.geometry.spherical_codes import smallest_angle, spherical_code
from terrarium.hyperbolic.layouts.combinatorial import BASE, LARGEST_SCALE, assign_codes, construct
from tests.hyperbolic.trees import chain, random_tree, star, trees


@settings(max_examples=30, deadline=None)
@given(trees(60))
def test_edges_have_the_length_that_their_parent_asks_for(tree):
    layout = construct(tree, 4, 1000.0)
    rows = np.arange(1, len(tree))
    length = LARGEST_SCALE * (BASE + assign_codes(tree, 4).crowding)
    near = layout.radius[rows] < 20.0
    found = pairwise(layout, rows, tree.parent[1:])
    assert np.allclose(found[near], length[tree.parent[1:]][near], rtol=1e-5, atol=1e-6)
    assert np.allclose(np.linalg.norm(layout.direction[1:], axis=1), 1.0)


@settings(max_examples=30, deadline=None)
@given(trees(60))
def test_siblings_and_parent_stand_apart_by_the_angle_of_their_code(tree):
    """By the law of cosines the angle at the parent gives the least distance of two of its neighbours."""
    layout = construct(tree, 3, 12.0)
    around = assign_codes(tree, 3)
    scale = pairwise(layout, np.array([1]), np.array([0]))[0] / (BASE + around.crowding[0])
    length = scale * (BASE + around.crowding)
    for parent in np.unique(tree.parent[1:]):
        children = tree.children(parent)
        angle = 2.0 * np.arcsin(np.exp(-around.crowding[parent] / 2.0))
        t = length[parent]
        least = np.arccosh(np.cosh(t) ** 2 - np.sinh(t) ** 2 * np.cos(angle))
        for i, a in enumerate(children):
            assert (pairwise(layout, children[i + 1 :], a) > least * (1 - 1e-4) - 1e-3).all()


def test_a_tree_with_room_is_given_back_without_a_fault():
    tree = random_tree(np.random.default_rng(3), 300)
    layout = construct(tree, 10, 34.0)
    found = reconstruct(tree, layout, choose_queries(tree, 1000, 1000, 0)).metrics()
    assert found["ancestor_map_detour"] > 0.999
    assert found["edge_map"] > 0.999


@pytest.mark.parametrize("tree", [chain(400), star(400), random_tree(np.random.default_rng(1), 2000)])
@pytest.mark.parametrize("largest", [5.0, 34.0])
def test_no_radius_passes_the_limit(tree, largest):
    layout = construct(tree, 5, largest)
    assert layout.radius.max() <= largest
    assert np.isfinite(layout.direction).all()
    assert layout.radius[0] == 0.0
    if len(tree) == 400 and tree.max_depth > 1:
        assert layout.radius.max() > 0.98 * largest


def test_equal_trees_give_equal_bits():
    tree = random_tree(np.random.default_rng(2), 500)
    first, second = construct(tree, 6, 20.0), construct(tree, 6, 20.0)
    assert (first.radius == second.radius).all()
    assert (first.direction == second.direction).all()


def test_crowding_comes_from_the_code_of_children_and_parent():
    tree = star(13)
    angle = smallest_angle(spherical_code(12, 8))
    assert assign_codes(tree, 8).crowding[0] == pytest.approx(2.0 * np.log(1.0 / np.sin(angle / 2.0)))
