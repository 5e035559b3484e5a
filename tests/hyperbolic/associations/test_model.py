"""Learned points: they separate hosts, hold the hierarchy, and are reproducible."""

import numpy as np
import pytest

from terrarium.hyperbolic.associations.model import fit_targets
from terrarium.hyperbolic.associations.targets import rank_targets
from terrarium.hyperbolic.geometry.ball import Layout, distance
from terrarium.hyperbolic.layouts.rays import ray_layout
from tests.hyperbolic.associations.links import options, targets


def host_accuracy(found, fitted) -> float:
    is_host, test = found.relation == 0, found.nodes["test"]
    best = fitted.scores[test][:, is_host].argmax(axis=1)
    return float((best == found.is_true[test][:, is_host].argmax(axis=1)).mean())


@pytest.mark.parametrize("is_hyperbolic", [True, False])
def test_points_learn_what_the_tree_knows(is_hyperbolic: bool) -> None:
    tree, found = targets()
    chosen = options(max_epochs=40, learning_rate=0.1, points_per_target=8)
    fitted = fit_targets(tree, ray_layout(tree, 5, 6.0), found, chosen, is_hyperbolic=is_hyperbolic)
    assert host_accuracy(found, fitted) > 0.8
    assert fitted.points.shape == (5, 8, 5)
    assert fitted.scores.shape == (len(tree), 5)


def test_a_fixed_hierarchy_does_not_move() -> None:
    tree, found = targets()
    layout = ray_layout(tree, 5, 6.0)
    fitted = fit_targets(tree, layout, found, options())
    np.testing.assert_allclose(fitted.nodes.radius, layout.radius, atol=1e-12)
    outer = layout.radius > 0.0
    np.testing.assert_allclose(fitted.nodes.direction[outer], layout.direction[outer], atol=1e-12)


def test_a_large_weight_holds_the_hierarchy() -> None:
    tree, found = targets()
    layout = ray_layout(tree, 5, 6.0)

    def change(weight: float) -> float:
        moved = fit_targets(tree, layout, found, options(hierarchy_weight=weight, max_epochs=20)).nodes
        child, parent = np.arange(1, len(tree)), tree.parent[1:]
        lengths = [_between(one, child, parent) for one in (layout, moved)]
        return float(np.abs(lengths[1] / lengths[0] - 1.0).mean())

    assert 0.0 < change(1000.0) < 0.5 * change(1e-6)


def test_the_scores_are_those_of_the_points() -> None:
    """One point per target: the nearer of two equally popular targets scores higher for most nodes."""
    tree, found = targets()
    fitted = fit_targets(tree, ray_layout(tree, 5, 6.0), found, options(points_per_target=1))
    assert rank_targets(found, found.nodes["train"], fitted.scores[found.nodes["train"]])["mrr"] > 0.5


def test_the_same_seed_gives_the_same_bits() -> None:
    tree, found = targets()
    layout = ray_layout(tree, 5, 6.0)
    one, same, other = (fit_targets(tree, layout, found, options(seed=seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.points, same.points)
    assert (one.points != other.points).any()


def _between(layout: Layout, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return distance(layout.radius[a], layout.direction[a], layout.radius[b], layout.direction[b])
