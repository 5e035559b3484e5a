"""Placing a new item in a layout, against the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.geometry.ball import distance
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.hyperbolic.placement.place import (
    Relatives,
    distance_scale,
    parent_costs,
    place,
    predict_parents,
    weights_from_distances,
)
from tests.hyperbolic.trees import random_layout, random_tree, star, tree_of


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_costs_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tree, layout = random_tree(rng, 40), random_layout(rng, 40)
    rows, weights, distances = rng.integers(0, 40, (2, 3)), rng.uniform(0.1, 2.0, (2, 3)), rng.uniform(0.0, 9.0, (2, 3))
    candidates, costs = parent_costs(tree, layout, Relatives(rows, weights, distances), scale=1.5)
    assert candidates.tolist() == sorted(set(tree.parent[1:].tolist()))
    for place_of, v in enumerate(candidates):
        apart = distance(layout.radius[v], layout.direction[v], layout.radius, layout.direction)
        edge = apart[tree.children(v)].mean()
        expected = (weights * np.abs(apart[rows] + edge - 1.5 * distances)).sum(axis=1)
        np.testing.assert_allclose(costs[:, place_of], expected, rtol=1e-9, atol=1e-7)
    _, alone = parent_costs(tree, layout, Relatives(rows, weights, None))
    apart = distance(layout.radius[0], layout.direction[0], layout.radius, layout.direction)
    np.testing.assert_allclose(alone[:, 0], (weights * apart[rows]).sum(axis=1), rtol=1e-9, atol=1e-7)


def test_missing_relatives_are_skipped() -> None:
    tree, layout = random_tree(np.random.default_rng(0), 40), random_layout(np.random.default_rng(0), 40)
    full = Relatives(np.array([[3, 7]]), np.array([[1.0, 2.0]]), None)
    padded = Relatives(np.array([[3, -1, 7]]), np.array([[1.0, 9.0, 2.0]]), None)
    np.testing.assert_allclose(parent_costs(tree, layout, full)[1], parent_costs(tree, layout, padded)[1])


def test_siblings_lead_to_their_parent_and_the_point_is_among_them() -> None:
    tree = tree_of([0, 0, 1, 1, 1, 2, 2, 2])
    layout = ray_layout(tree, 5, 10.0)
    found = place(tree, layout, tree.children(1)[:2], distances=[2.0, 2.0])
    assert found.parents[0] == 1
    assert found.radius == pytest.approx(layout.radius[tree.children(1)].mean())
    assert np.linalg.norm(found.direction) == pytest.approx(1.0)
    middle = layout.direction[tree.children(1)[:2]].mean(axis=0)
    assert found.direction == pytest.approx(middle / np.linalg.norm(middle), abs=1e-6)


def test_weights_decide_between_two_groups() -> None:
    tree = tree_of([0, 0, 1, 1, 1, 2, 2, 2])
    layout = ray_layout(tree, 5, 10.0)
    one, other = tree.children(tree.children(0)[0])[0], tree.children(tree.children(0)[1])[0]
    for weights, parent in (([5.0, 1.0], tree.parent[one]), ([1.0, 5.0], tree.parent[other])):
        assert place(tree, layout, [one, other], weights=weights).parents[0] == parent


def test_a_single_relative_is_enough() -> None:
    tree = random_tree(np.random.default_rng(0), 100)
    layout = ray_layout(tree, 10, 20.0)
    leaf = int(np.setdiff1d(np.arange(100), tree.parent[1:])[0])
    assert place(tree, layout, [leaf]).parents[0] == tree.parent[leaf]
    assert predict_parents(tree, layout, Relatives(np.array([[leaf]]), np.ones((1, 1)), None))[0] == tree.parent[leaf]


def test_the_scale_is_the_length_of_a_hop() -> None:
    tree = star(300)
    layout = ray_layout(tree, 10, 8.0)
    first, second = layout.direction[1:3]
    assert distance_scale(tree, layout) == pytest.approx(distance(8.0, first, 8.0, second) / 2.0, rel=0.1)
    assert distance_scale(tree, layout, 2.0 * tree.depth) == pytest.approx(distance_scale(tree, layout) / 2.0)


def test_weights_fall_with_distance_and_zero_is_near() -> None:
    np.testing.assert_allclose(weights_from_distances([1.0, 2.0, 4.0]), [1.0, 0.25, 0.0625])
    assert weights_from_distances([0.0, 1.0]) == pytest.approx([100.0, 1.0])
    assert weights_from_distances([0.0, 0.0]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("rows", "given", "message"),
    [
        ([], {}, "no relatives"),
        ([9], {}, "the tree has rows 0 to 3"),
        ([1], {"weights": [1.0, 2.0]}, "2 weights for 1 relatives"),
        ([1], {"weights": [0.0]}, "weights must be positive"),
        ([1], {"distances": [-1.0]}, "distances must be finite"),
        ([1], {"distances": [float("nan")]}, "weights must be positive|distances must be finite"),
    ],
)
def test_what_cannot_be_placed_is_refused(rows: list[int], given: dict[str, list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        place(star(4), random_layout(np.random.default_rng(0), 4), rows, **given)
