import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.distortion import distortion
from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.geometry.ball import pairwise
from terrarium.hyperbolic.layouts.child_codes import assign_codes
from terrarium.hyperbolic.layouts.combinatorial import SIBLING_SHARE, construct
from tests.hyperbolic.trees import binary_tree, chain, random_tree, star, trees


def worst_distortion(tree, layout, root_distance):
    return distortion(tree, layout, max_pairs=10**6, seed=0, root_distance=root_distance)["distortion_worst"]


@settings(max_examples=30, deadline=None)
@given(trees(60), st.floats(5.0, 25.0))
def test_edges_are_one_scale_plus_a_share_of_the_crowding_of_their_parent(tree, max_radius):
    layout = construct(tree, 4, max_radius)
    rows = np.arange(1, len(tree))
    crowding = assign_codes(tree, 4).crowding[tree.parent[1:]]
    found = pairwise(layout, rows, tree.parent[1:])
    least = int(np.argmin(crowding))
    scale = found[least] / (1.0 + crowding[least])
    if scale > SIBLING_SHARE:
        scale = found[least] - SIBLING_SHARE * crowding[least]
    assert found == pytest.approx(scale + min(scale, SIBLING_SHARE) * crowding, rel=1e-3, abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(trees(60), st.integers(0, 10**6))
def test_branches_keep_their_proportions(tree, seed):
    lengths = np.r_[0.0, np.random.default_rng(seed).uniform(0.1, 3.0, len(tree) - 1)]
    layout = construct(tree, 5, 15.0, lengths)
    ratio = pairwise(layout, np.arange(1, len(tree)), tree.parent[1:]) / lengths[1:]
    assert ratio == pytest.approx(ratio[0], rel=1e-4)
    assert layout.radius.max() == pytest.approx(15.0, rel=1e-5)


@settings(max_examples=30, deadline=None)
@given(trees(60))
def test_siblings_and_parent_stand_apart_by_the_angle_of_their_code(tree):
    """By the law of cosines the angle at the parent gives the least distance of two of its neighbours."""
    layout = construct(tree, 3, 12.0)
    around = assign_codes(tree, 3)
    for parent in np.unique(tree.parent[1:]):
        children = tree.children(parent)
        angle = 2.0 * np.arcsin(np.exp(-around.crowding[parent] / 2.0))
        t = pairwise(layout, children[:1], np.array([parent]))[0]
        least = np.arccosh(np.cosh(t) ** 2 - np.sinh(t) ** 2 * np.cos(angle))
        for i, a in enumerate(children):
            assert (pairwise(layout, children[i + 1 :], a) > least * (1 - 1e-4) - 1e-3).all()


def test_a_tree_with_room_is_given_back_without_a_fault():
    tree = random_tree(np.random.default_rng(3), 300)
    layout = construct(tree, 10, 34.0)
    found = reconstruct(tree, layout, choose_queries(tree, 1000, 1000, 0)).metrics()
    assert found["ancestor_map_detour"] > 0.999
    assert found["edge_map"] > 0.999


@pytest.mark.parametrize("tree", [chain(400), star(400), binary_tree(6), random_tree(np.random.default_rng(1), 2000)])
@pytest.mark.parametrize("largest", [5.0, 34.0])
def test_the_farthest_node_is_at_the_largest_radius(tree, largest):
    layout = construct(tree, 5, largest)
    assert largest * (1 - 1e-5) < layout.radius.max() <= largest
    assert np.isfinite(layout.direction).all()
    assert layout.radius[0] == 0.0


def test_the_levels_of_a_binary_tree_leave_the_plane():
    """Three neighbours lie in a plane; the levels below use other axes."""
    tree = binary_tree(6)
    values = np.linalg.svd(construct(tree, 10, 3.0).direction[1:], compute_uv=False)
    assert values[5] > 0.02 * values[0]


def test_more_radius_brings_distances_closer_to_path_lengths():
    tree = binary_tree(7)
    depth = tree.depth.astype(float)
    near, far = (worst_distortion(tree, construct(tree, 10, radius), depth) for radius in (10.0, 34.0))
    assert 1.0 < far < 1.07 < near


@pytest.mark.parametrize("shortest", [1e-6, 1e-3])
def test_tiny_branches_far_out_keep_their_ends_apart(shortest):
    """A chain of long branches that ends in a cherry of two tiny ones: their ends differ by less than one rounding."""
    tree = Hierarchy.from_parents(np.arange(22), np.array([-1, *range(19), 19, 19]))
    lengths = np.r_[0.0, np.ones(19), shortest, shortest]
    layout = construct(tree, 10, 34.0, lengths)
    cherry = tree.children(19)
    assert 0.0 < pairwise(layout, cherry[:1], cherry[1:])[0] < 0.1


def test_equal_trees_give_equal_bits():
    tree = random_tree(np.random.default_rng(2), 500)
    first, second = construct(tree, 6, 20.0), construct(tree, 6, 20.0)
    assert (first.radius == second.radius).all()
    assert (first.direction == second.direction).all()
