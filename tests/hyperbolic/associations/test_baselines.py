"""Scores that need no training."""

import numpy as np
import pytest

from terrarium.hyperbolic.associations.baselines import neighbour_scores, popularity_scores, relatives_scores
from terrarium.hyperbolic.associations.targets import rank_targets
from terrarium.hyperbolic.layouts.rays import ray_layout
from tests.hyperbolic.associations.links import targets


def test_popularity_counts_training_nodes_only():
    _, found = targets()
    scores = popularity_scores(found, found.nodes["test"])
    np.testing.assert_array_equal(scores[0], found.is_true[found.nodes["train"]].sum(axis=0))
    np.testing.assert_array_equal(scores, np.broadcast_to(scores[0], scores.shape))


def test_relatives_of_a_genus_know_the_host_and_not_the_sea():
    """The host depends on the genus, the sea on nothing that the tree knows."""
    tree, found = targets()
    scores = relatives_scores(tree, found, found.nodes["test"])
    is_host = found.relation == 0
    true = found.is_true[found.nodes["test"]]
    assert (scores[:, is_host].argmax(axis=1) == true[:, is_host].argmax(axis=1)).all()
    assert (scores[:, ~is_host].argmax(axis=1) == true[:, ~is_host].argmax(axis=1)).mean() < 0.9


def test_a_test_node_does_not_see_its_own_links():
    tree, found = targets()
    before = relatives_scores(tree, found, found.nodes["test"])
    found.is_true[found.nodes["test"]] = ~found.is_true[found.nodes["test"]]
    np.testing.assert_array_equal(relatives_scores(tree, found, found.nodes["test"]), before)


@pytest.mark.parametrize("radius", [6.0, 34.0])
def test_neighbours_in_a_faithful_layout_know_the_host(radius: float) -> None:
    tree, found = targets()
    scores = neighbour_scores(ray_layout(tree, 5, radius), found)
    is_host = found.relation == 0
    true = found.is_true[found.nodes["test"]]
    assert (scores[:, is_host].argmax(axis=1) == true[:, is_host].argmax(axis=1)).all()
    assert rank_targets(found, found.nodes["test"], scores)["mrr"] > 0.6
